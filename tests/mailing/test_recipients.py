"""Whom mailings would go to: at once as far as it can be said, exactly a moment later."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from mailing import reach, recipients
from mailing.engine import audience
from mailing.models import Mailing, Suppression
from mailing.recipients import Recipients
from tests.factories import NOW, make_client, make_clients, make_list, make_mailing

pytestmark = pytest.mark.django_db


@pytest.fixture
def several(alice: User, bob: User) -> list[Mailing]:
    """Return mailings to lists that overlap, to single clients, to both and to nobody."""
    clients = make_clients(alice, [f"c{n}@x.test" for n in range(6)])
    Suppression.objects.create(
        owner=alice, email_normalized="c1@x.test", reason="bounced", created_at=NOW
    )
    first, second = make_list(alice, clients[:4]), make_list(alice, clients[1:5])
    found = [make_mailing(alice, chosen) for chosen in (clients[:2], [], [], clients[3:], [])]
    found[1].lists.add(first)
    found[2].lists.add(first, second)
    found[3].lists.add(second, make_list(bob, [make_client(bob)]))
    return found


@pytest.mark.parametrize("number", [1, 5])
def test_few_are_counted_at_once_by_a_fixed_number_of_queries(
    several: list[Mailing], number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4):
        found = recipients.at_once([m.pk for m in several[-number:]], most=100)
    sizes = {m.pk: audience.size(m.pk, m.owner_id) for m in several[-number:]}
    assert found == {pk: Recipients(size, size.clients) for pk, size in sizes.items()}


def test_of_many_the_largest_part_is_known(
    several: list[Mailing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipients, "_COUNTED_AT_ONCE", 3)
    found = recipients.at_once([m.pk for m in several], most=3)
    assert [found[m.pk].size is None for m in several] == [False, True, True, True, False]
    assert [found[m.pk].at_least for m in several] == [2, 4, 4, 4, 0]
    assert recipients.at_once([], most=3) == {}


@pytest.mark.parametrize("small", [0, 20_000])
def test_all_are_counted_exactly_in_time(
    several: list[Mailing], small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "_SMALL", small)
    monkeypatch.setattr(reach, "LARGE", small)
    found = recipients.exactly(several)
    assert found == {m.pk: audience.size(m.pk, m.owner_id) for m in several}
    assert found[several[2].pk] == (5, 1)
    assert recipients.exactly([]) == {}


def test_a_large_audience_is_a_copy(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "_SMALL", 1)
    chosen = make_list(alice, make_clients(alice, ["anna@x.test", "ben@x.test"]))
    mailing = make_mailing(alice, [])
    mailing.lists.add(chosen)
    assert recipients.exactly([mailing])[mailing.pk].clients == 2
    chosen.clients.add(make_client(alice))
    assert recipients.exactly([mailing])[mailing.pk].clients == 2


def test_a_page_goes_through_few_clients_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipients, "_COUNTED_AT_ONCE", 3)
    monkeypatch.setattr(recipients, "_COUNTED_TOGETHER", 6)
    assert recipients.within_budget({1: 3, 2: 4, 3: 2, 4: 2, 5: 1, 6: 0}) == [1, 3, 5, 6]
    assert recipients.within_budget({}) == []
