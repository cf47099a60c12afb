from __future__ import annotations

import uuid
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any

import pytest

from accounts.models import User
from mailing.composer.render import freeze
from mailing.engine import planner
from mailing.engine.letter import Content
from mailing.enums import MailingStatus, RunStatus, Unit
from mailing.models import Batch, Delivery, Mailing, Message, Run
from tests.factories import NOW, body, hours, make_clients, make_list, make_mailing, make_message

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def scheduled(owner: User, **fields: Any) -> Mailing:
    return make_mailing(
        owner,
        status=MailingStatus.SCHEDULED,
        **{"unit": Unit.DAY, "next_due_at": NOW, **fields},
    )


def test_an_occurrence_is_opened_once(alice: User) -> None:
    mailing = scheduled(alice)
    assert len(planner.open_due(NOW, freeze)) == 1
    assert planner.open_due(NOW, freeze) == []
    Mailing.objects.filter(pk=mailing.pk).update(next_due_at=NOW)  # as if a second one had read it
    assert planner.open_due(NOW, freeze) == []
    assert Run.objects.filter(mailing=mailing).count() == 1


def test_nothing_is_opened_before_its_time(alice: User) -> None:
    scheduled(alice)
    assert planner.open_due(NOW - timedelta(seconds=1), freeze) == []


@pytest.mark.parametrize("status", [s for s in MailingStatus if s not in {"scheduled", "sending"}])
def test_only_active_mailings_are_opened(alice: User, status: MailingStatus) -> None:
    mailing = scheduled(alice)
    Mailing.objects.filter(pk=mailing.pk).update(status=status)
    assert planner.open_due(NOW, freeze) == []


def test_deleted_mailings_and_blocked_owners_are_left_alone(alice: User, bob: User) -> None:
    deleted = scheduled(alice)
    Mailing.objects.filter(pk=deleted.pk).update(deleted_at=NOW)
    scheduled(bob)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert planner.open_due(NOW, freeze) == []


def test_after_an_outage_there_is_one_run_for_the_latest_date(alice: User) -> None:
    mailing = scheduled(alice)
    late = NOW + 5 * DAY + timedelta(hours=3)
    (run_id,) = planner.open_due(late, freeze)
    assert Run.objects.get(pk=run_id).due_at == NOW + 5 * DAY
    mailing.refresh_from_db()
    assert mailing.next_due_at == NOW + 6 * DAY
    assert Run.objects.count() == 1


def test_a_date_that_is_too_long_past_is_missed(alice: User) -> None:
    mailing = scheduled(alice)
    late = NOW + 5 * DAY + timedelta(hours=12, minutes=1)
    assert planner.open_due(late, freeze) == []
    assert Run.objects.get(mailing=mailing).status == RunStatus.MISSED
    assert not Delivery.objects.exists()
    mailing.refresh_from_db()
    assert (mailing.status, mailing.next_due_at) == (MailingStatus.SCHEDULED, NOW + 6 * DAY)


@pytest.mark.parametrize(("seconds", "status"), [(29, RunStatus.SENDING), (31, RunStatus.MISSED)])
def test_each_minute_for_a_week_is_one_run_or_one_missed(
    alice: User, seconds: int, status: RunStatus
) -> None:
    mailing = scheduled(alice, unit=Unit.MINUTE)
    back = NOW + timedelta(weeks=1)
    for _tick in range(2):
        planner.open_due(back + timedelta(seconds=seconds), freeze)
    run = mailing.runs.get()
    assert (run.status, run.due_at) == (status, back)
    assert run.missed_since == (NOW if status == RunStatus.MISSED else None)
    mailing.refresh_from_db()
    assert mailing.next_due_at == back + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("before", "due_at", "following"),
    [  # nine o'clock in London, before and after its clocks change
        ("2026-10-24T08:00", "2026-10-25T09:00", "2026-10-26T09:00"),
        ("2027-03-27T09:00", "2027-03-28T08:00", "2027-03-29T08:00"),
    ],
)
@pytest.mark.parametrize(
    ("late", "status"),
    [(timedelta(hours=11), RunStatus.SENDING), (timedelta(hours=13), RunStatus.MISSED)],
)
def test_an_outage_while_the_clocks_change_is_one_run_or_one_missed(
    alice: User, before: str, due_at: str, following: str, late: timedelta, status: RunStatus
) -> None:
    first, date, next_one = (
        datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (before, due_at, following)
    )
    mailing = scheduled(alice, starts_at=first, next_due_at=first)
    for _tick in range(2):
        planner.open_due(date + late, freeze)
    run = mailing.runs.get()
    assert (run.status, run.due_at) == (status, date)
    mailing.refresh_from_db()
    assert mailing.next_due_at == next_one


