"""Tags in the form of a client, and in the list."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from accounts.models import User
from mailing.clientele import tags_named
from mailing.models import Client, ClientTag
from mailing.models.client import MOST_TAGS
from tests.factories import make_client
from tests.mailing.admin.screens import offered, refuse, submit, text_of, url_of

pytestmark = pytest.mark.django_db

NEW = "/admin/mailing/client/create/"


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", []),
        (" , ,, ", []),
        ("course 2025,  allotment ", ["allotment", "course 2025"]),
        ("Сад, САД, сад", ["Сад"]),
        ("a   b", ["a b"]),
    ],
)
def test_words_between_commas_become_tags(alices: Browser, typed: str, kept: list[str]) -> None:
    assert submit(alices, NEW, {"email": "a@x.test", "tag_names": typed}).status_code == 302
    client = Client.objects.get()
    assert [tag.name for tag in client.tags.all()] == kept
    form = offered(alices.get(url_of("client", "edit", client.pk)))
    assert form["tag_names"] == [", ".join(kept)]


@pytest.mark.parametrize(
    "typed", ["x" * 51, "a\u202eb", ", ".join(str(n) for n in range(MOST_TAGS + 1)), "y" * 10_000]
)
def test_what_is_no_tag_is_an_error_at_the_field(alices: Browser, typed: str) -> None:
    refuse(alices, NEW, {"email": "a@x.test", "tag_names": typed}, "tag_names")


def test_owners_have_tags_of_their_own(alice: User, bob: User, alices: Browser) -> None:
    make_client(bob).tags.set(tags_named(["secret"], owner=bob))
    assert "secret" not in alices.get(NEW).text
    assert "secret" not in alices.get(url_of("client")).text
    submit(alices, NEW, {"email": "a@x.test", "tag_names": "Secret"})
    assert sorted(ClientTag.objects.values_list("owner", "name")) == sorted(
        [(alice.pk, "Secret"), (bob.pk, "secret")]
    )


def test_a_tag_is_made_once_whatever_its_case(alice: User) -> None:
    [first] = tags_named(["Сад"], owner=alice)
    assert tags_named(["САД"], owner=alice) == [first]


def test_the_list_is_narrowed_by_a_tag_and_a_language(
    alice: User, bob: User, alices: Browser
) -> None:
    [tag] = tags_named(["garden"], owner=alice)
    [theirs] = tags_named(["garden"], owner=bob)
    make_client(alice, "tagged@x.test", language="ru").tags.add(tag)
    make_client(alice, "other@x.test")
    url = url_of("client")
    for query, shown in (
        (f"tag={tag.pk}", (True, False)),
        (f"tag={theirs.pk}", (False, False)),
        ("language=ru", (True, False)),
        ("language=none", (False, True)),
        ("language=xx", (False, False)),
    ):
        words = text_of(alices.get(f"{url}?{query}"))
        assert ("tagged@x.test" in words, "other@x.test" in words) == shown, query
