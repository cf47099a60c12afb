"""A letter that is the death of its sender: it is given up, and all others leave. Row 4."""

from __future__ import annotations

import os
import signal

import pytest

from mailing.engine.faults import Point
from mailing.models import Attempt, Batch, Delivery
from tests.faults.arena import KILLED, Arena
from tests.mailing.engine.conftest import Stage

POISON = "ok+3@x.test"
DEATHS = 3


def send(stage: Stage) -> None:
    """Do what a tick does, with a letter among the others that nobody survives composing."""
    poison = Delivery.objects.get(email=POISON).pk

    def link(number: int) -> str:
        if number == poison:
            os.kill(os.getpid(), signal.SIGKILL)  # as when the memory is used up
        return f"https://service.test/u/{number}/"

    stage.unsubscribe_url = link
    stage.sweep()
    stage.send()


def deaths_in(arena: Arena, ticks: int) -> int:
    """Let one sender after another try, five minutes apart; return how many die of it."""
    for tick in range(ticks):
        arena.faults += arena.play(send, minutes=5 * tick) == KILLED
        arena.await_silence()
    return arena.faults


def log_of_the_poison(_stage: Stage) -> list[tuple[str, str]]:
    log = Attempt.objects.filter(delivery__email=POISON).order_by("number")
    return list(log.values_list("stage", "outcome"))


@pytest.mark.parametrize("connections", [1, 2, 4])
def test_after_three_deaths_the_letter_is_failed_and_all_others_have_left(
    arena: Arena, connections: int
) -> None:
    arena.connections = connections
    arena.ask(Stage.plan)
    assert deaths_in(arena, ticks=9) == DEATHS
    arena.settle(minutes=60)
    assert arena.ask(log_of_the_poison) == [("render", "transient"), ("render", "permanent")]
    failed = arena.ask(
        lambda _stage: list(Delivery.objects.filter(state="failed").values_list("email", flat=True))
    )
    assert set(failed) == {POISON, "550+9@x.test"}
    state, reply = arena.ask(
        lambda _stage: Delivery.objects.values_list("state", "last_reply").get(email=POISON)
    )
    assert (state, reply) == ("failed", "the sender died while it composed this letter, again")


def test_while_it_waits_for_its_last_chance_all_others_leave(arena: Arena) -> None:
    arena.ask(Stage.plan)
    assert deaths_in(arena, ticks=DEATHS) == DEATHS - 1
    waiting = arena.ask(lambda _stage: list(Delivery.objects.filter(state="deferred")))
    assert {delivery.email for delivery in waiting} <= {POISON, "4xx+10@x.test"}
    assert arena.ask(lambda _stage: Delivery.objects.filter(state="pending").count()) == 0


def test_who_is_killed_for_other_reasons_condemns_no_letter(arena: Arena) -> None:
    """However often: that a suspect letter has been composed is noted too."""
    arena.ask(Stage.plan)
    points = (Point.AFTER_INTENT, Point.RENDERED, Point.BEFORE_DOT, Point.AFTER_SEND)
    for minute, point in enumerate(points * 3):
        arena.play(Stage.send, fault=f"{point}:1:kill9", minutes=minute)
        arena.await_silence()
    assert arena.ask(lambda _stage: Batch.objects.filter(is_suspect=True).exists())
    arena.settle(minutes=60)
    assert arena.ask(lambda _stage: Attempt.objects.filter(stage="render").count()) == 0


def test_a_letter_that_kills_no_third_time_leaves(arena: Arena) -> None:
    """As one that was composed when somebody else had used up the memory."""
    arena.ask(Stage.plan)
    assert deaths_in(arena, ticks=DEATHS - 1) == DEATHS - 1
    arena.settle(minutes=15)
    assert arena.ask(log_of_the_poison) == [("render", "transient"), ("dot", "accepted")]
