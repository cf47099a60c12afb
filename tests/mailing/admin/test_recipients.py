"""The number of those who get a mailing: on its screens, and beside the choice of its audience."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client as Browser

from accounts.models import User
from mailing import recipients
from mailing.admin import counts
from mailing.admin import recipients as admin_recipients
from mailing.enums import SuppressionReason
from mailing.models import Suppression
from tests.factories import NOW, make_client, make_clients, make_list, make_mailing
from tests.mailing.admin.screens import text_of, url_of

pytestmark = pytest.mark.django_db

URL = "/admin/mailing/mailing/reach/"


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


def words(page: Any) -> str:
    return " ".join(BeautifulSoup(page.text, "lxml").get_text(" ").split())


def test_it_says_who_gets_it_and_who_does_not(alice: User, alices: Browser) -> None:
    clients = make_clients(alice, [f"c{n}@x.test" for n in range(4)])
    for client, reason in zip(clients, SuppressionReason, strict=False):
        Suppression.objects.create(
            owner=alice,
            email_normalized=client.email_normalized,
            reason=reason,
            created_at=NOW,
        )
    chosen = make_list(alice, clients)
    text = words(alices.get(URL, {"lists": [chosen.pk], "clients": [clients[3].pk]}))
    assert "1 client will get it" in text
    assert "3 are left out:" in text
    for reason in SuppressionReason:
        assert f"{reason.label} (1)" in text


def test_what_is_anothers_counts_as_if_missing(alice: User, bob: User, alices: Browser) -> None:
    theirs = make_client(bob)
    their_list = make_list(bob, [theirs])
    foreign = words(alices.get(URL, {"lists": their_list.pk, "clients": theirs.pk}))
    missing = words(alices.get(URL, {"lists": 10**9, "clients": "x"}))
    assert foreign == missing
    assert "Choose lists or single clients" in foreign


def test_the_form_shows_it_at_once(alice: User, alices: Browser) -> None:
    mailing = make_mailing(alice, make_clients(alice, ["a@x.test", "b@x.test"]))
    page = alices.get(url_of("mailing", "edit", mailing.pk))
    assert "2 clients will get it" in text_of(page)
    assert URL in page.text
    assert "Choose lists or single clients" in text_of(alices.get(url_of("mailing", "create")))


FIGURES = "/admin/mailing/mailing/figures/"


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every list too large to be counted at once."""
    monkeypatch.setattr(recipients, "_COUNTED_AT_ONCE", 0)
    monkeypatch.setattr(counts, "MOST_LEAFED", 2)
    monkeypatch.setattr(admin_recipients, "MOST_LEAFED", 2)


@pytest.mark.usefixtures("large")
def test_a_large_audience_is_fetched(alice: User, alices: Browser) -> None:
    clients = make_clients(alice, [f"c{n}@x.test" for n in range(3)])
    Suppression.objects.create(
        owner=alice, email_normalized="c1@x.test", reason="bounced", created_at=NOW
    )
    mailing = make_mailing(alice, [])
    mailing.lists.add(make_list(alice, clients))
    for page in (
        alices.get(url_of("mailing")),
        alices.get(url_of("mailing", "inspect", mailing.pk)),
        alices.get(url_of("mailing", "start", mailing.pk)),
    ):
        assert "more than 2" in text_of(page)
        assert f'data-ms-figures="{FIGURES}?mailings={mailing.pk}"' in page.text
    answer = alices.get(FIGURES, {"mailings": mailing.pk}).json()
    without = "1 of them gets no letters."
    assert answer == {str(mailing.pk): {"clients": "3", "mailed": "2", "excluded": without}}


@pytest.mark.usefixtures("large")
def test_the_form_leaves_a_large_audience_to_the_script(alice: User, alices: Browser) -> None:
    mailing = make_mailing(alice, [])
    mailing.lists.add(make_list(alice, make_clients(alice, [f"c{n}@x.test" for n in range(3)])))
    page = alices.get(url_of("mailing", "edit", mailing.pk))
    assert 'data-ms-reach-later-value="true"' in page.text
    assert "more than 2" in text_of(page)
    assert "clients will get it" not in text_of(page)
    mailing.lists.set([make_list(alice, make_clients(alice, ["d@x.test"]), name="Few")])
    page = alices.get(url_of("mailing", "edit", mailing.pk))
    assert "data-ms-reach-later-value" not in page.text
    assert "1 client will get it" in text_of(page)


def test_a_small_audience_is_said_at_once(alice: User, alices: Browser) -> None:
    mailing = make_mailing(alice, [make_client(alice)])
    for url in (url_of("mailing"), url_of("mailing", "inspect", mailing.pk)):
        assert "data-ms-figures" not in alices.get(url).text


@pytest.mark.parametrize("query", ["", "x", "9" * 40, "foreign"])
def test_audiences_of_others_are_like_none(alices: Browser, bob: User, query: str) -> None:
    theirs = make_mailing(bob, [make_client(bob)])
    wanted: Any = theirs.pk if query == "foreign" else query
    assert alices.get(FIGURES, {"mailings": wanted}).json() == {}
