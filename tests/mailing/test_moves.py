"""The tables of moves against what the database sees: no other move is made, and each of theirs."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts.models import User
from mailing import lifecycle
from mailing.composer.render import freeze
from mailing.engine import planner, runs
from mailing.engine.classify import Reply
from mailing.enums import (
    MAILING_MOVES,
    RUN_MOVES,
    DeliveryState,
    MailingStatus,
    RunStatus,
    Unit,
)
from mailing.models import Batch, Delivery, Mailing, Run
from tests.factories import NOW, hours, make_mailing
from tests.mailing.runs import finish, open_run

pytestmark = pytest.mark.django_db

Move = tuple[str, str, str]
LATE = NOW + timedelta(days=2, hours=13)

_TRIGGERS = {
    "sqlite": (
        "CREATE TEMP TRIGGER move_of_{0} AFTER UPDATE OF status ON mailing_{0}"
        " WHEN OLD.status <> NEW.status BEGIN"
        " INSERT INTO moves VALUES ('{0}', OLD.status, NEW.status); END",
    ),
    "postgresql": (
        "CREATE FUNCTION pg_temp.note_{0}() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO moves VALUES ('{0}', OLD.status, NEW.status); RETURN NEW; END $$",
        "CREATE TRIGGER move_of_{0} AFTER UPDATE OF status ON mailing_{0} FOR EACH ROW"
        " WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION pg_temp.note_{0}()",
    ),
}


@pytest.fixture
def noted(db: None) -> Callable[[], set[Move]]:
    """Have the database note each move; return what takes the notes."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE moves (kind text, source text, target text)")
        for kind in ("mailing", "run"):
            for statement in _TRIGGERS[connection.vendor]:
                cursor.execute(statement.format(kind))

    def take() -> set[Move]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT kind, source, target FROM moves")
            found = set(cursor.fetchall())
            cursor.execute("DELETE FROM moves")
            return found

    return take


def mailing_in(owner: User, status: MailingStatus, unit: Unit) -> Mailing:
    """Return a mailing in that status, with a run if it has ever been active."""
    if status in {MailingStatus.CREATED, MailingStatus.SCHEDULED}:
        due = NOW if status == MailingStatus.SCHEDULED else None
        return make_mailing(
            owner, unit=unit, status=status, starts_at=NOW + hours(1), next_due_at=due
        )
    run = open_run(owner, unit=unit)
    if status == MailingStatus.COMPLETED:
        finish(run, DeliveryState.FAILED)
        Mailing.objects.update(next_due_at=None)
    Mailing.objects.update(status=status)
    if status in {MailingStatus.PAUSED, MailingStatus.DEACTIVATED}:
        Run.objects.update(status=RunStatus.PAUSED)
    return Mailing.objects.get()


def without_run(mailing: Mailing) -> None:
    Run.objects.all().delete()


def all_sent(mailing: Mailing) -> None:
    Delivery.objects.update(state=DeliveryState.SENT)
    Batch.objects.update(done=True)


def no_dates(mailing: Mailing) -> None:
    mailing.starts_at = NOW - timedelta(days=2)
    mailing.ends_at = NOW - timedelta(days=1)


def as_usual(mailing: Mailing) -> None:
    pass


CIRCUMSTANCES = (as_usual, without_run, all_sent, no_dates)

Act = Callable[[Mailing, User], object]


def each_run(act: Callable[[Run], object]) -> Act:
    return lambda mailing, _by: [act(run) for run in mailing.runs.all()]


ACTS: dict[str, Act] = {
    "start": lambda m, by: lifecycle.start(m, by=by, now=NOW),
    "send now": lambda m, by: lifecycle.send_now(m, form_key=uuid.uuid4(), by=by, now=NOW),
    "pause": lambda m, by: lifecycle.pause(m, by=by),
    "resume": lambda m, by: lifecycle.resume(m, by=by, now=NOW),
    "deactivate": lambda m, by: lifecycle.deactivate(m, by=by, reason="Spam", now=NOW),
    "lift": lambda m, by: lifecycle.lift(m, by=by, now=NOW),
    "block the owner": lambda m, by: lifecycle.pause_all(m.owner, by=by),
    "change the dates": lambda m, by: lifecycle.reschedule(m, now=NOW),
    "delete": lambda m, by: lifecycle.delete(m, by=by, now=NOW),
    "cancel": lambda m, by: each_run(lambda r: lifecycle.cancel_run(r, by=by, now=NOW))(m, by),
    "send again": lambda m, by: each_run(
        lambda r: lifecycle.send_again(r, [DeliveryState.FAILED], by=by, now=NOW)
    )(m, by),
    "tick": lambda m, by: planner.open_due(NOW, freeze),
    "late tick": lambda m, by: planner.open_due(LATE, freeze),
    "settle": each_run(lambda run: runs.settle(run.pk, NOW)),
    "refuse": each_run(lambda run: runs.pause_refused(run.pk, 10, Reply(550))),
}


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def in_table() -> set[Move]:
    tables = {"mailing": MAILING_MOVES, "run": RUN_MOVES}
    return {
        (kind, source.value, target.value)
        for kind, table in tables.items()
        for source, targets in table.items()
        for target in targets
    }


def test_each_move_is_in_the_tables_and_each_of_theirs_is_made(
    alice: User, manager: User, noted: Callable[[], set[Move]]
) -> None:
    made: dict[Move, str] = {}
    for status, unit in itertools.product(MailingStatus, (Unit.DAY, Unit.ONCE)):
        with undone():
            pk = mailing_in(alice, status, unit).pk
            for circumstance, (name, act) in itertools.product(CIRCUMSTANCES, ACTS.items()):
                with undone():
                    mailing = Mailing.objects.get(pk=pk)
                    circumstance(mailing)
                    noted()
                    with suppress(lifecycle.NotNow):
                        act(mailing, manager)
                    for move in noted():
                        made.setdefault(move, f"{name}: {unit}, {status}, {circumstance.__name__}")
    assert {move: how for move, how in made.items() if move not in in_table()} == {}
    assert in_table() - set(made) == set()
