"""Stop means stop: once committed, at most the armed letters leave, wherever the sender is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import transaction

from accounts.blocking import set_active
from accounts.models import User
from mailing import lifecycle
from mailing.engine import allowance, ledger, suppressions
from mailing.engine.budget import UNLIMITED, Rate
from mailing.engine.faults import Point
from mailing.enums import DeliveryState, MailingStatus, RunStatus, SuppressionReason
from mailing.models import Client, Delivery, Mailing, Run
from tests.factories import NOW, make_clients, make_mailing
from tests.faults.matrix import SELECTION
from tests.faults.sessions import Meanwhile
from tests.mailing.engine import oracle
from tests.mailing.engine.conftest import Stage

pytestmark = pytest.mark.django_db(transaction=True)

LETTERS = 40
AT_MOST = 12
"""What leaves in a tenth of a second here: two connections, a letter in 20 ms, and its envelope."""

Act = Callable[[Mailing, User], object]


def pause(mailing: Mailing, admin: User) -> None:
    lifecycle.pause(mailing, by=mailing.owner)


def deactivate(mailing: Mailing, admin: User) -> None:
    lifecycle.deactivate(mailing, by=admin, reason="Spam", now=NOW)


def delete(mailing: Mailing, admin: User) -> None:
    lifecycle.delete(mailing, by=mailing.owner, now=NOW)


def block(mailing: Mailing, admin: User) -> None:
    set_active(mailing.owner, active=False, by=admin)


def cancel(mailing: Mailing, admin: User) -> None:
    lifecycle.cancel_run(mailing.runs.get(), by=mailing.owner, now=NOW)


def unsubscribe_all(mailing: Mailing, admin: User) -> None:
    with transaction.atomic():
        for client in mailing.clients.all():
            suppressions.suppress(
                owner_id=mailing.owner_id,
                email_normalized=client.email_normalized,
                reason=SuppressionReason.UNSUBSCRIBED,
                now=NOW,
            )


def erase_the_last_twenty(mailing: Mailing, admin: User) -> None:
    for client in Client.objects.filter(owner=mailing.owner).order_by("-pk")[:20]:
        lifecycle.delete_client(client)


ACTS: list[Act] = [  # rows 34, 35, 36, 37, 39
    pause,
    deactivate,
    delete,
    block,
    cancel,
    unsubscribe_all,
]
POINTS = [
    (Point.LEASED, 1),
    (Point.BEFORE_INTENT, 1),
    (Point.BEFORE_INTENT, 3),
    (Point.INTENT_WRITTEN, 1),
    (Point.INTENT_WRITTEN, 3),
    (Point.AFTER_INTENT, 3),
    (Point.RENDERED, 7),
    (Point.BEFORE_DOT, 7),
    (Point.AFTER_SEND, 9),
    (Point.AFTER_REPLY, 7),
    (Point.OUTCOME_WRITTEN, 3),
]
if SELECTION != "all":
    POINTS = POINTS[::2]


@pytest.fixture
def mailing(alice: User, stage: Stage) -> Mailing:
    stage.sink.mood.dot_delay = 0.02
    return make_mailing(
        alice,
        make_clients(alice, [f"ok+{n}@x.test" for n in range(LETTERS)]),
        status=MailingStatus.SCHEDULED,
        next_due_at=NOW,
    )


def send_and(act: Act, mailing: Mailing, admin: User, stage: Stage, at: tuple[Point, int]) -> int:
    """Send, and act in another session; return how many letters arrived after the act."""

    def work() -> int:
        act(Mailing.objects.get(pk=mailing.pk), admin)
        return len(stage.arrived)

    with Meanwhile(*at, work) as meanwhile:
        stage.send()
    assert isinstance(meanwhile.result, int)
    return len(stage.arrived) - meanwhile.result


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
@pytest.mark.parametrize("at", POINTS, ids=lambda at: f"{at[0]}-{at[1]}")
def test_after_the_commit_at_most_the_armed_letters_leave(
    mailing: Mailing, admin: User, stage: Stage, act: Act, at: tuple[Point, int]
) -> None:
    (run,) = stage.plan()
    assert send_and(act, mailing, admin, stage, at) <= AT_MOST
    left = len(stage.arrived)
    assert left < LETTERS
    stage.later(minutes=1)
    stage.sweep()
    stage.send()
    assert len(stage.arrived) == left, "and later none at all"
    oracle.check(run, stage.arrived)
    states = Delivery.objects.filter(run=run).count_by_state()
    rest = {
        delete: DeliveryState.CANCELLED,
        cancel: DeliveryState.CANCELLED,
        unsubscribe_all: DeliveryState.SUPPRESSED,
    }.get(act, DeliveryState.PENDING)
    assert states.get(rest) == LETTERS - left
    if act in (pause, deactivate):
        mailing.refresh_from_db()
        if act is deactivate:
            lifecycle.lift(mailing, by=admin, now=stage.now)
        lifecycle.resume(mailing, by=mailing.owner, now=stage.now)
        stage.send()
        oracle.check(run, stage.arrived, drained=True)
        assert len(stage.arrived) == LETTERS


@pytest.mark.parametrize("at", POINTS, ids=lambda at: f"{at[0]}-{at[1]}")
def test_an_erased_client_is_anonymous_and_gets_nothing(
    mailing: Mailing, admin: User, stage: Stage, at: tuple[Point, int]
) -> None:  # row 37
    (run,) = stage.plan()
    send_and(erase_the_last_twenty, mailing, admin, stage, at)
    oracle.check(run, [letter["delivery"] for letter in stage.sink.ledger.letters], drained=True)
    erased = Delivery.objects.filter(run=run, client=None)
    assert erased.count() == 20
    cancelled = erased.filter(state=DeliveryState.CANCELLED)
    assert set(cancelled.values_list("email", flat=True)) <= {""}
    assert erased.exclude(state=DeliveryState.CANCELLED).count() <= AT_MOST
    assert len(stage.arrived) == LETTERS - cancelled.count()


@pytest.mark.parametrize("rate", [UNLIMITED, Rate(per_second=1000)], ids=["free", "limited"])
@pytest.mark.parametrize("number", [2, 3])
def test_erasing_clients_and_recording_their_letters_do_not_wait_for_each_other(
    mailing: Mailing,
    stage: Stage,
    number: int,
    rate: Rate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # row 37
    """The letters were armed before: they are kept, and their client is taken out of them."""
    stage.owner_rate = rate
    monkeypatch.setattr(allowance, "STEPS_A_SECOND", 1)  # each step asks the owner's budget
    (run,) = stage.plan()
    first = list(Client.objects.filter(owner=mailing.owner).order_by("pk")[:20])

    def erase() -> None:
        with transaction.atomic():
            ledger.cancel_for_clients([client.pk for client in first])
            for client in first:
                client.delete()

    with Meanwhile(Point.OUTCOME_WRITTEN, number, erase) as meanwhile:
        stage.send()
    assert meanwhile.waited, "for the sender, which goes on"
    oracle.check(run, [letter["delivery"] for letter in stage.sink.ledger.letters], drained=True)
    assert Delivery.objects.filter(run=run, client=None).count() == 20


def test_pausing_and_resuming_fifty_times_loses_and_doubles_nothing(
    mailing: Mailing, stage: Stage
) -> None:  # row 34
    stage.sink.mood.dot_delay = 0.002
    (run,) = stage.plan()
    mailing.refresh_from_db()

    def quickly() -> None:
        with suppress(lifecycle.NotNow):  # all have left
            for _time in range(50):
                lifecycle.pause(Mailing.objects.get(pk=mailing.pk), by=mailing.owner)
                lifecycle.resume(
                    Mailing.objects.get(pk=mailing.pk), by=mailing.owner, now=stage.now
                )

    with Meanwhile(Point.AFTER_INTENT, 2, quickly):
        stage.send()
    for _slice in range(5):
        stage.send()
    oracle.check(run, stage.arrived, drained=True)
    assert len(stage.arrived) == LETTERS


def test_a_blocked_owner_s_next_dates_are_not_opened(
    mailing: Mailing, admin: User, stage: Stage
) -> None:  # row 39
    block(mailing, admin)
    assert stage.plan() == []
    assert not Run.objects.exclude(status=RunStatus.SKIPPED).exists()
