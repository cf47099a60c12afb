"""The list of client lists, and the page of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client as Browser

from accounts.models import User
from mailing import recipients
from mailing.admin import client_lists, counts
from mailing.enums import MailingStatus
from mailing.models import Suppression
from tests.factories import NOW, make_client, make_clients, make_list, make_mailing
from tests.mailing.admin.screens import text_of, url_of

pytestmark = pytest.mark.django_db

FIGURES = "/admin/mailing/clientlist/figures/"


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every list too large to be counted at once."""
    monkeypatch.setattr(recipients, "_COUNTED_AT_ONCE", 0)
    monkeypatch.setattr(client_lists, "MOST_LEAFED", 2)
    monkeypatch.setattr(counts, "MOST_LEAFED", 2)
    cache.clear()


def test_the_page_of_a_list_says_all_of_it(alice: User, alices: Browser) -> None:
    clients = make_clients(alice, ["anna@x.test", "boris@x.test", "gone@x.test"])
    Suppression.objects.create(
        owner=alice, email_normalized="gone@x.test", reason="bounced", created_at=NOW
    )
    chosen = make_list(alice, clients, name="Friends", description="All <of> them")
    mailing = make_mailing(alice, [], name="Notes", status=MailingStatus.SCHEDULED)
    mailing.lists.add(chosen)
    deleted = make_mailing(alice, [], name="Old notes", deleted_at=NOW)
    deleted.lists.add(chosen)
    page = alices.get(url_of("clientlist", "inspect", chosen.pk))
    words = text_of(page)
    assert "clients 3" in words
    assert "get letters 2" in words
    assert "new in 30 days 3" in words
    for word in ("All <of> them", "Notes", "Scheduled", "anna@x.test"):
        assert word in words
    assert "Old notes" not in words
    assert f"{url_of('client')}?list={chosen.pk}&amp;export=xlsx" in page.text


def test_the_lists_show_their_figures(alice: User, alices: Browser) -> None:
    full = make_list(alice, [make_client(alice), make_client(alice)], name="Full")
    make_list(alice, name="Empty")
    make_mailing(alice, []).lists.add(full)
    page = alices.get(url_of("clientlist"))
    assert "Full Edit Delete 2 2 2 1" in text_of(page).replace("Open ", "")
    assert "Empty Edit Delete 0 0 0 0" in text_of(page).replace("Open ", "")
    assert "data-ms-figures" not in page.text


@pytest.mark.usefixtures("large")
def test_figures_of_large_lists_are_fetched(alice: User, alices: Browser) -> None:
    chosen = make_list(alice, make_clients(alice, [f"c{n}@x.test" for n in range(3)]))
    for page in (
        alices.get(url_of("clientlist")),
        alices.get(url_of("clientlist", "inspect", chosen.pk)),
    ):
        assert "more than 2" in text_of(page)
        assert f'data-ms-figures="{FIGURES}?lists={chosen.pk}"' in page.text
    answer = alices.get(FIGURES, {"lists": chosen.pk})
    assert answer.json() == {str(chosen.pk): {"clients": "3", "mailed": "3", "recent": "3"}}


@pytest.mark.parametrize("query", ["", "x", "9" * 40, "foreign"])
def test_figures_of_others_are_like_none(alices: Browser, bob: User, query: str) -> None:
    theirs = make_list(bob, [make_client(bob)])
    wanted: Any = theirs.pk if query == "foreign" else query
    assert alices.get(FIGURES, {"lists": wanted}).json() == {}
