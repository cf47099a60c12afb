"""The suggestions of clients while one types."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.factories import make_client, make_clients

pytestmark = pytest.mark.django_db

URL = "/admin/mailing/client-choices/"


def suggested(browser: Browser, words: str | None = None) -> list[str]:
    page = browser.get(URL, {} if words is None else {"q": words})
    assert page.status_code == 200
    return [result["label"] for result in page.json()["results"]]


@pytest.fixture
def alices(alice: User, bob: User, browse: Callable[..., Browser]) -> Browser:
    make_client(alice, "anna@x.test", first_name="Anna", last_name="Smith")
    make_client(alice, "ben@x.test", first_name="Ben", last_name="Annan")
    make_client(alice, "info@annaberg.test")
    make_client(bob, "anna@secret.test", first_name="Anna")
    return browse(alice)


ANNA, BEN, INFO = "Anna Smith <anna@x.test>", "Ben Annan <ben@x.test>", "info@annaberg.test"


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        ("anna", [INFO, BEN, ANNA]),  # the newest first
        ("ANNA", [INFO, BEN, ANNA]),
        ("smi", [ANNA]),
        ("x.test", [BEN, ANNA]),
        ("anna ben", [BEN]),
        ("ben anna", [BEN]),
        ("secret", []),
        ("%", []),
        ("_", []),
        ("", [ANNA, BEN, INFO]),
        ("  ", [ANNA, BEN, INFO]),
        ("an\0na", []),  # of short words the beginnings count
        ("an\0b", [BEN]),
        (None, [ANNA, BEN, INFO]),
    ],
)
def test_each_word_is_a_part_of_a_name_or_address_of_an_own_client(
    alices: Browser, words: str | None, labels: list[str]
) -> None:
    assert suggested(alices, words) == labels


def test_a_suggestion_carries_the_number_of_its_client(
    alice: User, browse: Callable[..., Browser]
) -> None:
    client = make_client(alice, "anna@x.test")
    assert browse(alice).get(URL, {"q": "anna"}).json() == {
        "results": [{"id": client.pk, "label": "anna@x.test"}]
    }


def test_there_are_never_more_than_twenty(alice: User, browse: Callable[..., Browser]) -> None:
    make_clients(alice, [f"client{number:02}@x.test" for number in range(30)])
    found = suggested(browse(alice), "client")
    assert len(found) == 20
    assert found[0].endswith("client29@x.test>")


def test_words_without_end_are_cut(alices: Browser) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert suggested(alices, "ann " * 5000) == [INFO, BEN, ANNA]
    assert max(len(query["sql"]) for query in queries) < 30_000


def test_managers_are_offered_their_own_clients_only(
    alices: Browser, manager: User, browse: Callable[..., Browser]
) -> None:
    assert suggested(browse(manager), "anna") == []


def test_without_the_right_to_see_clients_there_is_nothing(
    alices: Browser, blogger: User, browse: Callable[..., Browser]
) -> None:
    for browser in (browse(blogger), browse()):
        page = browser.get(URL, {"q": "anna"})
        assert page.status_code in {302, 403}
        assert "anna" not in page.text


def test_it_only_looks(alices: Browser) -> None:
    assert alices.post(URL, {"q": "anna"}).status_code == 405
