"""Figures of a span beyond what the page of statistics shows of them: the growth of clients."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache

from accounts.models import User
from mailing.figures import figures, note_clients
from mailing.models import Client, DailyGrowth
from mailing.span import last_days
from tests.factories import NOW, make_client, make_clients

pytestmark = pytest.mark.django_db


def growth(user: User, days: int, owner: User | None = None) -> list[int]:
    span = last_days(days, NOW.date(), NOW.tzinfo)
    found = figures(user, span, NOW, owner.pk if owner else None)
    return [found.clients_before, *(piece.clients for piece in found.pieces)]


def test_clients_grow_and_shrink_day_by_day(alice: User, bob: User, manager: User) -> None:
    make_clients(alice, [f"a{n}@x.test" for n in range(3)])
    note_clients(NOW - timedelta(days=3))
    make_clients(alice, [f"b{n}@x.test" for n in range(4)])
    make_client(bob)
    note_clients(NOW - timedelta(days=2))
    Client.objects.filter(email__startswith="a").delete()
    note_clients(NOW - timedelta(days=1))
    note_clients(NOW)
    make_client(alice)
    assert growth(alice, 3) == [7, 4, 4, 5]
    assert growth(alice, 5) == [0, 3, 7, 4, 4, 5]
    assert growth(manager, 3) == [8, 5, 5, 6]
    assert growth(manager, 3, bob) == [1, 1, 1, 1]
    assert growth(alice, 3, bob) == [0, 0, 0, 0], "not Alice's to see"


def test_a_day_is_noted_once(alice: User) -> None:
    make_client(alice)
    note_clients(NOW)
    make_client(alice)
    note_clients(NOW)
    cache.clear()  # as when another host is first
    note_clients(NOW)
    assert DailyGrowth.objects.get().change == 1
    note_clients(NOW + timedelta(days=1))
    assert list(DailyGrowth.objects.order_by("day").values_list("change", flat=True)) == [1, 1]
