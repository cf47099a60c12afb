"""Every point of the engine × every time it is reached × every way to break there (I1 to I7)."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from accounts.models import User
from mailing.engine import faults, journal
from mailing.engine.faults import Point
from mailing.enums import MailingStatus
from tests.factories import NOW, make_clients, make_mailing
from tests.faults import matrix
from tests.faults.arena import KILLED, Arena, plan_and_send
from tests.faults.installation import Installation, wait_for
from tests.faults.matrix import Case
from tests.faults.processes import Child
from tests.mailing.engine import oracle
from tests.mailing.engine.conftest import Stage
from tests.sink import Sink


@pytest.mark.parametrize("case", matrix.selected(), ids=str)
def test_whatever_breaks_nothing_is_lost_and_nothing_doubled(arena: Arena, case: Case) -> None:
    matrix.hold(arena, case)


def test_the_matrix_knows_every_point() -> None:
    assert {*matrix.TIMES, *matrix.AFTERWARDS} == set(Point)


def test_letters_pass_the_points_as_often_as_the_matrix_says(arena: Arena) -> None:
    def count(stage: Stage) -> Counter[Point]:
        passed: Counter[Point] = Counter()
        faults.watch(lambda point: passed.update([point]))
        plan_and_send(stage)
        return passed

    passed = arena.ask(count)
    assert {
        point: passed[point] for point, times in matrix.TIMES.items() if passed[point] < times
    } == {}


def test_without_the_switch_nobody_can_arm_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAULTS_ALLOWED")
    with pytest.raises(AssertionError, match="tests alone"):
        faults.arm("leased:1:kill9")


@pytest.mark.parametrize(("switch", "code"), [("1", -9), ("", 0)])
def test_the_environment_arms_a_fault_only_with_the_switch(
    install: Callable[..., Installation], switch: str, code: int
) -> None:
    with Sink() as sink:
        installation = install(
            EMAIL_URL=f"smtp://127.0.0.1:{sink.port}",
            FAULT="before-dot:3:kill9",
            FAULTS_ALLOWED=switch,
        )
        make = "from tests.faults.chores import make_due_mailing; make_due_mailing(5)"
        assert installation.manage("shell", "--no-imports", "-c", make).returncode == 0
        assert installation.manage("scheduler", "--once").returncode == code


def test_the_journal_saves_answers_that_the_database_never_got(arena: Arena) -> None:  # row 11
    arena.connections = 1
    assert arena.play(plan_and_send, fault="before-outcome:6:kill9") == KILLED
    arena.settle(unknown_at_most=1)


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("point", [Point.AFTER_INTENT, Point.BEFORE_DOT, Point.AFTER_SEND])
def test_a_sender_that_was_halted_for_twenty_minutes_arms_nothing_more(
    arena: Arena, point: Point, number: int
) -> None:  # row 6
    halted = arena.begin(plan_and_send, fault=f"{point}:{number}:stop")
    wait_for(halted.is_stopped, within=10, what="the sender to be halted")

    def another(stage: Stage) -> None:
        stage.sweep()
        with journal.hold(stage.folder, 2) as held:
            assert held is not None
            assert held.path.name == "sender-1.journal", "the other one is held"
            while stage.sender(held).run():
                pass

    arena.ask(another, minutes=1)
    before = len(arena.delivered())
    arena.ask(another, minutes=21)
    halted.go_on()
    halted.wait(20)
    assert len(arena.delivered()) - before <= arena.connections + 6, "what was armed, no more"
    arena.settle(unknown_at_most=8, minutes=22)


@pytest.mark.parametrize("seed", range({"all": 60, "broad": 15, "short": 2}[matrix.SELECTION]))
def test_a_time_out_at_any_instant_loses_and_doubles_nothing(arena: Arena, seed: int) -> None:
    """As of a task: an exception out of nowhere. Row 7."""

    def interrupted(stage: Stage) -> None:
        def interrupt(_number: int, _frame: object) -> None:
            raise SystemExit  # as the one of django-q2 is; it must not pass for a fault of the net

        stage.plan()
        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, Random(seed).uniform(0.001, 0.06))
        stage.send()

    arena.faults = 1
    arena.play(interrupted)
    arena.settle()


@pytest.mark.django_db(transaction=True)
def test_kills_at_random_instants(alice: User, stage: Stage) -> None:  # row 1
    seconds = {"all": 60, "broad": 8, "short": 2}[matrix.SELECTION]
    stage.sink.mood.dot_delay = 0.01
    letters = 150 * seconds
    make_mailing(
        alice,
        make_clients(alice, [f"ok+{n}@x.test" for n in range(letters)]),
        status=MailingStatus.SCHEDULED,
        next_due_at=NOW,
    )
    (run,) = stage.plan()
    random, kills = Random(7), 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        child = Child(stage.send)
        time.sleep(random.uniform(0.2, 1.0))
        child.end()
        kills += 1
        stage.later(minutes=1)
    wait_for(lambda: stage.sink.open_connections == 0, within=5, what="silence")
    while stage.send():
        pass
    oracle.check(run, stage.arrived, unknown_at_most=kills * stage.connections, drained=True)
