"""Whose rows, and which."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection

from accounts import roles
from accounts.models import User
from mailing import querysets
from mailing.enums import (
    DeliveryState,
    MailingStatus,
    MonthDay,
    Outcome,
    RunStatus,
    SuppressionReason,
    Unit,
)
from mailing.models import (
    Attempt,
    Batch,
    Client,
    ClientList,
    DatePeriod,
    Delivery,
    Mailing,
    Message,
    Run,
    Suppression,
)
from tests.factories import NOW, hours, make_client, make_list, make_mailing
from tests.mailing.runs import attempt, open_run, put

pytestmark = pytest.mark.django_db

OWNED: list[Any] = [Client, ClientList, Message, Mailing, Run, Delivery, Attempt]

People = dict[str, Any]


@pytest.fixture
def people(
    alice: User,
    bob: User,
    manager: User,
    blogger: User,
    admin: User,
    make_user: Callable[..., User],
) -> People:
    """Return everybody; Alice, Bob and a manager who keeps clients too have one row of each."""
    both = make_user("both", roles.MANAGERS, roles.USERS)
    for owner in (alice, bob, both):
        make_list(owner)
        attempt(put(open_run(owner))[0], Outcome.ACCEPTED)
    blocked = make_user("blocked", roles.MANAGERS)
    User.objects.filter(pk=blocked.pk).update(is_active=False)
    return {
        "alice": alice,
        "bob": bob,
        "both": both,
        "manager": manager,
        "blogger": blogger,
        "admin": admin,
        "nobody": make_user("norole"),
        "blocked": User.objects.get(pk=blocked.pk),
        "anonymous": AnonymousUser(),
    }


def owners(rows: Any) -> set[str]:
    """Return the first names of those whom the rows belong to."""
    return {str(name) for name in rows.values_list(f"{rows.owner_path}__first_name", flat=True)}


def test_everybody_sees_what_is_their_own_and_managers_see_all(people: People) -> None:
    everybody = {"Alice", "Bob", "Both"}
    for model in OWNED:
        seen = {name: owners(model.objects.visible_to(person)) for name, person in people.items()}
        assert seen == {
            "alice": {"Alice"},
            "bob": {"Bob"},
            "both": everybody,
            "manager": everybody,
            "blogger": set(),
            "admin": everybody,
            "nobody": set(),
            "blocked": set(),
            "anonymous": set(),
        }, model


def test_owned_by_is_about_owners_whoever_they_are(people: People) -> None:
    for model in OWNED:
        assert owners(model.objects.owned_by(people["both"])) == {"Both"}, model
        assert owners(model.objects.owned_by(people["manager"])) == set(), model


def test_one_who_is_blocked_does_not_even_see_the_own(people: People) -> None:
    people["alice"].is_active = False
    for model in OWNED:
        assert not model.objects.visible_to(people["alice"]).exists(), model


class TestDeletedMailing:
    def test_nobody_sees_it_but_its_letters_stay(self, alice: User, manager: User) -> None:
        run = open_run(alice)
        attempt(put(run)[0])
        Mailing.objects.update(deleted_at=NOW)
        for person in (alice, manager):
            assert not Mailing.objects.visible_to(person).exists()
            for model in (Run, Delivery, Attempt):
                assert model.objects.visible_to(person).count() == 1
        assert not Mailing.objects.kept().exists()
        assert Mailing.objects.owned_by(alice).count() == 1


class TestClients:
    def test_an_address_is_suppressed_for_its_owner_alone(self, alice: User, bob: User) -> None:
        mine, other, bobs = (
            make_client(alice, "Anna@x.test"),
            make_client(alice, "ben@x.test"),
            make_client(bob, "anna@x.test"),
        )
        Suppression.objects.create(
            owner=alice,
            email_normalized="anna@x.test",
            reason=SuppressionReason.BOUNCED,
            created_at=NOW,
        )
        suppressed = dict(Client.objects.with_suppression().values_list("pk", "suppressed"))
        assert suppressed == {mine.pk: True, other.pk: False, bobs.pk: False}

    def test_a_list_knows_how_many_mailings_go_to_it(self, alice: User) -> None:
        used, unused = make_list(alice), make_list(alice)
        for deleted_at in (None, None, NOW):
            make_mailing(alice, [], deleted_at=deleted_at).lists.add(used)
        counts = dict(ClientList.objects.with_mailings().values_list("pk", "mailings_count"))
        assert counts == {used.pk: 2, unused.pk: 0}


class TestMailings:
    def test_active_is_scheduled_or_sending(self, alice: User) -> None:
        for status in MailingStatus:
            make_mailing(alice, [], status=status)
        assert set(Mailing.objects.active().values_list("status", flat=True)) == {
            "scheduled",
            "sending",
        }

    def test_due_is_what_is_active_and_has_come_the_longest_waiting_first(
        self, alice: User
    ) -> None:
        dates = [NOW, NOW - hours(2), NOW + timedelta(seconds=1), None]
        now, earlier, *_later = [
            make_mailing(alice, [], status=MailingStatus.SCHEDULED, next_due_at=at) for at in dates
        ]
        make_mailing(alice, [], status=MailingStatus.PAUSED, next_due_at=NOW)
        make_mailing(alice, [], status=MailingStatus.SCHEDULED, next_due_at=NOW, deleted_at=NOW)
        assert list(Mailing.objects.due(NOW)) == [earlier, now]

    def test_the_latest_run_is_the_one_of_the_last_date(self, alice: User) -> None:
        run = open_run(alice, unit=Unit.DAY)
        never = make_mailing(alice)
        earlier = {"status": RunStatus.MISSED, "opened_at": NOW, "expires_at": NOW}
        Run.objects.create(mailing=run.mailing, due_at=NOW - hours(24), **earlier)
        latest = dict(Mailing.objects.with_latest_run().values_list("pk", "latest_run_id"))
        assert latest == {run.mailing_id: run.pk, never.pk: None}


class TestIntervals:
    def test_the_shortest_comes_first_whatever_was_added_last(self) -> None:
        DatePeriod.objects.all().delete()
        for unit, count, month_day in (
            (Unit.YEAR, 1, MonthDay.SAME_DAY),
            (Unit.MONTH, 1, MonthDay.LAST_DAY),
            (Unit.MONTH, 1, MonthDay.SAME_DAY),
            (Unit.DAY, 10, MonthDay.SAME_DAY),
            (Unit.DAY, 2, MonthDay.SAME_DAY),
            (Unit.ONCE, 1, MonthDay.SAME_DAY),
        ):
            DatePeriod.objects.create(unit=unit, count=count, month_day=month_day)
        assert [str(period) for period in DatePeriod.objects.shortest_first()] == [
            "once",
            "every 2 days",
            "every 10 days",
            "every month",
            "every month, on the last day",
            "every year",
        ]


class TestRuns:
    @pytest.mark.parametrize("status", RunStatus)
    def test_unfinished_is_what_is_being_sent_or_paused(
        self, alice: User, status: RunStatus
    ) -> None:
        open_run(alice)
        Run.objects.update(status=status)
        assert Run.objects.unfinished().exists() == (status in {"sending", "paused"})

    @pytest.mark.parametrize(
        ("opens", "closes", "may"),
        [
            (None, None, True),
            (NOW, NOW + hours(1), True),
            (NOW - hours(1), NOW + timedelta(seconds=1), True),
            (NOW + timedelta(seconds=1), NOW + hours(1), False),
            (NOW - hours(1), NOW, False),
        ],
        ids=["always", "just opened", "closing", "not yet", "no more"],
    )
    def test_its_letters_leave_in_its_hours(
        self, alice: User, opens: datetime | None, closes: datetime | None, may: bool
    ) -> None:
        open_run(alice)
        Run.objects.update(sends_from=opens, sends_until=closes)
        assert Run.objects.may_send(NOW).exists() == may
        assert Batch.objects.waiting(NOW).exists() == may

    def test_letters_are_counted_by_state(self, alice: User) -> None:
        run = open_run(alice, 4)
        put(run, DeliveryState.SENT, DeliveryState.SENT, DeliveryState.FAILED)
        assert run.deliveries.count_by_state() == {"sent": 2, "failed": 1, "pending": 1}
        assert Delivery.objects.none().count_by_state() == {}


class TestWaitingBatches:
    def test_one_that_is_due_and_free_waits_for_a_sender(self, alice: User) -> None:
        open_run(alice)
        assert Batch.objects.waiting(NOW).count() == 1
        assert not Batch.objects.waiting(NOW - timedelta(seconds=1)).exists()

    @pytest.mark.parametrize(
        "change",
        [
            {"done": True},
            {"due_at": NOW + hours(1)},
            {"lease_token": uuid.uuid4(), "lease_until": NOW + hours(1)},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_not_one_that_is_done_or_later_or_leased(
        self, alice: User, change: dict[str, Any]
    ) -> None:
        open_run(alice)
        Batch.objects.update(**change)
        assert not Batch.objects.waiting(NOW).exists()

    @pytest.mark.parametrize("status", [s for s in RunStatus if s != RunStatus.SENDING])
    def test_not_of_a_run_that_was_stopped(self, alice: User, status: RunStatus) -> None:
        open_run(alice)
        Run.objects.update(status=status)
        assert not Batch.objects.waiting(NOW).exists()

    def test_not_of_a_blocked_owner(self, alice: User, bob: User) -> None:
        open_run(alice)
        bobs = open_run(bob)
        User.objects.filter(pk=alice.pk).update(is_active=False)
        assert Batch.objects.waiting(NOW).get().run == bobs


class TestLettersInAState:
    @pytest.mark.parametrize("few", [0, 50_000])
    @pytest.mark.parametrize("state", [s for s in DeliveryState if s != DeliveryState.SENDING])
    def test_all_of_that_state_that_one_sees_are_found(
        self,
        alice: User,
        bob: User,
        state: DeliveryState,
        few: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(querysets, "_FEW", few)
        monkeypatch.setattr(querysets, "MANY_LETTERS", few)
        for owner in (alice, bob):
            for one in DeliveryState:
                if one != DeliveryState.SENDING:
                    put(open_run(owner, 1), one)
        letters = Delivery.objects.visible_to(alice)
        found = letters.in_state(state, user=alice)
        assert found.count() == 1
        assert list(found) == list(letters.filter(state=state))

    def test_a_run_narrows_further(self, alice: User) -> None:
        first, second = open_run(alice, 1), open_run(alice, 1)
        for run in (first, second):
            put(run, DeliveryState.FAILED)
        letters = Delivery.objects.visible_to(alice).filter(run=first)
        found = letters.in_state(DeliveryState.FAILED, user=alice, run_id=first.pk)
        assert [letter.run for letter in found] == [first]

    def test_the_rare_ones_are_found_in_their_index(self, alice: User) -> None:
        run = open_run(alice, 3)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
        rare = Delivery.objects.order_by().filter(run=run, state=DeliveryState.FAILED).unsent()
        assert " delivery_unsent " in rare.values("pk").explain()


@pytest.mark.parametrize("many_letters", [0, 50_000])
@pytest.mark.parametrize("many_runs", [0, 10_000])
def test_letters_of_runs_are_the_same_however_many_they_are(
    alice: User, bob: User, many_letters: int, many_runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(querysets, "MANY_LETTERS", many_letters)
    monkeypatch.setattr(querysets, "_MANY_RUNS", many_runs)
    runs = [open_run(owner, 2) for owner in (alice, bob, alice)]
    found = Delivery.objects.visible_to(alice)
    assert {letter.run for letter in found} == {runs[0], runs[2]}
    assert found.of_runs(Run.objects.filter(pk=runs[2].pk)).count() == 2
    assert not found.of_runs(Run.objects.filter(pk=runs[1].pk)).exists()
