"""The index that clients are found by."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.db.migrations import Migration

from accounts import roles
from accounts.models import User
from mailing import search
from mailing.models import Client, ClientList
from tests.factories import make_client, make_list

pytestmark = pytest.mark.django_db

IVAN = {"first_name": "Иван", "last_name": "Щёголев", "phone": "+442079460118"}


def found(user: User, text: str) -> list[str]:
    clients = Client.objects.visible_to(user).search(text, user=user)
    return [client.email for client in search.newest_first(clients)]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("щёголев", True),
        ("ЩЁГОЛЕВ", True),
        ("голе", True),
        ("иван щёгол", True),
        ("иван петров", False),
        ("Ivan@", True),
        ("x.test", True),
        ("9460118", True),
        # One or two letters are the beginning of a name or an address.
        ("и", True),
        ("ЩЁ", True),
        ("iv", True),
        ("ва", False),
        ("+4", True),
        # What means something to the languages behind is text.
        ("%", False),
        ("van_x", False),
        ('"', False),
        ('an"x', False),
        ("ivan* OR", False),
        ("NEAR(ivan)", False),
        ("words:ivan", False),
        ("ivan\\", False),
        ("\0ivan", True),
        ("z" * 10_000, False),
        ("9" * 200, False),
    ],
)
def test_each_word_is_looked_for(alice: User, text: str, is_found: bool) -> None:
    make_client(alice, "ivan@x.test", **IVAN)
    make_client(alice, "other@y.test")
    assert found(alice, text) == (["ivan@x.test"] if is_found else [])


def test_nothing_to_look_for_finds_all_that_was_there(alice: User) -> None:
    make_client(alice, "ivan@x.test")
    assert found(alice, " \0 ") == ["ivan@x.test"]


def test_a_search_stays_with_its_owner(alice: User, bob: User, manager: User) -> None:
    make_client(alice, "ivan@alice.test", **IVAN)
    make_client(bob, "ivan@bob.test", **IVAN)
    assert found(alice, "ivan") == ["ivan@alice.test"]
    assert found(bob, "ivan") == ["ivan@bob.test"]
    assert found(manager, "ivan") == ["ivan@bob.test", "ivan@alice.test"]


def test_the_index_follows_whatever_writes(alice: User, make_user: Callable[..., User]) -> None:
    Client.objects.bulk_create(
        Client(owner=alice, email=f"bulk{n}@x.test", email_normalized=f"bulk{n}@x.test")
        for n in range(3)
    )
    assert len(found(alice, "bulk")) == 3
    Client.objects.filter(email="bulk0@x.test").update(last_name="Новая")
    assert found(alice, "новая") == ["bulk0@x.test"]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE mailing_client SET last_name = 'Иная' WHERE email = 'bulk0@x.test'")
    assert (found(alice, "новая"), found(alice, "иная")) == ([], ["bulk0@x.test"])
    heir = make_user("heir", roles.USERS)
    Client.objects.filter(email="bulk1@x.test").update(owner=heir)
    assert found(heir, "bulk") == ["bulk1@x.test"]
    Client.objects.filter(owner=alice).delete()
    assert (found(alice, "bulk"), found(heir, "bulk")) == ([], ["bulk1@x.test"])


@pytest.mark.skipif(connection.vendor != "sqlite", reason="triggers are SQLite's")
def test_an_index_that_lost_its_triggers_is_made_anew(alice: User) -> None:
    """As after a migration that changes the table."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER mailing_client_words_insert")
    make_client(alice, "ivan@x.test")
    assert found(alice, "ivan") == []
    search.ensure_index(connection)
    assert found(alice, "ivan") == ["ivan@x.test"]
    search.ensure_index(connection)
    assert found(alice, "ivan") == ["ivan@x.test"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="triggers are SQLite's")
def test_a_column_that_is_searched_can_be_removed(alice: User) -> None:
    """As by a migration backwards; SQLite refuses while a trigger names the column."""
    make_client(alice, "ivan@x.test", phone="+442079460118")
    steps = [(Migration("0008_client_facts", "mailing"), True)]
    search.before_migrate(connection.alias, steps)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE mailing_client DROP COLUMN phone")
        search.after_migrate(connection.alias)
        cursor.execute("ALTER TABLE mailing_client ADD COLUMN phone varchar(128) DEFAULT ''")
    search.after_migrate(connection.alias)
    assert found(alice, "ivan") == ["ivan@x.test"]
    make_client(alice, "ivan@y.test")
    assert found(alice, "ivan@y") == ["ivan@y.test"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="of a GIN index")
def test_the_index_fits_the_query(manager: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for text in ("иван", "ив", "и"):
        clients = Client.objects.visible_to(manager).search(text, user=manager)
        plan = clients.order_by().explain()
        assert "Bitmap Index Scan on mailing_client_words" in plan


def test_small_tables_know_the_case_of_cyrillic_letters(alice: User) -> None:
    make_list(alice, name="Читатели (все)")
    for text, number in (("ЧИТАТЕЛИ", 1), ("(все", 1), (".", 0), ("читатели нет", 0)):
        assert ClientList.objects.search(text, user=alice).count() == number