def test_a_single_sending_that_was_missed_completes_its_mailing(alice: User) -> None:
    mailing = scheduled(alice, unit=Unit.ONCE)
    planner.open_due(NOW + timedelta(hours=13), freeze)
    mailing.refresh_from_db()
    assert mailing.status == MailingStatus.COMPLETED
    assert mailing.runs.get().status == RunStatus.MISSED


@pytest.mark.parametrize(
    ("period", "hours"),
    [(None, 12), (timedelta(minutes=30), 0.25), (timedelta(days=1), 12), (timedelta(days=28), 12)],
)
def test_grace(period: timedelta | None, hours: float) -> None:
    assert planner.grace(period) == timedelta(hours=hours)


def test_a_date_during_an_unfinished_run_is_skipped(alice: User) -> None:
    mailing = scheduled(alice)
    planner.open_due(NOW, freeze)
    assert planner.open_due(NOW + DAY, freeze) == []
    assert sorted(mailing.runs.values_list("status", flat=True)) == ["sending", "skipped"]


def test_an_audience_of_nobody_is_finished_at_once(alice: User) -> None:
    mailing = scheduled(alice)
    mailing.clients.clear()
    planner.open_due(NOW, freeze)
    assert mailing.runs.get().status == RunStatus.COMPLETED
    mailing.refresh_from_db()
    assert mailing.status == MailingStatus.SCHEDULED


def test_the_audience_is_frozen_once_per_client_and_cut_into_batches(alice: User) -> None:
    clients = make_clients(alice, [f"c{i}@x.test" for i in range(1100)])
    mailing = scheduled(alice)
    mailing.clients.set(clients[:3])
    mailing.lists.add(make_list(alice, clients), make_list(alice, clients[500:]))
    (run_id,) = planner.open_due(NOW, freeze)
    assert Run.objects.get(pk=run_id).audience_size == 1100
    deliveries = Delivery.objects.filter(run=run_id)
    assert deliveries.values("client").distinct().count() == deliveries.count() == 1100
    covered = 0
    for batch in Batch.objects.filter(run=run_id):
        inside = deliveries.filter(pk__range=(batch.first_id, batch.last_id)).count()
        assert inside <= 1000
        covered += inside
    assert covered == 1100


def test_clients_of_others_never_get_in(alice: User, bob: User) -> None:
    """Even if a foreign row should ever stand in a list."""
    mailing = scheduled(alice)
    foreign = make_clients(bob, ["bobs@x.test"])
    mailing.lists.add(make_list(alice, foreign))
    planner.open_due(NOW, freeze)
    assert not Delivery.objects.filter(email="bobs@x.test").exists()


def test_a_mailing_that_cannot_be_rendered_is_paused_and_stops_nobody(
    alice: User, bob: User
) -> None:
    broken = scheduled(
        alice, message=make_message(alice, body=body(("text", "<p>{{ frist_name }}</p>")))
    )
    fine = scheduled(bob)
    assert len(planner.open_due(NOW, freeze)) == 1
    assert fine.runs.exists()
    broken.refresh_from_db()
    assert broken.status == MailingStatus.PAUSED
    assert broken.reason


def test_send_now_twice_with_one_form_is_one_run(alice: User) -> None:
    mailing = make_mailing(alice)
    key = uuid.uuid4()
    first = planner.open_now(mailing, form_key=key, now=NOW, freeze=freeze)
    assert first is not None
    Run.objects.filter(pk=first.pk).update(status=RunStatus.COMPLETED)
    assert planner.open_now(mailing, form_key=key, now=NOW + DAY, freeze=freeze) is None
    assert mailing.runs.count() == 1


def test_a_correction_made_while_others_are_opened_counts(alice: User) -> None:
    first, second = (
        make_mailing(alice, status=MailingStatus.SCHEDULED, next_due_at=NOW) for _ in "ab"
    )

    def correct_meanwhile(mailing: Mailing) -> Content:
        if mailing.pk == first.pk:
            Message.objects.filter(mailings=second).update(subject="Corrected")
        return freeze(mailing)

    planner.open_due(NOW, correct_meanwhile)
    assert Run.objects.get(mailing=second).subject == "Corrected"


