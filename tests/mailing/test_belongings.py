"""What an owner takes along."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts import portability
from accounts.models import User
from mailing.belongings import SECTIONS
from tests.factories import make_client, make_clients, make_list, make_mailing

pytestmark = pytest.mark.django_db


def test_clients_come_with_their_lists(alice: User, bob: User) -> None:
    client = make_client(alice, "rose@clients.test")
    client_list = make_list(alice, [client])
    make_client(bob)
    (row,) = SECTIONS["clients"](alice)
    assert (row["email"], row["lists"], row["tags"]) == ("rose@clients.test", [client_list.pk], [])


def test_many_are_read_in_steps(
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Callable[..., DjangoAssertNumQueries],
) -> None:
    make_clients(alice, [f"c{n}@clients.test" for n in range(25)])
    monkeypatch.setattr("mailing.belongings.STEP", 10)
    with django_assert_max_num_queries(4 * 3):
        rows = list(SECTIONS["clients"](alice))
    assert len({row["pk"] for row in rows}) == 25


@pytest.mark.parametrize("name", SECTIONS)
def test_none_of_it_is_anothers(alice: User, bob: User, name: str) -> None:
    make_mailing(bob, [make_client(bob)])
    assert list(SECTIONS[name](alice)) == []


def test_every_section_is_in_the_copy() -> None:
    assert set(SECTIONS) <= set(portability._sections)
    assert {"account", "sessions", "log", "posts", "pictures"} <= set(portability._sections)
