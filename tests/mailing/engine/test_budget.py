"""Rates of owners and of the mail server: what exceeds them waits, and holds nobody up."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet

from accounts.models import User
from mailing.engine import budget
from mailing.engine.budget import UNLIMITED, Rate
from mailing.enums import DeliveryState, MailingStatus, Unit
from mailing.models import Delivery, OwnerGate, ServerGate
from tests.factories import NOW, make_clients, make_mailing
from tests.mailing.engine.conftest import Stage

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = timedelta(seconds=1)


@pytest.fixture
def rows(alice: User) -> QuerySet[Any]:
    OwnerGate.objects.create(owner=alice)
    return OwnerGate.objects.filter(owner=alice)


def addresses(name: str, count: int) -> list[str]:
    return [f"{name}{n}@clients.test" for n in range(count)]


def due_mailing(stage: Stage, owner: User, name: str, count: int) -> None:
    make_mailing(
        owner,
        make_clients(owner, addresses(name, count)),
        unit=Unit.DAY,
        status=MailingStatus.SCHEDULED,
        starts_at=NOW,
        next_due_at=NOW,
    )


@pytest.mark.django_db
class TestTake:
    def test_no_limit_touches_no_row(self, rows: QuerySet[Any]) -> None:
        assert budget.take(rows.none(), UNLIMITED, 500, NOW) == 500

    def test_a_second_has_its_letters_and_the_next_one_has_new_ones(
        self, rows: QuerySet[Any]
    ) -> None:
        rate = Rate(per_second=10)
        assert budget.take(rows, rate, 7, NOW) == 7
        assert budget.take(rows, rate, 7, NOW + SECOND / 2) == 3
        assert budget.take(rows, rate, 7, NOW + SECOND * 0.99) == 0
        assert budget.take(rows, rate, 7, NOW + SECOND) == 7

    def test_a_day_ends_at_midnight_utc(self, rows: QuerySet[Any]) -> None:
        rate = Rate(per_day=100)
        midnight = (NOW + timedelta(days=1)).replace(hour=0)
        assert budget.take(rows, rate, 90, NOW) == 90
        assert not rows.filter(budget.spent_day(rate, NOW)).exists()
        assert budget.take(rows, rate, 90, NOW + SECOND) == 10
        assert budget.take(rows, rate, 1, midnight - SECOND) == 0
        assert rows.filter(budget.spent_day(rate, midnight - SECOND)).exists()
        assert not rows.filter(budget.spent_day(rate, midnight)).exists()
        assert budget.take(rows, rate, 90, midnight) == 90

    def test_what_was_not_used_comes_back(self, rows: QuerySet[Any]) -> None:
        rate = Rate(per_day=100)
        budget.take(rows, rate, 100, NOW)
        budget.give_back(rows, 40, NOW)
        assert budget.take(rows, rate, 100, NOW + SECOND) == 40
        budget.give_back(rows, 40, NOW + timedelta(days=1))
        assert rows.get().day_used == 100, "another day's letters are not this day's"

    def test_a_clock_that_jumps_back_stops_nothing(self, rows: QuerySet[Any]) -> None:
        rate = Rate(per_second=5)
        assert budget.take(rows, rate, 5, NOW) == 5
        assert budget.take(rows, rate, 5, NOW - timedelta(hours=1)) == 5


class TestSending:
    def run_with_a_real_clock(self, stage: Stage, seconds: float = 20) -> bool:
        begun = time.monotonic()
        stage.clock = (  # type: ignore[method-assign]
            lambda: NOW + timedelta(seconds=time.monotonic() - begun)
        )
        return stage.send(seconds=seconds)

    @pytest.mark.parametrize("whose", ["owner", "server"])
    def test_no_second_has_more_than_its_letters(
        self, stage: Stage, alice: User, whose: str
    ) -> None:
        due_mailing(stage, alice, "a", 50)
        setattr(stage, f"{whose}_rate", Rate(per_second=20))
        stage.plan()
        begun = time.monotonic()
        assert not self.run_with_a_real_clock(stage)
        assert 2.0 <= time.monotonic() - begun < 6.0
        assert sorted(stage.arrived) == sorted(addresses("a", 50))
        assert stage.sink.connections <= 3, "the connections wait too, they are not opened anew"

    def test_the_answer_that_comes_last_frees_what_a_rate_has_held_back(
        self, stage: Stage, alice: User
    ) -> None:
        stage.connections, stage.sink.mood.dot_delay = 8, 1.3
        stage.owner_rate = Rate(per_second=4)
        due_mailing(stage, alice, "a", 8)
        stage.plan()
        self.run_with_a_real_clock(stage)
        assert sorted(stage.arrived) == sorted(addresses("a", 8)), "in one slice"

    def test_a_throttled_owner_makes_room_for_the_others(
        self, stage: Stage, alice: User, bob: User
    ) -> None:
        due_mailing(stage, alice, "a", 60)
        due_mailing(stage, bob, "b", 5)
        stage.owner_rate = Rate(per_second=5)
        stage.plan()
        self.run_with_a_real_clock(stage, seconds=1.5)
        assert set(addresses("b", 5)) <= set(stage.arrived)
        assert 5 <= sum(address.startswith("a") for address in stage.arrived) <= 15

    @pytest.mark.parametrize("whose", ["owner", "server"])
    def test_the_rest_of_a_day_leaves_on_the_next(
        self, stage: Stage, alice: User, whose: str
    ) -> None:
        due_mailing(stage, alice, "a", 30)
        setattr(stage, f"{whose}_rate", Rate(per_day=12))
        stage.plan()
        assert not stage.send()
        assert len(stage.arrived) == 12
        assert Delivery.objects.filter(state=DeliveryState.PENDING).count() == 18
        assert not stage.send(), "a full day is not tried again"
        assert len(stage.arrived) == 12
        stage.later(days=1)
        stage.send()
        assert len(set(stage.arrived)) == len(stage.arrived) == 24

    def test_a_limit_that_is_far_away_slows_nothing(self, stage: Stage, alice: User) -> None:
        due_mailing(stage, alice, "a", 1600)
        stage.owner_rate = stage.server_rate = Rate(per_second=100_000, per_day=100_000)
        stage.plan()
        assert not stage.send()
        assert len(stage.arrived) == 1600

    def test_the_day_counts_what_has_left_and_not_what_was_taken(
        self, stage: Stage, alice: User
    ) -> None:
        due_mailing(stage, alice, "a", 30)
        stage.owner_rate = stage.server_rate = Rate(per_day=1000)
        stage.plan()
        stage.send()
        assert OwnerGate.objects.get(owner=alice).day_used == 30
        assert ServerGate.objects.get().day_used == 30
