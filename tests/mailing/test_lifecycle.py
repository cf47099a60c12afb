"""What people do with a mailing: from which status, what moves along, and what is logged."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from wagtail.models import ModelLogEntry

from accounts.models import User
from mailing import lifecycle
from mailing.composer.render import freeze
from mailing.engine import planner
from mailing.enums import DeliveryState, MailingStatus, RunStatus, SuppressionReason, Unit
from mailing.lifecycle import NotNow
from mailing.models import Batch, Client, Delivery, Mailing, OwnerGate, Run, Suppression
from tests.factories import (
    NOW,
    body,
    hours,
    make_client,
    make_clients,
    make_list,
    make_mailing,
    make_message,
)
from tests.mailing.admin.screens import everything
from tests.mailing.runs import arm, daily_in, finish, open_run, put

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)

Act = Callable[[Mailing, User], object]

ACTS: dict[str, Act] = {
    "start": lambda mailing, by: lifecycle.start(mailing, by=by, now=NOW),
    "send_now": lambda mailing, by: lifecycle.send_now(
        mailing, form_key=uuid.uuid4(), by=by, now=NOW - hours(1)
    ),
    "pause": lambda mailing, by: lifecycle.pause(mailing, by=by),
    "resume": lambda mailing, by: lifecycle.resume(mailing, by=by, now=NOW),
    "deactivate": lambda mailing, by: lifecycle.deactivate(mailing, by=by, reason="Spam", now=NOW),
    "lift": lambda mailing, by: lifecycle.lift(mailing, by=by, now=NOW),
}

ALLOWED: dict[tuple[str, MailingStatus], MailingStatus] = {
    ("start", MailingStatus.CREATED): MailingStatus.SCHEDULED,
    ("send_now", MailingStatus.SCHEDULED): MailingStatus.SENDING,
    ("pause", MailingStatus.SCHEDULED): MailingStatus.PAUSED,
    ("pause", MailingStatus.SENDING): MailingStatus.PAUSED,
    ("resume", MailingStatus.PAUSED): MailingStatus.SENDING,
    ("deactivate", MailingStatus.SCHEDULED): MailingStatus.DEACTIVATED,
    ("deactivate", MailingStatus.SENDING): MailingStatus.DEACTIVATED,
    ("deactivate", MailingStatus.PAUSED): MailingStatus.DEACTIVATED,
    ("lift", MailingStatus.DEACTIVATED): MailingStatus.PAUSED,
}

REFUSED = [
    (act, status) for act in ACTS for status in MailingStatus if (act, status) not in ALLOWED
]


def logged(mailing: Mailing) -> list[tuple[str, int]]:
    """Return what the event log says of a mailing, oldest first: action and person."""
    entries = ModelLogEntry.objects.filter(object_id=str(mailing.pk)).order_by("pk")
    return [(entry.action, entry.user_id) for entry in entries]


def refuses(act: Callable[[], object]) -> str:
    """Assert that an act is refused and changes nothing; return what it says to people."""
    before = everything()
    with pytest.raises(NotNow) as refusal:
        act()
    assert everything() == before
    assert str(refusal.value)
    return str(refusal.value)


class TestTable:
    @pytest.mark.parametrize(
        ("act", "status"), ALLOWED, ids=lambda part: getattr(part, "value", part)
    )
    def test_an_allowed_act_moves_the_mailing_and_is_logged_once(
        self, alice: User, manager: User, act: str, status: MailingStatus
    ) -> None:
        mailing = daily_in(alice, status)
        ModelLogEntry.objects.all().delete()
        ACTS[act](mailing, manager)
        assert Mailing.objects.get(pk=mailing.pk).status == ALLOWED[act, status]
        assert mailing.status == ALLOWED[act, status], "the caller's copy is up to date"
        assert logged(mailing) == [(f"mailing.{act}", manager.pk)]

    @pytest.mark.parametrize(
        ("act", "status"), REFUSED, ids=lambda part: getattr(part, "value", part)
    )
    def test_any_other_is_refused_and_changes_nothing(
        self, alice: User, act: str, status: MailingStatus
    ) -> None:
        mailing = daily_in(alice, status)
        refuses(lambda: ACTS[act](mailing, alice))

    @pytest.mark.parametrize(
        ("act", "status"), ALLOWED, ids=lambda part: getattr(part, "value", part)
    )
    def test_nothing_can_be_done_with_a_deleted_mailing(
        self, alice: User, act: str, status: MailingStatus
    ) -> None:
        mailing = daily_in(alice, status)
        Mailing.objects.filter(pk=mailing.pk).update(deleted_at=NOW)
        refuses(lambda: ACTS[act](mailing, alice))

    def test_of_two_tabs_only_one_succeeds(self, alice: User) -> None:
        mailing = daily_in(alice, MailingStatus.SCHEDULED)
        other_tab = Mailing.objects.get(pk=mailing.pk)
        lifecycle.pause(mailing, by=alice)
        assert "changed meanwhile" in refuses(lambda: lifecycle.pause(other_tab, by=alice))


class TestStart:
    def test_the_next_sending_is_the_first_date_to_come(self, alice: User) -> None:
        mailing = make_mailing(alice, unit=Unit.DAY, starts_at=NOW)
        lifecycle.start(mailing, by=alice, now=NOW + hours(30))
        assert mailing.next_due_at == NOW + 2 * DAY

    def test_not_if_all_dates_have_passed(self, alice: User) -> None:
        mailing = make_mailing(alice, unit=Unit.ONCE, starts_at=NOW)
        text = refuses(lambda: lifecycle.start(mailing, by=alice, now=NOW + hours(1)))
        assert "in the past" in text

    def test_not_without_anybody_to_write_to(self, alice: User) -> None:
        mailing = make_mailing(alice, [], unit=Unit.DAY)
        assert "Nobody" in refuses(lambda: lifecycle.start(mailing, by=alice, now=NOW))

    def test_the_clients_of_others_are_nobody(self, alice: User, bob: User) -> None:
        mailing = make_mailing(alice, [make_client(bob)], unit=Unit.DAY)
        assert "Nobody" in refuses(lambda: lifecycle.start(mailing, by=alice, now=NOW))


class TestSendNow:
    @pytest.mark.parametrize("status", [MailingStatus.CREATED, MailingStatus.SCHEDULED])
    def test_what_is_sent_once_has_had_its_sending(
        self, alice: User, status: MailingStatus
    ) -> None:
        due = NOW + DAY if status == MailingStatus.SCHEDULED else None
        mailing = make_mailing(alice, status=status, starts_at=NOW + DAY, next_due_at=due)
        run = lifecycle.send_now(mailing, form_key=uuid.uuid4(), by=alice, now=NOW)
        assert run is not None
        assert (run.due_at, run.status, run.audience_size) == (NOW, RunStatus.SENDING, 1)
        assert (mailing.status, mailing.next_due_at) == (MailingStatus.SENDING, None)
        assert planner.open_due(NOW + DAY, freeze) == []
        refuses(lambda: lifecycle.send_now(mailing, form_key=uuid.uuid4(), by=alice, now=NOW + DAY))

    def test_a_recurring_mailing_keeps_its_dates(self, alice: User) -> None:
        mailing = daily_in(alice, MailingStatus.SCHEDULED)
        lifecycle.send_now(mailing, form_key=uuid.uuid4(), by=alice, now=NOW - hours(1))
        assert mailing.next_due_at == NOW

    def test_one_form_sends_once_however_often_it_is_posted(self, alice: User) -> None:
        mailing = daily_in(alice, MailingStatus.SCHEDULED)
        key = uuid.uuid4()
        first = lifecycle.send_now(mailing, form_key=key, by=alice, now=NOW - hours(2))
        assert first is not None
        assert lifecycle.send_now(mailing, form_key=key, by=alice, now=NOW - hours(1)) is None
        finish(first)
        before = everything()
        assert lifecycle.send_now(mailing, form_key=key, by=alice, now=NOW - hours(1)) is None
        assert everything() == before
        assert Run.objects.count() == Delivery.objects.count() == 1

    def test_another_form_sends_again_once_the_run_has_ended(self, alice: User) -> None:
        mailing = daily_in(alice, MailingStatus.SCHEDULED)
        first = lifecycle.send_now(mailing, form_key=uuid.uuid4(), by=alice, now=NOW - hours(3))
        assert first is not None
        refuses(lambda: lifecycle.send_now(mailing, form_key=uuid.uuid4(), by=alice, now=NOW))
        finish(first)
        again = lifecycle.send_now(mailing, form_key=uuid.uuid4(), by=alice, now=NOW - hours(1))
        assert again is not None
        assert again != first

    def test_not_while_a_run_is_under_way_even_if_the_mailing_says_scheduled(
        self, alice: User
    ) -> None:
        run = open_run(alice, unit=Unit.DAY)
        Mailing.objects.update(status=MailingStatus.SCHEDULED)
        text = refuses(
            lambda: lifecycle.send_now(run.mailing, form_key=uuid.uuid4(), by=alice, now=NOW + DAY)
        )
        assert "under way" in text

    def test_not_without_anybody_to_write_to(self, alice: User) -> None:
        mailing = make_mailing(alice, [])
        refuses(lambda: lifecycle.send_now(mailing, form_key=uuid.uuid4(), by=alice, now=NOW))

    def test_not_what_cannot_be_written(self, alice: User) -> None:
        message = make_message(alice, body=body(("text", "<p>{{ frist_name }}</p>")))
        mailing = make_mailing(alice, message=message)
        text = refuses(
            lambda: lifecycle.send_now(mailing, form_key=uuid.uuid4(), by=alice, now=NOW)
        )
        assert "unknown merge field" in text

    def test_if_everybody_has_unsubscribed_it_is_over_at_once(self, alice: User) -> None:
        client = make_client(alice)
        Suppression.objects.create(
            owner=alice,
            email_normalized=client.email_normalized,
            reason=SuppressionReason.UNSUBSCRIBED,
            created_at=NOW,
        )
        mailing = make_mailing(alice, [client])
        lifecycle.send_now(mailing, form_key=uuid.uuid4(), by=alice, now=NOW)
        mailing.refresh_from_db()
        assert mailing.status == MailingStatus.COMPLETED
        assert Delivery.objects.get().state == DeliveryState.SUPPRESSED


class TestPauseAndResume:
    def test_the_run_stops_and_goes_on(self, alice: User) -> None:
        run = open_run(alice, unit=Unit.DAY)
        mailing = run.mailing
        lifecycle.pause(mailing, by=alice, reason="Wait")
        run.refresh_from_db()
        assert (run.status, mailing.reason) == (RunStatus.PAUSED, "Wait")
        lifecycle.resume(mailing, by=alice, now=NOW + hours(1))
        run.refresh_from_db()
        assert (run.status, mailing.reason) == (RunStatus.SENDING, "")

    def test_ended_runs_stay_as_they_are(self, alice: User) -> None:
        run = open_run(alice, unit=Unit.DAY)
        finish(run)
        mailing = Mailing.objects.get()
        lifecycle.pause(mailing, by=alice)
        lifecycle.resume(mailing, by=alice, now=NOW)
        assert Run.objects.get().status == RunStatus.COMPLETED
        assert mailing.status == MailingStatus.SCHEDULED

    def test_dates_that_passed_meanwhile_are_left_out(self, alice: User) -> None:
        mailing = daily_in(alice, MailingStatus.SCHEDULED)
        lifecycle.pause(mailing, by=alice)
        assert planner.open_due(NOW + DAY, freeze) == []
        lifecycle.resume(mailing, by=alice, now=NOW + 3 * DAY + hours(1))
        assert mailing.next_due_at == NOW + 4 * DAY
        assert not Run.objects.exists()

    def test_without_a_date_to_come_there_is_nothing_to_resume(self, alice: User) -> None:
        mailing = make_mailing(alice, status=MailingStatus.PAUSED, starts_at=NOW)
        text = refuses(lambda: lifecycle.resume(mailing, by=alice, now=NOW + hours(1)))
        assert "in the past" in text

    def test_what_is_sent_once_goes_on_with_its_run_but_gets_no_second(self, alice: User) -> None:
        mailing = make_mailing(alice, starts_at=NOW + DAY)
        run = lifecycle.send_now(mailing, form_key=uuid.uuid4(), by=alice, now=NOW)
        lifecycle.pause(mailing, by=alice)
        lifecycle.resume(mailing, by=alice, now=NOW + hours(1))
        assert (mailing.status, mailing.next_due_at) == (MailingStatus.SENDING, None)
        assert mailing.runs.get() == run

    def test_a_run_whose_last_letters_left_during_the_pause_ends(self, alice: User) -> None:
        run = open_run(alice, 2)
        lifecycle.pause(run.mailing, by=alice)
        put(run, DeliveryState.SENT, DeliveryState.SENT)
        Batch.objects.update(done=True)
        lifecycle.resume(run.mailing, by=alice, now=NOW + hours(1))
        run.refresh_from_db()
        assert (run.status, run.finished_at) == (RunStatus.COMPLETED, NOW + hours(1))
        assert Mailing.objects.get().status == MailingStatus.COMPLETED


class TestDeactivate:
    def test_the_run_stops_and_the_owner_cannot_go_on(self, alice: User, manager: User) -> None:
        run = open_run(alice, unit=Unit.DAY)
        mailing = run.mailing
        lifecycle.deactivate(mailing, by=manager, reason="Spam", now=NOW)
        run.refresh_from_db()
        assert (run.status, mailing.reason) == (RunStatus.PAUSED, "Spam")
        refuses(lambda: lifecycle.resume(mailing, by=alice, now=NOW))
        entry = ModelLogEntry.objects.get(action="mailing.deactivate")
        assert entry.data == {"reason": "Spam"}

    def test_lifting_leaves_the_decision_to_the_owner(self, alice: User, manager: User) -> None:
        mailing = daily_in(alice, MailingStatus.DEACTIVATED)
        lifecycle.lift(mailing, by=manager, now=NOW)
        assert mailing.reason == ""
        assert mailing.runs.get().status == RunStatus.PAUSED
        lifecycle.resume(mailing, by=alice, now=NOW)
        assert mailing.runs.get().status == RunStatus.SENDING


class TestCancelRun:
    def test_what_has_not_left_is_cancelled(self, alice: User) -> None:
        run = open_run(alice, 5, unit=Unit.DAY)
        _sent, armed, *waiting = put(run, DeliveryState.SENT)
        Delivery.objects.filter(pk=waiting[0].pk).update(
            state=DeliveryState.DEFERRED, next_attempt_at=NOW
        )
        arm(run, armed)
        lifecycle.cancel_run(run, by=alice, now=NOW + hours(1))
        states = [delivery.state for delivery in put(run)]
        assert states == ["sent", "pending", "cancelled", "cancelled", "cancelled"]
        assert set(Delivery.objects.values_list("next_attempt_at", flat=True)) == {None}
        run.refresh_from_db()
        assert (run.status, run.finished_at) == (RunStatus.CANCELLED, NOW + hours(1))
        assert logged(run.mailing) == [("mailing.cancel_run", alice.pk)]

    @pytest.mark.parametrize(
        ("unit", "paused", "status"),
        [
            (Unit.DAY, False, MailingStatus.SCHEDULED),
            (Unit.ONCE, False, MailingStatus.COMPLETED),
            (Unit.DAY, True, MailingStatus.PAUSED),
            (Unit.ONCE, True, MailingStatus.COMPLETED),
        ],
    )
    def test_the_mailing_goes_on_if_it_has_dates(
        self, alice: User, unit: Unit, paused: bool, status: MailingStatus
    ) -> None:
        run = open_run(alice, unit=unit)
        if paused:
            lifecycle.pause(run.mailing, by=alice)
        lifecycle.cancel_run(run, by=alice, now=NOW)
        assert Mailing.objects.get().status == status

    @pytest.mark.parametrize(
        "status", [RunStatus.COMPLETED, RunStatus.CANCELLED, RunStatus.MISSED, RunStatus.SKIPPED]
    )
    def test_what_has_ended_cannot_be_cancelled(self, alice: User, status: RunStatus) -> None:
        run = open_run(alice, unit=Unit.DAY)
        Run.objects.update(status=status)
        refuses(lambda: lifecycle.cancel_run(run, by=alice, now=NOW))


class TestSendAgain:
    LATER = NOW + 5 * DAY

    def test_the_failed_wait_for_a_sender_again(self, alice: User) -> None:
        run = open_run(alice, 4)
        finish(run, DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.FAILED)
        again = lifecycle.send_again(run, [DeliveryState.FAILED], by=alice, now=self.LATER)
        assert again == 2
        assert [d.state for d in put(run)] == ["pending", "unknown", "pending", "sent"]
        run.refresh_from_db()
        assert (run.status, run.finished_at) == (RunStatus.SENDING, None)
        assert run.expires_at == self.LATER + planner.GIVE_UP_AFTER
        batch = Batch.objects.waiting(self.LATER).get()
        assert batch.run == run
        assert Mailing.objects.get().status == MailingStatus.SENDING
        entry = ModelLogEntry.objects.get()
        assert (entry.action, entry.user, entry.data) == (
            "mailing.send_again",
            alice,
            {"letters": 2},
        )

    def test_they_keep_to_the_hours_that_the_mailing_has_now(self, alice: User) -> None:
        run = open_run(alice, 2)
        finish(run, DeliveryState.FAILED)
        opens = (self.LATER + hours(2)).replace(minute=0, second=0, microsecond=0)
        Mailing.objects.update(
            window_from=opens.time(), window_until=(opens + hours(1)).time(), time_zone="UTC"
        )
        lifecycle.send_again(run, [DeliveryState.FAILED], by=alice, now=self.LATER)
        assert not Batch.objects.waiting(self.LATER).exists()
        assert Batch.objects.waiting(opens).exists()
        assert Run.objects.get().expires_at == opens + planner.GIVE_UP_AFTER

    def test_what_was_sent_is_never_sent_again(self, alice: User) -> None:
        run = open_run(alice, 3)
        finish(run, DeliveryState.CANCELLED, DeliveryState.FAILED)
        assert lifecycle.send_again(run, list(DeliveryState), by=alice, now=self.LATER) == 1
        assert [d.state for d in put(run)] == ["cancelled", "pending", "sent"]

    def test_a_recurring_mailing_keeps_its_dates(self, alice: User) -> None:
        run = open_run(alice, unit=Unit.DAY)
        finish(run, DeliveryState.FAILED)
        lifecycle.send_again(run, [DeliveryState.FAILED], by=alice, now=NOW)
        mailing = Mailing.objects.get()
        assert (mailing.status, mailing.next_due_at) == (MailingStatus.SENDING, NOW + DAY)

    def test_if_there_are_none_the_run_ends_again(self, alice: User) -> None:
        run = open_run(alice)
        finish(run)
        assert lifecycle.send_again(run, [DeliveryState.FAILED], by=alice, now=self.LATER) == 0
        assert Run.objects.get().status == RunStatus.COMPLETED
        assert Mailing.objects.get().status == MailingStatus.COMPLETED

    @pytest.mark.parametrize(
        "status", [MailingStatus.CREATED, MailingStatus.PAUSED, MailingStatus.DEACTIVATED]
    )
    def test_not_while_the_mailing_is_stopped(self, alice: User, status: MailingStatus) -> None:
        run = open_run(alice)
        finish(run, DeliveryState.FAILED)
        Mailing.objects.update(status=status)
        refuses(lambda: lifecycle.send_again(run, [DeliveryState.FAILED], by=alice, now=NOW))

    @pytest.mark.parametrize(
        "status", [RunStatus.PAUSED, RunStatus.CANCELLED, RunStatus.MISSED, RunStatus.SKIPPED]
    )
    def test_not_of_a_run_that_was_stopped(self, alice: User, status: RunStatus) -> None:
        run = open_run(alice)
        finish(run, DeliveryState.FAILED)
        Run.objects.update(status=status)
        refuses(lambda: lifecycle.send_again(run, [DeliveryState.FAILED], by=alice, now=NOW))

    def test_not_of_a_deleted_mailing(self, alice: User) -> None:
        run = open_run(alice)
        finish(run, DeliveryState.FAILED)
        Mailing.objects.update(deleted_at=NOW)
        refuses(lambda: lifecycle.send_again(run, [DeliveryState.FAILED], by=alice, now=NOW))


class TestDelete:
    @pytest.mark.parametrize("status", MailingStatus)
    def test_in_any_status_it_is_hidden_and_leaves_again_never(
        self, alice: User, status: MailingStatus
    ) -> None:
        mailing = daily_in(alice, status)
        ModelLogEntry.objects.all().delete()
        lifecycle.delete(mailing, by=alice, now=NOW)
        assert not Mailing.objects.visible_to(alice).exists()
        assert not Run.objects.unfinished().exists()
        assert not Batch.objects.waiting(NOW).exists()
        assert planner.open_due(NOW + DAY, freeze) == []
        assert logged(mailing) == [("wagtail.delete", alice.pk)]

    @pytest.mark.parametrize("paused", [False, True])
    def test_what_has_not_left_is_cancelled_and_the_rest_stays(
        self, alice: User, paused: bool
    ) -> None:
        run = open_run(alice, 4, unit=Unit.DAY)
        if paused:
            lifecycle.pause(run.mailing, by=alice)
        _sent, armed, *_waiting = put(run, DeliveryState.SENT)
        arm(run, armed)
        lifecycle.delete(run.mailing, by=alice, now=NOW + hours(1))
        assert [d.state for d in put(run)] == ["sent", "pending", "cancelled", "cancelled"]
        run.refresh_from_db()
        assert (run.status, run.finished_at) == (RunStatus.CANCELLED, NOW + hours(1))

    def test_twice_is_once(self, alice: User) -> None:
        mailing = daily_in(alice, MailingStatus.SCHEDULED)
        lifecycle.delete(mailing, by=alice, now=NOW)
        before = everything()
        lifecycle.delete(mailing, by=alice, now=NOW + DAY)
        assert everything() == before

    def test_other_mailings_go_on(self, alice: User) -> None:
        run = open_run(alice)
        lifecycle.delete(daily_in(alice, MailingStatus.PAUSED), by=alice, now=NOW)
        run.refresh_from_db()
        assert run.status == RunStatus.SENDING


class TestDeleteClient:
    def test_unsent_letters_are_cancelled_and_forget_the_address(self, alice: User) -> None:
        anna, ben = make_clients(alice, ["anna@x.test", "ben@x.test"])
        runs = [open_run(alice, [anna, ben]) for _ in range(3)]
        put(runs[1], DeliveryState.DEFERRED, next_attempt_at=NOW)
        put(runs[2], DeliveryState.SENT)
        before = OwnerGate.objects.filter(owner=alice).values_list("revision", flat=True).first()
        lifecycle.delete_client(anna)
        for run in runs[:2]:
            letter, bens = put(run)
            assert (letter.state, letter.email) == (DeliveryState.CANCELLED, "")
            assert "anna" not in letter.email_normalized
            assert letter.next_attempt_at is None
            assert (bens.state, bens.email) == (DeliveryState.PENDING, "ben@x.test")
        sent, _bens = put(runs[2])
        assert (sent.state, sent.email, sent.client) == (DeliveryState.SENT, "anna@x.test", None)
        assert list(Client.objects.all()) == [ben]
        assert OwnerGate.objects.get(owner=alice).revision > (before or 0), "senders look again"

    def test_what_is_on_the_wire_keeps_its_address(self, alice: User) -> None:
        run = open_run(alice, make_clients(alice, ["anna@x.test", "ben@x.test"]))
        anna = Client.objects.get(email="anna@x.test")
        arm(run, put(run)[0])
        lifecycle.delete_client(anna)
        letter = put(run)[0]
        assert (letter.state, letter.email) == (DeliveryState.PENDING, "anna@x.test")

    def test_two_clients_can_be_deleted_from_one_run(self, alice: User) -> None:
        run = open_run(alice, 3)
        for client in Client.objects.all()[:2]:
            lifecycle.delete_client(client)
        assert sorted(d.state for d in put(run)) == ["cancelled", "cancelled", "pending"]


class TestPauseAll:
    def test_all_that_is_active_of_the_owner_pauses(
        self, alice: User, bob: User, manager: User
    ) -> None:
        bobs = daily_in(bob, MailingStatus.SENDING)
        scheduled_last = sorted(MailingStatus, key=lambda s: s == MailingStatus.SCHEDULED)
        mine = {status: daily_in(alice, status) for status in scheduled_last}
        ModelLogEntry.objects.all().delete()
        lifecycle.pause_all(alice, by=manager)
        paused = {MailingStatus.SCHEDULED, MailingStatus.SENDING}
        for status, mailing in mine.items():
            before = mailing.reason
            mailing.refresh_from_db()
            if status in paused:
                assert mailing.status == MailingStatus.PAUSED
                assert "blocked" in mailing.reason
                assert logged(mailing) == [("mailing.pause", manager.pk)]
            else:
                assert (mailing.status, mailing.reason) == (status, before)
                assert logged(mailing) == []
        assert mine[MailingStatus.SENDING].runs.get().status == RunStatus.PAUSED
        bobs.refresh_from_db()
        assert (bobs.status, bobs.runs.get().status) == ("sending", "sending")

    def test_deleted_mailings_are_left_alone(self, alice: User, manager: User) -> None:
        mailing = daily_in(alice, MailingStatus.SCHEDULED)
        lifecycle.delete(mailing, by=alice, now=NOW)
        lifecycle.pause_all(alice, by=manager)
        mailing.refresh_from_db()
        assert mailing.status == MailingStatus.SCHEDULED


class TestReschedule:
    def test_the_next_date_follows_the_new_rule(self, alice: User) -> None:
        mailing = daily_in(alice, MailingStatus.SCHEDULED)
        mailing.starts_at = NOW + hours(5)
        lifecycle.reschedule(mailing, now=NOW)
        mailing.refresh_from_db()
        assert mailing.next_due_at == NOW + hours(5)

    def test_a_date_that_has_come_is_not_lost_before_the_tick(self, alice: User) -> None:
        mailing = daily_in(alice, MailingStatus.SCHEDULED)
        Mailing.objects.update(next_due_at=NOW)
        lifecycle.reschedule(mailing, now=NOW + hours(0.01))
        mailing.refresh_from_db()
        assert (mailing.status, mailing.next_due_at) == (MailingStatus.SCHEDULED, NOW)

    def test_a_paused_one_knows_its_next_date(self, alice: User) -> None:
        mailing = daily_in(alice, MailingStatus.PAUSED)
        mailing.starts_at = NOW + hours(5)
        lifecycle.reschedule(mailing, now=NOW)
        mailing.refresh_from_db()
        assert (mailing.status, mailing.next_due_at) == (MailingStatus.PAUSED, NOW + hours(5))

    @pytest.mark.parametrize(
        "status", [s for s in MailingStatus if s not in {"scheduled", "sending", "paused"}]
    )
    def test_what_is_not_active_gets_no_date(self, alice: User, status: MailingStatus) -> None:
        mailing = daily_in(alice, status)
        before = everything()
        mailing.starts_at = NOW + hours(5)
        lifecycle.reschedule(mailing, now=NOW)
        assert everything() == before

    def test_a_schedule_without_dates_to_come_completes_the_mailing(self, alice: User) -> None:
        mailing = daily_in(alice, MailingStatus.SCHEDULED)
        Mailing.objects.update(next_due_at=NOW + DAY)
        mailing.ends_at = NOW + hours(1)
        lifecycle.reschedule(mailing, now=NOW + hours(2))
        mailing.refresh_from_db()
        assert (mailing.status, mailing.next_due_at) == (MailingStatus.COMPLETED, None)

    def test_but_not_while_its_run_is_going_on(self, alice: User) -> None:
        mailing = daily_in(alice, MailingStatus.SENDING)
        mailing.ends_at = NOW + hours(1)
        lifecycle.reschedule(mailing, now=NOW + hours(2))
        mailing.refresh_from_db()
        assert (mailing.status, mailing.next_due_at) == (MailingStatus.SENDING, None)

    def test_what_is_sent_once_gets_no_second_date(self, alice: User) -> None:
        run = open_run(alice)
        mailing = run.mailing
        mailing.starts_at = NOW + DAY
        lifecycle.reschedule(mailing, now=NOW)
        mailing.refresh_from_db()
        assert mailing.next_due_at is None

    def test_the_run_that_is_going_on_keeps_to_new_hours(self, alice: User) -> None:
        mailing = daily_in(alice, MailingStatus.SENDING)
        mailing.window_from, mailing.window_until = time(13), time(17)
        lifecycle.reschedule(mailing, now=NOW)
        run = mailing.runs.get()
        assert (run.sends_from, run.sends_until) == (NOW + hours(4), NOW + hours(8))
        mailing.window_from = mailing.window_until = None
        lifecycle.reschedule(mailing, now=NOW)
        run.refresh_from_db()
        assert (run.sends_from, run.sends_until) == (None, None)


class TestDuplicate:
    def test_it_has_the_same_content_and_has_not_begun(self, alice: User) -> None:
        client = make_client(alice)
        client_list = make_list(alice, [make_client(alice)])
        zone = ZoneInfo("Asia/Tokyo")
        original = make_mailing(
            alice, [client], unit=Unit.WEEK, status=MailingStatus.COMPLETED, time_zone=zone
        )
        original.lists.add(client_list)
        copy = lifecycle.duplicate(original, by=alice, now=NOW)
        copy.refresh_from_db()
        assert copy.pk != original.pk
        assert copy.name == f"{original.name} (copy)"
        assert (copy.owner, copy.message, copy.period) == (
            alice,
            original.message,
            original.period,
        )
        assert (copy.time_zone, copy.status, copy.next_due_at) == (
            zone,
            MailingStatus.CREATED,
            None,
        )
        assert list(copy.clients.all()) == [client]
        assert list(copy.lists.all()) == [client_list]
        assert logged(copy) == [("wagtail.create", alice.pk)]
        assert list(original.clients.all()) == [client]

    def test_its_first_sending_is_a_day_from_now_or_later(self, alice: User) -> None:
        now = datetime(2027, 3, 1, 10, 20, 30, 400, tzinfo=UTC)
        old = lifecycle.duplicate(make_mailing(alice, starts_at=NOW), by=alice, now=now)
        assert old.starts_at == datetime(2027, 3, 2, 10, 20, tzinfo=UTC)
        future = datetime(2028, 1, 1, tzinfo=UTC)
        late = lifecycle.duplicate(make_mailing(alice, starts_at=future), by=alice, now=now)
        assert late.starts_at == future

    def test_it_keeps_to_the_same_days_hours_and_number(self, alice: User) -> None:
        fields = {
            "max_runs": 5,
            "weekdays": 0b11111,
            "window_from": time(9),
            "window_until": time(18),
        }
        original = make_mailing(alice, unit=Unit.DAY, **fields)
        copy = lifecycle.duplicate(original, by=alice, now=NOW)
        copy.refresh_from_db()
        assert {name: getattr(copy, name) for name in fields} == fields

    def test_it_has_the_same_end_unless_that_comes_before_its_start(self, alice: User) -> None:
        for end, kept in ((NOW + hours(24), True), (NOW + hours(23), False)):
            original = make_mailing(alice, unit=Unit.DAY, ends_at=end)
            copy = lifecycle.duplicate(original, by=alice, now=NOW)
            assert copy.ends_at == (end if kept else None)

    def test_it_keeps_the_rhythm_and_always_has_a_date(self, alice: User) -> None:
        monday = datetime(2027, 3, 1, 9, tzinfo=UTC)
        weekly = make_mailing(alice, unit=Unit.WEEK, starts_at=monday)
        now = datetime(2027, 3, 10, 12, tzinfo=UTC)
        assert lifecycle.duplicate(weekly, by=alice, now=now).starts_at == monday + 14 * DAY
        once = make_mailing(alice, starts_at=monday, weekdays=0b1)
        copy = lifecycle.duplicate(once, by=alice, now=now)
        assert (copy.starts_at, copy.weekdays) == (now + DAY, 0)
        lifecycle.start(copy, by=alice, now=now)

    def test_the_longest_name_still_has_room_for_its_mark(self, alice: User) -> None:
        copy = lifecycle.duplicate(make_mailing(alice, name="x" * 150), by=alice, now=NOW)
        copy.full_clean()
        assert copy.name.endswith("x (copy)")


def test_it_starts_with_the_dates_that_another_tab_has_given_it(alice: User) -> None:
    mailing = make_mailing(alice, starts_at=NOW + hours(1))
    stale = Mailing.objects.get(pk=mailing.pk)
    Mailing.objects.update(starts_at=NOW + hours(200))
    lifecycle.start(stale, by=alice, now=NOW)
    mailing.refresh_from_db()
    assert mailing.next_due_at == NOW + hours(200)


def test_nothing_is_sent_again_to_a_client_who_was_deleted(alice: User) -> None:
    run = open_run(alice)
    client = run.deliveries.get().client
    assert client is not None
    run.deliveries.update(state=DeliveryState.FAILED, attempts=1)
    lifecycle.delete_client(client)
    assert lifecycle.send_again(run, [DeliveryState.FAILED], by=alice, now=NOW) == 0
    assert run.deliveries.get().state == DeliveryState.FAILED


def test_what_is_sent_again_does_not_wait_for_what_is_deferred(alice: User) -> None:
    run = open_run(alice, [make_client(alice), make_client(alice)])
    first, second = run.deliveries.order_by("pk")
    run.deliveries.filter(pk=first.pk).update(state=DeliveryState.FAILED, attempts=1)
    run.deliveries.filter(pk=second.pk).update(
        state=DeliveryState.DEFERRED, attempts=5, next_attempt_at=NOW + hours(4)
    )
    Batch.objects.update(due_at=NOW + hours(4))
    lifecycle.send_again(run, [DeliveryState.FAILED], by=alice, now=NOW)
    assert Batch.objects.waiting(NOW + hours(0.01)).exists()