class TestWindow:
    """At NOW it is nine in the morning in London."""

    def test_a_run_outside_the_hours_is_opened_and_waits(self, alice: User) -> None:
        mailing = scheduled(alice, window_from=time(13), window_until=time(17))
        planner.open_due(NOW, freeze)
        run = mailing.runs.get()
        assert (run.status, run.due_at, run.audience_size) == (RunStatus.SENDING, NOW, 1)
        assert (run.sends_from, run.sends_until) == (NOW + hours(4), NOW + hours(8))
        assert run.expires_at == NOW + hours(4) + planner.GIVE_UP_AFTER
        assert not Batch.objects.waiting(NOW).exists()
        assert Batch.objects.waiting(NOW + hours(4)).exists()
        assert not Batch.objects.waiting(NOW + hours(8)).exists()

    def test_a_run_inside_the_hours_begins_at_once(self, alice: User) -> None:
        mailing = scheduled(alice, window_from=time(8), window_until=time(17))
        planner.open_due(NOW, freeze)
        run = mailing.runs.get()
        assert (run.sends_from, run.sends_until) == (NOW - hours(1), NOW + hours(8))
        assert run.expires_at == NOW + planner.GIVE_UP_AFTER
        assert Batch.objects.waiting(NOW).exists()

    def test_send_now_keeps_to_the_hours_too(self, alice: User) -> None:
        mailing = make_mailing(alice, window_from=time(22), window_until=time(6))
        run = planner.open_now(mailing, form_key=uuid.uuid4(), now=NOW, freeze=freeze)
        assert run is not None
        assert run.sends_from == NOW + hours(13)

    @pytest.mark.parametrize("status", [RunStatus.SENDING, RunStatus.PAUSED])
    def test_what_has_not_left_waits_for_the_next_days_hours(
        self, alice: User, status: RunStatus
    ) -> None:
        mailing = scheduled(alice, window_from=time(8), window_until=time(17))
        planner.open_due(NOW, freeze)
        Run.objects.update(status=status)
        planner.move_windows(NOW + hours(8) - timedelta(seconds=1))
        assert mailing.runs.get().sends_until == NOW + hours(8)
        planner.move_windows(NOW + hours(8))
        run = mailing.runs.get()
        assert (run.sends_from, run.sends_until) == (NOW + hours(23), NOW + hours(32))
        assert run.expires_at == NOW + planner.GIVE_UP_AFTER

    def test_after_an_outage_it_is_the_span_of_now(self, alice: User) -> None:
        mailing = scheduled(alice, window_from=time(8), window_until=time(17))
        planner.open_due(NOW, freeze)
        planner.move_windows(NOW + 3 * DAY)
        assert mailing.runs.get().sends_from == NOW + 3 * DAY - hours(1)

    def test_finished_runs_and_those_without_hours_are_left_alone(self, alice: User) -> None:
        finished = scheduled(alice, window_from=time(8), window_until=time(17))
        always = scheduled(alice)
        planner.open_due(NOW, freeze)
        finished.runs.update(status=RunStatus.COMPLETED)
        before = list(Run.objects.order_by("pk").values())
        planner.move_windows(NOW + 3 * DAY)
        assert list(Run.objects.order_by("pk").values()) == before
        assert always.runs.get().sends_from is None


@pytest.mark.parametrize("seed", range(5))
def test_wherever_it_begins_it_opens_all_that_is_due(
    alice: User, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(planner, "_NEAR", 3)
    mailings = [scheduled(alice) for _number in range(8)]
    assert len(planner.open_due(NOW, freeze, Random(seed))) == len(mailings)
    assert Run.objects.values("mailing").distinct().count() == len(mailings)


def test_what_another_has_opened_meanwhile_is_passed_by(alice: User) -> None:
    first, *others = (scheduled(alice) for _number in range(3))

    def open_the_others_meanwhile(mailing: Mailing) -> Content:
        if mailing == first:
            planner.open_due(NOW, lambda m: freeze(m))
        return freeze(mailing)

    assert planner.open_due(NOW, open_the_others_meanwhile) == []
    assert Run.objects.count() == 1 + len(others)
