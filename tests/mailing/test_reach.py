"""How many clients lists have, and how many a mailing reaches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from mailing import reach
from mailing.engine import audience
from mailing.enums import SuppressionReason
from mailing.models import Client, Suppression
from tests.factories import NOW, make_client, make_clients, make_list, make_mailing

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["small", "large"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Count once as for few clients, once as for many."""
    if request.param == "large":
        monkeypatch.setattr(reach, "_SMALL", 0)
    cache.clear()
    yield request.param
    cache.clear()


def suppress(client: Client, reason: SuppressionReason) -> None:
    Suppression.objects.create(
        owner=client.owner,
        email_normalized=client.email_normalized,
        reason=reason,
        created_at=NOW,
    )


@pytest.mark.usefixtures("size")
class TestReach:
    def test_nobody_is_counted_twice_and_the_excluded_by_reason(
        self, alice: User, bob: User
    ) -> None:
        a, b, c, d, _other = (make_client(alice, f"{n}@x.test") for n in "abcde")
        suppress(a, SuppressionReason.UNSUBSCRIBED)
        suppress(d, SuppressionReason.EXCLUDED)
        suppress(make_client(bob, "b@x.test"), SuppressionReason.BOUNCED)
        first, second = make_list(alice, [a, b]), make_list(alice, [b, c])
        found = reach.reach(alice.pk, [first.pk, second.pk], [d.pk, b.pk])
        assert (found.clients, found.mailed, found.is_exact) == (4, 2, True)
        assert found.excluded == {SuppressionReason.UNSUBSCRIBED: 1, SuppressionReason.EXCLUDED: 1}

    def test_it_is_the_audience_of_a_mailing(self, alice: User) -> None:
        clients = make_clients(alice, [f"c{n}@x.test" for n in range(5)])
        suppress(clients[0], SuppressionReason.BOUNCED)
        chosen = make_list(alice, clients[:3])
        mailing = make_mailing(alice, clients[2:4])
        mailing.lists.add(chosen)
        size = audience.size(mailing.pk, alice.pk)
        found = reach.reach(alice.pk, [chosen.pk], [c.pk for c in clients[2:4]])
        assert (found.clients, found.mailed) == (size.clients, size.mailed) == (4, 3)

    @pytest.mark.parametrize("chosen", [(True, False), (False, True), (False, False)])
    def test_either_may_be_missing(self, alice: User, chosen: tuple[bool, bool]) -> None:
        client = make_client(alice)
        some = make_list(alice, [client])
        lists, clients = [some.pk] * chosen[0], [client.pk] * chosen[1]
        assert reach.reach(alice.pk, lists, clients).mailed == int(any(chosen))


def test_of_several_large_lists_it_says_at_most(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "_SMALL", 0)
    monkeypatch.setattr(reach, "LARGE", 1)
    cache.clear()
    clients = make_clients(alice, ["a@x.test", "b@x.test"])
    lists = [make_list(alice, clients).pk, make_list(alice, clients).pk]
    found = reach.reach(alice.pk, lists, [])
    assert (found.clients, found.is_exact) == (4, False)
    assert reach.reach(alice.pk, lists[:1], []).clients == 2
    cache.clear()


def test_figures_say_who_gets_letters_and_who_is_new(alice: User) -> None:
    old, new, gone = (make_client(alice, f"{n}@x.test") for n in ("old", "new", "gone"))
    Client.objects.filter(pk=old.pk).update(created_at=NOW - timedelta(days=40))
    Client.objects.exclude(pk=old.pk).update(created_at=NOW - timedelta(days=3))
    suppress(gone, SuppressionReason.BOUNCED)
    chosen, empty = make_list(alice, [old, new, gone]), make_list(alice)
    wanted = {chosen.pk: reach.Figures(3, 2, 2), empty.pk: reach.Figures(0, 0, 0)}
    assert reach.figures([chosen.pk, empty.pk], NOW) == wanted
    assert reach.figures_of_small([chosen.pk, empty.pk], NOW) == wanted


def test_sizes_count_no_further_than_asked(alice: User) -> None:
    many = make_list(alice, make_clients(alice, [f"c{n}@x.test" for n in range(5)]))
    few = make_list(alice, [])
    with CaptureQueriesContext(connection) as captured:
        assert reach.sizes([many.pk, few.pk], 3) == {many.pk: 4, few.pk: 0}
    assert len(captured) == 1
