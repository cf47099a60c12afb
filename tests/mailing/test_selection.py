"""Which clients a query string means."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from accounts.models import User
from mailing.clientele import tags_named
from mailing.enums import SuppressionReason
from mailing.models import Client, Suppression
from mailing.selection import MOST_CHOSEN, Selection
from tests.factories import NOW, make_client, make_list

pytestmark = pytest.mark.django_db


def found(owner: User, query: str) -> set[str]:
    clients = Selection.parse(query).of(Client.objects.owned_by(owner), owner)
    return {client.email.partition("@")[0] for client in clients}


def test_it_survives_its_own_text() -> None:
    for text in ("", "q=anna+b%26c&list=3&status=active", "tag=1&chosen=4%2C9"):
        assert str(Selection.parse(text)) == text


def test_each_filter_narrows(alice: User) -> None:
    anna = make_client(alice, "anna@x.test", first_name="Anna", language="ru")
    boris = make_client(alice, "boris@x.test")
    chosen = make_list(alice, [anna])
    [tag] = tags_named(["garden"], owner=alice)
    boris.tags.add(tag)
    Suppression.objects.create(
        owner=alice,
        email_normalized="boris@x.test",
        reason=SuppressionReason.BOUNCED,
        created_at=NOW,
    )
    for query, names in (
        ("", {"anna", "boris"}),
        ("q=anna", {"anna"}),
        (f"list={chosen.pk}", {"anna"}),
        (f"tag={tag.pk}", {"boris"}),
        ("status=active", {"anna"}),
        ("status=suppressed", {"boris"}),
        ("status=bounced", {"boris"}),
        ("status=unsubscribed", set()),
        ("language=ru", {"anna"}),
        ("language=none", {"boris"}),
        (f"chosen={boris.pk}&q=anna", set()),
        (f"chosen={boris.pk},{anna.pk}&q=anna", {"anna"}),
    ):
        assert found(alice, query) == names, query


def test_the_filter_of_owners_is_kept_for_those_who_have_it(
    alice: User, bob: User, admin: User
) -> None:
    for owner in (alice, admin):
        make_client(owner, f"{owner.pk}@x.test")
    assert found(admin, f"owner={alice.pk}") == set(), "nothing is done to others' clients"
    assert found(admin, f"owner={admin.pk}") == {str(admin.pk)}
    assert found(alice, f"owner={bob.pk}") == {str(alice.pk)}, "it is no filter of theirs"
    assert str(Selection.parse(f"owner={alice.pk}")) == f"owner={alice.pk}", "an export has it"


@pytest.mark.parametrize(
    "query",
    [
        "list=0",
        "list=x",
        f"tag={'9' * 40}",
        "status=x",
        "language=x",
        "language=%00",
        "chosen=",
        "chosen=x",
    ],
)
def test_what_is_not_there_finds_nobody(alice: User, query: str) -> None:
    make_client(alice)
    assert found(alice, query) == set()


def test_lists_and_clients_of_others_find_nobody(alice: User, bob: User) -> None:
    mine, theirs = make_client(alice), make_client(bob)
    their_list = make_list(bob, [theirs, mine])
    assert found(alice, f"list={their_list.pk}") == set()
    assert found(alice, f"chosen={theirs.pk}") == set()


def test_more_than_a_page_cannot_be_ticked() -> None:
    numbers = "&".join(f"chosen={n}" for n in range(1, 2 * MOST_CHOSEN))
    chosen = Selection.read(QueryDict(numbers)).chosen
    assert chosen is not None
    assert len(chosen) == MOST_CHOSEN
