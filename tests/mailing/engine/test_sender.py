"""Sending over real SMTP: what each client gets, and what the tables say afterwards."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from wagtail.users.models import UserProfile

from accounts.models import User
from mailing import lifecycle
from mailing.engine import faults, journal, suppressions
from mailing.engine.budget import Rate
from mailing.engine.classify import Reply
from mailing.engine.faults import Point
from mailing.engine.sender import Sender
from mailing.engine.transport.session import Outgoing
from mailing.enums import (
    DeliveryState,
    MailingStatus,
    Outcome,
    RunStatus,
    SuppressionReason,
    Unit,
)
from mailing.enums import Stage as SmtpStage
from mailing.models import (
    Attempt,
    Batch,
    Delivery,
    Mailing,
    OwnerGate,
    Run,
    ServerGate,
    Suppression,
)
from tests.factories import NOW, body, make_client, make_clients, make_mailing, make_message
from tests.mailing.engine import oracle
from tests.mailing.engine.conftest import Stage
from tests.sink import Mood

pytestmark = pytest.mark.django_db(transaction=True)


def due(owner: User, addresses: list[str], **fields: Any) -> Mailing:
    return make_mailing(
        owner,
        make_clients(owner, addresses),
        status=MailingStatus.SCHEDULED,
        next_due_at=NOW,
        **fields,
    )


def states(run: Run) -> dict[str, str]:
    return {d.email.split("@")[0]: d.state for d in Delivery.objects.filter(run=run)}


@contextmanager
def connected(stage: Stage) -> Iterator[Sender]:
    """A sender without connections: the test takes letters and answers them itself."""
    with journal.hold(stage.folder, 1) as held:
        assert held is not None
        held.start()
        ServerGate.objects.create(server=f"127.0.0.1:{stage.sink.port}")
        yield stage.sender(held)


def take(sender: Sender, letters: int) -> list[Outgoing]:
    taken = [letter for _ in range(letters) if (letter := sender.next_letter()) is not None]
    assert len(taken) == letters
    return taken


def accept(sender: Sender, letters: list[Outgoing]) -> None:
    for letter in letters:
        sender.about_to_dot(letter)
        sender.answered(letter, SmtpStage.DOT, Reply(250, "2.0.0", "Ok"))


def test_every_client_gets_one_letter(alice: User, stage: Stage) -> None:
    mailing = due(alice, [f"ok+{i}@x.test" for i in range(1200)])
    (run,) = stage.plan()
    assert stage.send() is False
    oracle.check(run, stage.arrived)
    assert len(stage.arrived) == 1200
    assert Batch.objects.filter(run=run, done=True).count() == 2
    mailing.refresh_from_db()
    assert mailing.status == MailingStatus.COMPLETED
    assert stage.sink.strict_errors == []


def test_a_recurring_mailing_waits_for_its_next_date(alice: User, stage: Stage) -> None:
    mailing = due(alice, ["ok@x.test"], unit=Unit.WEEK)
    stage.plan()
    stage.send()
    mailing.refresh_from_db()
    assert mailing.status == MailingStatus.SCHEDULED
    assert mailing.next_due_at == NOW + timedelta(days=7)


def test_each_kind_of_refusal(alice: User, stage: Stage) -> None:
    due(alice, ["ok+a@x.test", "550+b@x.test", "policy+c@x.test", "full+d@x.test", "big+e@x.test"])
    (run,) = stage.plan()
    stage.send()
    oracle.check(run, stage.arrived)
    assert states(run) == {
        "ok+a": "sent",
        "550+b": "failed",
        "policy+c": "failed",
        "full+d": "deferred",
        "big+e": "failed",
    }
    assert [s.email_normalized for s in Suppression.objects.all()] == ["550+b@x.test"]
    attempt = Attempt.objects.get(delivery__email="550+b@x.test")
    assert (attempt.code, attempt.enhanced, attempt.reply) == (550, "5.1.1", "No")
    run.refresh_from_db()
    assert run.status == RunStatus.SENDING


def test_a_greylisted_client_is_tried_again_later(alice: User, stage: Stage) -> None:
    due(alice, ["4xx+a@x.test", "ok+b@x.test"])
    (run,) = stage.plan()
    stage.send()
    assert states(run) == {"4xx+a": "deferred", "ok+b": "sent"}
    stage.later(minutes=2)
    assert stage.send() is False
    assert len(stage.arrived) == 1, "too early"
    stage.later(minutes=5)
    stage.send()
    oracle.check(run, stage.arrived)
    assert states(run) == {"4xx+a": "sent", "ok+b": "sent"}
    outcomes = Attempt.objects.filter(delivery__email="4xx+a@x.test").order_by("number")
    assert [a.outcome for a in outcomes] == [Outcome.TRANSIENT, Outcome.ACCEPTED]


def test_what_stays_refused_expires(alice: User, stage: Stage) -> None:
    due(alice, ["full@x.test"])
    (run,) = stage.plan()
    for _ in range(30):
        stage.send()
        stage.later(hours=5)
    oracle.check(run, stage.arrived)
    assert states(run) == {"full": "expired"}
    assert Delivery.objects.get(run=run).attempts >= 5


def test_an_ambiguous_letter_is_unknown_and_stays_so(alice: User, stage: Stage) -> None:
    stage.connections = 1
    due(alice, ["dropdot+a@x.test", "ok+b@x.test", "garbage+c@x.test", "ok+d@x.test"])
    (run,) = stage.plan()
    stage.send()
    stage.later(hours=1)
    stage.send()
    oracle.check(run, stage.arrived, unknown_at_most=2)
    assert states(run) == {
        "dropdot+a": "unknown",
        "ok+b": "sent",
        "garbage+c": "unknown",
        "ok+d": "sent",
    }


def test_a_person_may_send_the_unknown_again(alice: User, stage: Stage) -> None:
    due(alice, ["dropdot+a@x.test", "ok+b@x.test"])
    (run,) = stage.plan()
    stage.send()
    run.refresh_from_db()
    assert run.status == RunStatus.COMPLETED
    delivery = Delivery.objects.get(email="dropdot+a@x.test")
    Delivery.objects.filter(pk=delivery.pk).update(email="ok+a@x.test")
    assert lifecycle.send_again(run, [DeliveryState.UNKNOWN], by=alice, now=stage.now) == 1
    stage.send()
    assert states(run) == {"ok+a": "sent", "ok+b": "sent"}
    assert [a.number for a in Attempt.objects.filter(delivery=delivery).order_by("number")] == [
        1,
        2,
    ]
    assert Run.objects.get(pk=run.pk).status == RunStatus.COMPLETED


class TestServerDown:
    @pytest.fixture
    def mood(self) -> Mood:
        return Mood(banner="421 4.3.2 Not now")

    def test_nothing_is_counted_and_it_goes_on_by_itself(self, alice: User, stage: Stage) -> None:
        due(alice, [f"ok+{i}@x.test" for i in range(20)])
        (run,) = stage.plan()
        assert stage.send() is False
        circuit = ServerGate.objects.get()
        assert circuit.open_until == stage.now + timedelta(seconds=30)
        assert "Not now" in circuit.reason
        assert not Attempt.objects.exists()
        assert set(Delivery.objects.values_list("state", "attempts")) == {("pending", 0)}
        assert not Batch.objects.filter(lease_token__isnull=False).exists()
        connections = stage.sink.connections
        stage.later(seconds=20)
        stage.send()
        assert stage.sink.connections == connections, "nobody knocks while the circuit is open"
        stage.later(seconds=11)
        stage.send()
        assert ServerGate.objects.get().open_until == stage.now + timedelta(seconds=60)
        stage.sink.mood.banner = "220 sink ESMTP"
        stage.later(seconds=61)
        stage.send()
        oracle.check(run, stage.arrived)
        assert len(stage.arrived) == 20
        assert ServerGate.objects.get().failures == 0

    def test_a_server_that_dies_in_the_middle(self, alice: User, stage: Stage) -> None:
        stage.sink.mood.banner = "220 sink ESMTP"
        due(alice, ["ok+1@x.test", *(f"bye+{i}@x.test" for i in range(12)), "ok+2@x.test"])
        stage.plan()
        stage.send()
        counted = Attempt.objects.filter(delivery__email__startswith="bye").count()
        assert counted <= 2, "421 before the dot costs nothing"
        assert ServerGate.objects.get().failures == 1
        Delivery.objects.filter(email__startswith="bye").update(state="cancelled")
        stage.later(minutes=10)
        stage.send()
        assert "ok+2@x.test" in stage.arrived


def test_a_letter_that_breaks_connections_does_not_hold_up_the_others(
    alice: User, stage: Stage
) -> None:
    stage.connections = 1
    due(alice, ["droprcpt+poison@x.test", *(f"ok+{i}@x.test" for i in range(10))])
    (run,) = stage.plan()
    stage.send()
    assert len(stage.arrived) == 10
    assert states(run)["droprcpt+poison"] == "deferred"
    assert Attempt.objects.get(delivery__email="droprcpt+poison@x.test").outcome == "transient"


def test_a_full_server_costs_no_client_an_attempt(alice: User, stage: Stage) -> None:
    stage.connections = 1
    due(alice, ["busy+a@x.test", "ok+b@x.test"])
    stage.plan()
    stage.send()
    assert not Attempt.objects.filter(delivery__email="busy+a@x.test").exists()
    assert ServerGate.objects.get().failures == 1


def test_a_client_twice_in_lists_gets_one_letter(alice: User, stage: Stage) -> None:
    from tests.factories import make_list

    clients = make_clients(alice, ["ok+a@x.test", "ok+b@x.test"])
    mailing = make_mailing(alice, clients[:1], status=MailingStatus.SCHEDULED, next_due_at=NOW)
    mailing.lists.add(make_list(alice, clients), make_list(alice, clients[1:]))
    (run,) = stage.plan()
    stage.send()
    oracle.check(run, stage.arrived)
    assert sorted(stage.arrived) == ["ok+a@x.test", "ok+b@x.test"]


def test_a_suppressed_client_gets_nothing_and_is_shown(
    alice: User, bob: User, stage: Stage
) -> None:
    mailing = due(alice, ["ok+a@x.test", "ok+b@x.test"])
    make_client(bob, "ok+b@x.test")
    Suppression.objects.create(
        owner=alice, email_normalized="ok+a@x.test", reason="unsubscribed", created_at=NOW
    )
    Suppression.objects.create(
        owner=bob, email_normalized="ok+b@x.test", reason="unsubscribed", created_at=NOW
    )
    (run,) = stage.plan()
    stage.send()
    oracle.check(run, stage.arrived)
    assert states(run) == {"ok+a": "suppressed", "ok+b": "sent"}
    mailing.refresh_from_db()
    assert mailing.status == MailingStatus.COMPLETED


def test_an_unsubscription_during_the_run_counts_at_once(alice: User, stage: Stage) -> None:
    stage.connections = 1
    due(alice, [f"ok+{i}@x.test" for i in range(40)])
    (run,) = stage.plan()
    left_before: list[str] = []

    def unsubscribe_all_after_ten() -> bool:
        if len(stage.arrived) >= 10 and not left_before:
            left_before.extend(stage.arrived)
            for delivery in Delivery.objects.filter(run=run):
                suppressions.suppress(
                    owner_id=alice.pk,
                    email_normalized=delivery.email_normalized,
                    reason=SuppressionReason.UNSUBSCRIBED,
                    now=NOW,
                )
        return False

    stage.sink.mood.dot_delay = 0.02
    stage.send(interrupted=unsubscribe_all_after_ten)
    oracle.check(run, stage.arrived)
    late = len(stage.arrived) - len(left_before)
    assert left_before
    assert late <= 8, "only what was armed: a tenth of a second at this rate, plus the envelope"
    assert states(run)["ok+39"] == "suppressed"


def test_a_paused_mailing_stops_within_the_armed_letters(alice: User, stage: Stage) -> None:
    stage.connections = 1
    stage.sink.mood.dot_delay = 0.02
    mailing = due(alice, [f"ok+{i}@x.test" for i in range(60)])
    (run,) = stage.plan()
    seen: list[int] = []

    def pause() -> bool:
        if len(stage.arrived) >= 10 and not seen:
            seen.append(len(stage.arrived))
            lifecycle.pause(Mailing.objects.get(pk=mailing.pk), by=alice)
        return False

    stage.send(interrupted=pause)
    assert len(stage.arrived) - seen[0] <= 8
    assert not Batch.objects.filter(lease_token__isnull=False).exists()
    stage.send()
    assert len(stage.arrived) < 60, "a paused run is not leased"
    lifecycle.resume(Mailing.objects.get(pk=mailing.pk), by=alice, now=stage.now)
    stage.send()
    oracle.check(run, stage.arrived)
    assert len(stage.arrived) == 60


def test_after_a_stop_what_comes_back_is_not_composed_again(alice: User, stage: Stage) -> None:
    due(alice, [f"ok+{i}@x.test" for i in range(20)])
    (run,) = stage.plan()
    with connected(stage) as sender:
        first, _second = take(sender, 2)
        sender.meanwhile(4)
        sender.stop()
        assert sender.next_letter() is None
        sender.returned(first, SmtpStage.RCPT, Reply(0))
        sender.meanwhile(4)
        assert sender.next_letter() is None
        assert not sender.has_letters()
    assert set(states(run).values()) == {"pending"}


def bring_up_to_speed(sender: Sender) -> int:
    """Have letters accepted so quickly that a step is more than a letter for each connection.

    Return how many. The next step is due then, and some letters of this one have not left.
    """
    accepted = 0
    while sender._step < 4 or not sender.runs_low():
        accept(sender, take(sender, 1))
        accepted += 1
    return accepted


@contextmanager
def failing_steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the database fail just before a step is committed."""

    def fail(point: Point) -> None:
        if point is Point.INTENT_WRITTEN:
            raise DatabaseError

    monkeypatch.setenv("FAULTS_ALLOWED", "1")
    faults.watch(fail)
    try:
        yield
    finally:
        faults.watch(None)


