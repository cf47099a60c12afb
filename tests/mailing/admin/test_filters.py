"""Filters of the lists: whose rows, what is in force, and how it is taken away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client as Browser

from accounts.models import User
from tests.factories import make_client, make_list, make_message
from tests.mailing.admin.screens import text_of, url_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


def pills(page: Any) -> dict[str, str]:
    """Return the filters in force with the addresses that take them away."""
    found = BeautifulSoup(page.text, "lxml").select("a.ms-pill")
    return {" ".join(pill.get_text().split("×")[0].split()): str(pill["href"]) for pill in found}


def offers(page: Any, title: str) -> list[str]:
    for details in BeautifulSoup(page.text, "lxml").select("details.ms-filter"):
        if title in details.summary.get_text():  # type: ignore[union-attr]
            return [link.get_text() for link in details.select("li a")]
    return []


class TestOwners:
    @pytest.mark.parametrize("model", ["client", "clientlist", "message"])
    def test_a_manager_looks_at_one_owner(
        self, model: str, alice: User, bob: User, browse: Any, manager: User
    ) -> None:
        for owner, mark in ((alice, "alices"), (bob, "bobs")):
            make_client(owner, f"{mark}@x.test")
            make_list(owner, name=f"{mark} list")
            make_message(owner, subject=f"{mark} subject")
        browser = browse(manager)
        page = browser.get(url_of(model))
        assert offers(page, "Owner") == ["All", str(alice), str(bob)]
        assert "alices" in text_of(page)
        page = browser.get(url_of(model), {"owner": bob.pk})
        assert "bobs" in text_of(page)
        assert "alices" not in text_of(page)
        assert pills(page) == {f"Owner: {bob}": url_of(model)}

    def test_for_others_it_means_nothing(self, alice: User, bob: User, alices: Browser) -> None:
        make_client(alice, "alices@x.test")
        make_client(bob)
        page = alices.get(url_of("client"), {"owner": bob.pk})
        assert "alices@x.test" in text_of(page)
        assert pills(page) == {}
        assert str(bob) not in page.text

    def test_lists_are_those_of_the_owner_chosen(
        self, alice: User, bob: User, browse: Any, manager: User
    ) -> None:
        make_list(alice, [make_client(alice)], name="Alice's list")
        make_list(bob, [make_client(bob)], name="Bob's list")
        browser = browse(manager)
        assert offers(browser.get(url_of("client")), "Client list") == []
        page = browser.get(url_of("client"), {"owner": bob.pk})
        assert offers(page, "Client list") == ["All", "Bob's list"]


def test_each_pill_takes_away_its_own(alice: User, alices: Browser) -> None:
    make_client(alice, "anna@x.test", language="ru")
    query = {"q": "anna", "language": "ru", "status": "active"}
    page = alices.get(url_of("client"), query)
    found = pills(page)
    assert set(found) == {"Search: anna", "Language: Русский", "Status: Gets letters"} or set(
        found
    ) == {"Search: anna", "Language: Russian", "Status: Gets letters"}
    assert found["Search: anna"] == "?language=ru&status=active"
    assert found["Status: Gets letters"] == "?language=ru&q=anna"
    clear = BeautifulSoup(page.text, "lxml").find("a", string="Clear all")
    assert clear is not None
    assert clear["href"] == url_of("client")


def test_a_list_that_is_not_there_says_so(bob: User, alice: User, alices: Browser) -> None:
    make_client(alice)
    theirs = make_list(bob, name="Bob's secret list")
    page = alices.get(url_of("client"), {"list": theirs.pk})
    assert list(pills(page)) == ["Client list: not there"]
    assert "secret" not in page.text
    assert "Nothing matches" in text_of(page)
