"""How many rows a list says it has."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from mailing.admin import counts
from mailing.admin.counts import (
    MOST_LEAFED,
    BoundedPaginator,
    KeysFirstPaginator,
    KeysOncePaginator,
)
from mailing.models import Client
from tests.factories import make_client, make_clients
from tests.mailing.admin.screens import text_of, url_of

pytestmark = pytest.mark.django_db


def test_the_exact_number_follows_filters_and_owner(
    alice: User, bob: User, browse: Callable[..., Browser]
) -> None:
    make_client(alice, "anna@x.test")
    make_client(alice, "ben@x.test")
    make_client(bob, "anna@y.test")
    browser, url = browse(alice), url_of("client")
    for query, text in (("", "2 rows"), ("&q=anna", "1 row"), ("&status=bounced", "0 rows")):
        assert browser.get(f"{url}?count=1{query}").json() == {"text": text}
    assert browser.get(f"{url}?count=2").status_code == 200
    assert browser.get(f"{url}?count=1&unknown=3").status_code == 302


def test_a_long_list_counts_no_further_than_it_is_leafed_through(
    alice: User, browse: Callable[..., Browser]
) -> None:
    Client.objects.bulk_create(
        Client(owner=alice, email=f"c{n}@x.test", email_normalized=f"c{n}@x.test")
        for n in range(MOST_LEAFED + 1)
    )
    browser, url = browse(alice), url_of("client")
    with CaptureQueriesContext(connection) as queries:
        page = browser.get(f"{url}?q=x.test")
    counts = [q["sql"] for q in queries if "COUNT(*)" in q["sql"] and "mailing_client" in q["sql"]]
    assert len(counts) == 1
    assert f"LIMIT {MOST_LEAFED + 1}" in counts[0]
    assert "More than 10,000 rows" in text_of(page)
    assert "data-ms-count" in page.text
    assert browser.get(f"{url}?count=1").json() == {"text": "10,001 rows"}
    for number in ("200", "201", "9" * 30, "-1", "x"):
        assert browser.get(f"{url}?p={number}").status_code == 200


@pytest.mark.parametrize(
    ("model", "name"), [("client", "Clients"), ("mailing", "Mailings"), ("attempt", "Attempts")]
)
def test_a_list_says_what_it_lists(
    model: str, name: str, alice: User, browse: Callable[..., Browser]
) -> None:
    page = browse(alice).get(url_of(model))
    assert [crumb["label"] for crumb in page.context["breadcrumbs_items"]] == [name]
    assert re.search(rf"<h1[^>]*>[^<]*(<[^h][^>]*>[^<]*)*{name}", page.text)


def test_a_list_begins_with_its_first_page(alice: User, browse: Callable[..., Browser]) -> None:
    for number in range(60):
        make_client(alice, f"c{number:02}@x.test")
    browser, url = browse(alice), url_of("client")
    for query in ("", "?p=1", "?p=0", "?p=-1", "?p=x"):
        page = browser.get(url + query)
        assert "c00@x.test" in page.text
        assert "c59@x.test" not in page.text
    assert "c59@x.test" in browser.get(f"{url}?p=2").text


@pytest.mark.parametrize("paginator", [KeysFirstPaginator, KeysOncePaginator])
@pytest.mark.parametrize(("page", "shown"), [(1, [4, 3]), (2, [2, 1]), (3, [0])])
def test_a_page_found_by_its_keys_has_its_rows_in_order(
    alice: User, paginator: type[BoundedPaginator], page: int, shown: list[int]
) -> None:
    clients = make_clients(alice, [f"c{n}@x.test" for n in range(5)])
    rows = paginator(Client.objects.order_by("-pk"), 2).get_page(page)
    assert list(rows) == [clients[n] for n in shown]
    assert (rows.paginator.count, rows.has_next()) == (5, page < 3)


def test_more_than_can_be_leafed_through_are_paged_without_their_keys(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "MOST_LEAFED", 4)
    clients = make_clients(alice, [f"c{n}@x.test" for n in range(6)])
    paginator = KeysOncePaginator(Client.objects.order_by("-pk"), 2)
    assert (paginator.count, paginator.has_more, paginator.num_pages) == (4, True, 2)
    assert list(paginator.get_page(1)) == [clients[5], clients[4]]
    assert list(paginator.get_page(9)) == [clients[3], clients[2]]