class TestAhead:
    """The next step is taken before the last is through, if letters leave quickly."""

    def test_a_quick_server_finds_the_next_step_armed(self, alice: User, stage: Stage) -> None:
        due(alice, [f"ok+{i}@x.test" for i in range(200)])
        stage.plan()
        with connected(stage) as sender:
            accepted = bring_up_to_speed(sender)
            (before,) = Batch.objects.all()
            sender.restock()
            assert not sender.runs_low()
            (after,) = Batch.objects.all()
            armed = after.armed_to - before.armed_to
            assert 0 < armed <= 4 * accepted
            with CaptureQueriesContext(connection) as queries:
                take(sender, armed)
            assert len(queries) == 0
            sent = Delivery.objects.filter(state=DeliveryState.SENT).count()
            assert sent == accepted, "what is known is recorded with each step"

    def test_nothing_is_armed_ahead_of_a_slow_server(self, alice: User, stage: Stage) -> None:
        due(alice, [f"ok+{i}@x.test" for i in range(100)])
        stage.plan()
        with connected(stage) as sender:
            for _ in range(4):
                letters = take(sender, 2)
                assert not sender.runs_low()
                time.sleep(0.15)
                accept(sender, letters)

    def test_nothing_is_armed_ahead_of_the_first_answer(
        self, alice: User, bob: User, stage: Stage
    ) -> None:
        due(alice, [f"ok+{i}@x.test" for i in range(100)])
        stage.plan()
        with connected(stage) as sender:
            bring_up_to_speed(sender)
            Run.objects.update(status=RunStatus.PAUSED)
            due(bob, [f"ok+{i}@x.test" for i in range(100)])
            stage.plan()
            sender.restock()
            assert 0 < sender._armed() <= 8, "of the other run, which has the turn"
            take(sender, sender._armed() - 1)
            sender._step = 100  # however long the other run took to be made
            assert not sender.runs_low(), "nobody knows yet what the server says to this run"

    def test_what_was_armed_of_a_batch_that_is_lost_does_not_leave(
        self, alice: User, stage: Stage
    ) -> None:
        due(alice, [f"ok+{i}@x.test" for i in range(100)])
        stage.plan()
        with connected(stage) as sender:
            bring_up_to_speed(sender)
            (under_way,) = take(sender, 1)
            assert sender._armed()
            Batch.objects.update(lease_token=uuid.uuid4())
            sender.restock()
            assert sender.next_letter() is None
            sender.returned(under_way, SmtpStage.RCPT, Reply(0))
            assert sender.next_letter() is None

    def test_a_lease_that_cannot_be_renewed_is_lost(self, alice: User, stage: Stage) -> None:
        due(alice, [f"ok+{i}@x.test" for i in range(100)])
        stage.plan()
        with connected(stage) as sender:
            bring_up_to_speed(sender)
            assert sender._armed()
            Batch.objects.update(lease_token=uuid.uuid4())
            sender._beat()
            assert sender.next_letter() is None

    def test_what_was_armed_of_a_paused_run_does_not_leave(self, alice: User, stage: Stage) -> None:
        mailing = due(alice, [f"ok+{i}@x.test" for i in range(100)])
        (run,) = stage.plan()
        with connected(stage) as sender:
            accepted = bring_up_to_speed(sender)
            lifecycle.pause(Mailing.objects.get(pk=mailing.pk), by=alice)
            sender.restock()
            assert sender.next_letter() is None
            sender._finish()
        assert Delivery.objects.filter(run=run, state=DeliveryState.SENT).count() == accepted
        assert not Batch.objects.filter(lease_token__isnull=False).exists()

    def test_a_batch_that_could_not_be_given_back_is_given_back_at_the_end(
        self, alice: User, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mailing = due(alice, [f"ok+{i}@x.test" for i in range(100)])
        stage.plan()
        with connected(stage) as sender:
            bring_up_to_speed(sender)
            lifecycle.pause(Mailing.objects.get(pk=mailing.pk), by=alice)
            with failing_steps(monkeypatch):
                sender.restock()
            assert Batch.objects.filter(lease_token__isnull=False).exists()
            sender._finish()
        assert not Batch.objects.filter(lease_token__isnull=False).exists()

    def test_a_step_that_is_rolled_back_gives_no_budget_back(
        self, alice: User, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stage.owner_rate = Rate(per_day=500)
        due(alice, [f"ok+{i}@x.test" for i in range(100)])
        stage.plan()
        with connected(stage) as sender:
            accept(sender, take(sender, 2))
            OwnerGate.objects.filter(owner=alice).update(day_used=100)
            sender._allowance.forget()
            with failing_steps(monkeypatch):
                assert sender.next_letter() is None
            sender._finish()
        assert OwnerGate.objects.get(owner=alice).day_used == 100

    def test_what_a_slice_has_armed_and_not_sent_costs_no_budget(
        self, alice: User, stage: Stage
    ) -> None:
        stage.owner_rate = Rate(per_day=500)
        due(alice, [f"ok+{i}@x.test" for i in range(100)])
        stage.plan()
        with connected(stage) as sender:
            accepted = bring_up_to_speed(sender)
            assert sender._armed()
            sender.stop()
            sender._finish()
        assert OwnerGate.objects.get(owner=alice).day_used == accepted


def test_not_every_connection_looks_for_more_when_there_is_none(alice: User, stage: Stage) -> None:
    stage.connections, stage.sink.mood.dot_delay = 20, 0.05
    due(alice, [f"ok+{i}@x.test" for i in range(100)])
    stage.plan()
    with CaptureQueriesContext(connection) as queries:
        stage.send()
    assert len(stage.arrived) == 100
    looks = [query for query in queries if "b.lease_token IS NULL" in query["sql"]]
    assert len(looks) < 20, "once for a step, not for each of twenty connections"


def test_a_blocked_owner_stops_too(alice: User, admin: User, stage: Stage) -> None:
    from accounts.blocking import set_active

    stage.sink.mood.dot_delay = 0.02
    mailing = due(alice, [f"ok+{i}@x.test" for i in range(60)])
    (run,) = stage.plan()
    seen: list[int] = []

    def block() -> bool:
        if len(stage.arrived) >= 10 and not seen:
            seen.append(len(stage.arrived))
            set_active(alice, active=False, by=admin)
        return False

    stage.send(interrupted=block)
    assert len(stage.arrived) - seen[0] <= 12
    mailing.refresh_from_db()
    assert mailing.status == MailingStatus.PAUSED
    run.refresh_from_db()
    assert run.status == RunStatus.PAUSED


def test_a_deleted_mailing_cancels_what_has_not_left(alice: User, stage: Stage) -> None:
    stage.sink.mood.dot_delay = 0.02
    mailing = due(alice, [f"ok+{i}@x.test" for i in range(60)])
    (run,) = stage.plan()
    seen: list[int] = []

    def delete() -> bool:
        if len(stage.arrived) >= 10 and not seen:
            seen.append(len(stage.arrived))
            lifecycle.delete(Mailing.objects.get(pk=mailing.pk), by=alice, now=stage.now)
        return False

    stage.send(interrupted=delete)
    oracle.check(run, stage.arrived)
    assert len(stage.arrived) - seen[0] <= 12
    counts = Delivery.objects.filter(run=run).count_by_state()
    assert set(counts) == {"sent", "cancelled"}
    assert sum(counts.values()) == 60


def test_a_deleted_client_gets_nothing_and_leaves_no_address(alice: User, stage: Stage) -> None:
    due(alice, ["ok+a@x.test", "ok+b@x.test"])
    (run,) = stage.plan()
    lifecycle.delete_client(alice_client(alice, "ok+a@x.test"))
    stage.send()
    assert stage.arrived == ["ok+b@x.test"]
    gone = Delivery.objects.get(run=run, client=None)
    assert (gone.state, gone.email) == ("cancelled", "")
    assert "ok+a" not in gone.email_normalized


def alice_client(alice: User, email: str):  # type: ignore[no-untyped-def]
    from mailing.models import Client

    return Client.objects.get(owner=alice, email=email)


def test_the_run_keeps_the_message_as_it_was(alice: User, stage: Stage) -> None:
    message = make_message(alice, subject="Before", body=body(("text", "<p>Old words</p>")))
    due(alice, ["ok@x.test"], message=message)
    stage.plan()
    message.subject = "After"
    message.body = body(("text", "<p>New words</p>"))
    message.save()
    stage.send()
    letter = stage.sink.ledger.letters[0]["content"].decode()
    assert "Subject: Before" in letter
    assert "Old words" in letter


def test_the_slice_ends_and_another_goes_on(alice: User, stage: Stage) -> None:
    stage.connections = 1
    stage.sink.mood.dot_delay = 0.03
    due(alice, [f"ok+{i}@x.test" for i in range(60)])
    (run,) = stage.plan()
    assert stage.send(seconds=0.5) is True
    assert 0 < len(stage.arrived) < 60
    assert not Batch.objects.filter(lease_token__isnull=False).exists()
    while stage.send(seconds=0.5):
        pass
    oracle.check(run, stage.arrived)


def test_small_runs_are_not_stuck_behind_big_ones(alice: User, bob: User, stage: Stage) -> None:
    due(alice, [f"ok+big{i}@x.test" for i in range(3000)])
    due(bob, [f"ok+small{i}@x.test" for i in range(10)])
    stage.plan()
    stage.send()
    last_small = max(i for i, to in enumerate(stage.arrived) if "small" in to)
    assert last_small < 1100, "the small run is served with the second batch"


def test_on_a_slow_server_a_small_run_waits_no_longer(alice: User, bob: User, stage: Stage) -> None:
    stage.connections, stage.sink.mood.dot_delay = 1, 0.05
    due(alice, [f"ok+big{i}@x.test" for i in range(200)])
    due(bob, ["ok+small@x.test"])
    stage.plan()
    stage.send(seconds=3)
    assert stage.arrived.index("ok+small@x.test") < 40, "of twenty a second"


def test_a_run_alone_is_not_held_up_by_turns(alice: User, stage: Stage) -> None:
    stage.connections, stage.sink.mood.dot_delay = 4, 0.1
    due(alice, [f"ok+{i}@x.test" for i in range(100)])
    stage.plan()
    begun = time.monotonic()
    assert not stage.send()
    assert time.monotonic() - begun < 5.0, "2.5 seconds of waiting for the server"
    assert len(stage.arrived) == 100
    assert stage.sink.connections == 4


def test_what_gave_way_to_another_run_is_left_for_the_next_slice(
    alice: User, bob: User, stage: Stage
) -> None:
    stage.connections, stage.sink.mood.dot_delay = 2, 0.1
    due(alice, [f"ok+big{i}@x.test" for i in range(60)])
    due(bob, ["ok+small@x.test"])
    stage.plan()
    slices = 1
    while stage.send():
        slices += 1
    assert len(stage.arrived) == 61
    assert slices <= 3


class TestHours:
    def test_outside_them_a_run_waits(self, alice: User, stage: Stage) -> None:
        due(alice, ["ok+a@x.test"])
        (run,) = stage.plan()
        hours = {"sends_from": NOW + timedelta(hours=1), "sends_until": NOW + timedelta(hours=2)}
        Run.objects.filter(pk=run.pk).update(**hours)
        stage.send()
        assert stage.arrived == []
        stage.later(hours=1)
        stage.send()
        assert stage.arrived == ["ok+a@x.test"]

    def test_when_they_end_what_is_left_stays(self, alice: User, stage: Stage) -> None:
        stage.connections = 1
        due(alice, [f"ok+{i}@x.test" for i in range(100)])
        (run,) = stage.plan()
        closes = NOW + timedelta(hours=2)
        Run.objects.filter(pk=run.pk).update(sends_from=NOW, sends_until=closes)

        def looks(asked: list[int] = []) -> bool:  # noqa: B006 - counts the steps
            asked.append(1)
            if len(asked) == 5:
                stage.now = closes
            return False

        stage.send(interrupted=looks)
        assert 0 < len(stage.arrived) < 100
        stage.send()
        assert len(stage.arrived) < 100, "nobody takes it up either"
        Run.objects.filter(pk=run.pk).update(sends_from=None, sends_until=None)
        stage.send()
        oracle.check(run, stage.arrived, drained=True)


def test_an_address_that_cannot_be_sent_fails_alone(alice: User, stage: Stage) -> None:
    due(alice, ["ok+a@x.test", "ok+b@x.test"])
    (run,) = stage.plan()
    Delivery.objects.filter(email="ok+a@x.test").update(email="broken\r\n@x")
    stage.send()
    assert stage.arrived == ["ok+b@x.test"]
    failed = Delivery.objects.get(run=run, state="failed")
    assert Attempt.objects.get(delivery=failed).stage == "render"


def test_a_letter_that_takes_all_memory_fails_alone(alice: User, stage: Stage) -> None:
    due(alice, ["ok+a@x.test", "ok+b@x.test", "ok+c@x.test"])
    (run,) = stage.plan()
    poison = Delivery.objects.get(email="ok+b@x.test")

    def take_all(number: int) -> str:
        return "x" * (sys.maxsize if number == poison.pk else 1)

    stage.unsubscribe_url = take_all
    stage.send()
    assert stage.arrived == ["ok+a@x.test", "ok+c@x.test"]
    poison.refresh_from_db()
    assert (poison.state, poison.last_reply) == (
        DeliveryState.FAILED,
        "the letter cannot be composed (MemoryError)",
    )
    oracle.check(run, stage.arrived, drained=True)


def test_two_owners_do_not_share_suppressions_or_letters(
    alice: User, bob: User, stage: Stage
) -> None:
    due(alice, ["ok+same@x.test"])
    due(bob, ["ok+same@x.test"])
    stage.plan()
    stage.send()
    assert stage.arrived == ["ok+same@x.test"] * 2


class TestHopelessRuns:
    """A run that the server does not want at all is paused before it has cost all its clients."""

    @pytest.mark.parametrize(("kind", "at_most"), [("policy", 20), ("big", 20)])
    def test_it_is_paused_and_the_rest_is_kept(
        self, alice: User, stage: Stage, kind: str, at_most: int
    ) -> None:
        mailing = due(alice, [f"{kind}+{n}@x.test" for n in range(300)])
        (run,) = stage.plan()
        stage.send()
        mailing.refresh_from_db()
        run.refresh_from_db()
        assert (mailing.status, run.status) == (MailingStatus.PAUSED, RunStatus.PAUSED)
        assert "in a row" in mailing.reason
        failed = Delivery.objects.filter(run=run, state=DeliveryState.FAILED).count()
        assert 3 <= failed <= at_most
        assert Delivery.objects.filter(run=run, state=DeliveryState.PENDING).count() == 300 - failed
        assert not Suppression.objects.exists()
        assert not Batch.objects.exclude(lease_token=None).exists()
        oracle.check(run, stage.arrived)

    def test_the_reason_is_in_the_language_of_its_owner(self, alice: User, stage: Stage) -> None:
        UserProfile.objects.create(user=alice, preferred_language="ru")
        mailing = due(alice, [f"policy+{n}@x.test" for n in range(20)])
        stage.plan()
        stage.send()
        mailing.refresh_from_db()
        assert "подряд" in mailing.reason

    def test_one_that_cannot_be_composed_is_paused_too(self, alice: User, stage: Stage) -> None:
        def fail(number: int) -> str:
            raise ArithmeticError

        stage.unsubscribe_url = fail
        mailing = due(alice, [f"ok+{n}@x.test" for n in range(20)])
        (run,) = stage.plan()
        stage.send()
        mailing.refresh_from_db()
        assert mailing.status == MailingStatus.PAUSED
        assert mailing.reason == (
            "3 letters in a row could not be composed: the letter cannot be composed"
            " (ArithmeticError)"
        )
        assert Delivery.objects.filter(run=run, state=DeliveryState.FAILED).count() == 3
        oracle.check(run, stage.arrived)

    def test_other_runs_go_on(self, alice: User, bob: User, stage: Stage) -> None:
        due(alice, [f"policy+{n}@x.test" for n in range(100)])
        due(bob, [f"ok+{n}@x.test" for n in range(100)])
        stage.plan()
        stage.send()
        assert len(stage.arrived) == 100

    def test_a_few_refusals_among_many_letters_stop_nothing(
        self, alice: User, stage: Stage
    ) -> None:
        due(alice, [f"{'policy' if n % 4 else 'ok'}+{n}@x.test" for n in range(200)])
        (run,) = stage.plan()
        stage.send()
        run.refresh_from_db()
        assert run.status == RunStatus.COMPLETED
        assert len(stage.arrived) == 50


def test_a_client_deleted_while_the_letter_was_deferred_is_not_tried_again(
    alice: User, stage: Stage
) -> None:
    mailing = due(alice, ["4xx+a@x.test"])
    (run,) = stage.plan()
    stage.send()
    # As if it had been on the wire when its client was deleted.
    Delivery.objects.filter(run=run).update(client=None)
    mailing.clients.all().delete()
    stage.later(hours=1)
    stage.send()
    delivery = Delivery.objects.get(run=run)
    assert (delivery.state, delivery.email) == (DeliveryState.SUPPRESSED, "")
    assert stage.arrived == []
