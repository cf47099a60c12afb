"""The page of statistics: every number is that of the rows it leads to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from mailing.engine import hourly
from mailing.enums import Outcome, Stage
from mailing.models import Run
from tests.factories import make_client, make_clients
from tests.mailing.admin.screens import text_of, url_of
from tests.mailing.admin.test_export import table
from tests.mailing.runs import attempt, open_run

pytestmark = pytest.mark.django_db

PAGE = "/admin/mailing/statistics/"


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


@pytest.fixture
def managers(manager: User, browse: Callable[..., Browser]) -> Browser:
    return browse(manager)


def send(
    owner: User, letters: int, refused: int = 0, days_ago: float = 1, name: str = "News"
) -> Run:
    """Send a run's letters so long ago; the first are refused, and each was put off once before."""
    run = open_run(owner, letters, name=name)
    at = timezone.now() - timedelta(days=days_ago)
    for number, letter in enumerate(run.deliveries.order_by("pk")):
        attempt(letter, Outcome.TRANSIENT, at=at, code=451, enhanced="4.7.1", stage=Stage.RCPT)
        if number < refused:
            attempt(letter, Outcome.PERMANENT, at=at, code=550, enhanced="5.1.1", stage=Stage.RCPT)
        elif number == letters - 1:
            attempt(letter, Outcome.UNKNOWN, at=at, code=None, stage=Stage.DOT)
        else:
            attempt(letter, at=at)
    return run


def links_of(page: Any) -> list[tuple[int, str]]:
    """Return each number on the page that is a link, with its address."""
    content = BeautifulSoup(page.text, "lxml").select_one(".ms-statistics")
    assert content is not None
    texts = [(re.sub(r"[\s,]", "", a.get_text()), str(a["href"])) for a in content.find_all("a")]
    return [(int(text), url) for text, url in texts if text.isdigit()]


def rows_behind(browser: Browser, url: str) -> int:
    """Return how many rows a list says that it has."""
    page = browser.get(url)
    assert page.status_code == 200, url
    if "Nothing matches" in text_of(page) or "Nothing has been sent yet" in text_of(page):
        return 0
    found = re.search(r"([\d,]+) rows?\b", text_of(page))
    assert found is not None
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize("query", ["", "?period=7", "?period=90", "?period=365"])
def test_every_number_is_that_of_the_rows_it_leads_to(
    alice: User, bob: User, alices: Browser, query: str
) -> None:
    send(alice, 22, 3)
    send(alice, 23, 9, days_ago=9, name="Other news")
    send(alice, 2, days_ago=60)
    send(bob, 5, 2)
    make_clients(alice, ["left@x.test"])
    links = links_of(alices.get(PAGE + query))
    assert len(links) > 12
    for number, url in links:
        assert rows_behind(alices, url) == number, url


def test_the_rows_are_the_same_after_folding_and_by_hand(alice: User, alices: Browser) -> None:
    send(alice, 5, 2)
    before = links_of(alices.get(PAGE))
    hourly.fold()
    assert links_of(alices.get(PAGE)) == before
    words = text_of(alices.get(PAGE))
    for figure in ("Letters sent 2", "Letters refused 2", "Put off 5", "Unknown 1", "Clients 5"):
        assert figure in words


def test_the_table_says_what_the_chart_draws(alice: User, alices: Browser) -> None:
    send(alice, 4, 1, days_ago=2)
    page = alices.get(PAGE)
    content = BeautifulSoup(page.text, "lxml")
    data = content.find(id="ms-charts")
    assert data is not None
    drawn = json.loads(str(data.string))
    twin = content.select('section[aria-labelledby="deliveries"] tbody tr')
    rows = [[int(cell.get_text()) for cell in row.find_all("td")] for row in twin]
    assert len(rows) == 30
    assert [list(column) for column in zip(*rows, strict=True)] == [
        line["data"] for line in drawn["deliveries"]
    ]
    growth = content.select('section[aria-labelledby="growth"] tbody td')
    assert [int(cell.get_text()) for cell in growth] == drawn["clients"]


class TestPeriod:
    def test_what_is_outside_does_not_count(self, alice: User, alices: Browser) -> None:
        send(alice, 3, days_ago=10)
        assert "Letters sent 0" in text_of(alices.get(PAGE + "?period=7"))
        assert "Letters sent 2" in text_of(alices.get(PAGE + "?period=30"))

    def test_own_dates(self, alice: User, alices: Browser) -> None:
        send(alice, 3, days_ago=10)
        day = f"{timezone.localtime() - timedelta(days=10):%Y-%m-%d}"
        page = alices.get(PAGE, {"period": "own", "first": day, "last": day})
        assert "Letters sent 2" in text_of(page)

    def test_the_period_before_is_compared(self, alice: User, alices: Browser) -> None:
        send(alice, 5, days_ago=8)
        send(alice, 3, days_ago=1)
        assert "▼ 50 % from 4" in text_of(alices.get(PAGE + "?period=7"))

    @pytest.mark.parametrize(
        ("first", "last", "words"),
        [
            ("", "", "Choose a date."),
            ("2026-11-02", "2026-11-01", "before the first day"),
            ("2026-13-01", "2026-11-01", "Enter a valid date"),
            ("0001-01-01", "9999-12-31", "at most 5 years"),
            ("1999-01-01", "2026-11-01", "at most 5 years"),
            ("\x00", "2026-11-01", "Enter a valid date"),
        ],
    )
    def test_wrong_dates_are_an_error_at_the_field(
        self, alices: Browser, first: str, last: str, words: str
    ) -> None:
        page = alices.get(PAGE, {"period": "own", "first": first, "last": last})
        assert page.status_code == 200
        error = BeautifulSoup(page.text, "lxml").select_one(".ms-own-dates .ms-error")
        assert error is not None
        assert words in error.get_text()

    @pytest.mark.parametrize("value", ["x", "-1", "9" * 40, "7'"])
    def test_an_invented_period_is_an_error(self, alices: Browser, value: str) -> None:
        page = alices.get(PAGE, {"period": value, "export": "days"})
        assert page.status_code == 200
        assert "Select a valid choice" in text_of(page)


class TestMailings:
    def test_one_of_one_is_not_the_best(self, alice: User, alices: Browser) -> None:
        send(alice, 2, name="Tiny")
        assert "No mailing has had 20 letters" in text_of(alices.get(PAGE))

    def test_best_and_worst_are_in_order_and_none_is_both(
        self, alice: User, alices: Browser
    ) -> None:
        for name, refused in (("Middling", 4), ("Splendid", 0), ("Miserable", 15)):
            send(alice, 20, refused, name=name)
        words = text_of(alices.get(PAGE)).partition("Best and worst mailings")[2]
        assert words.index("Splendid") < words.index("Middling") < words.index("Miserable")
        assert words.index("Got through worst") < words.index("Miserable")
        assert all(words.count(name) == 1 for name in ("Splendid", "Middling", "Miserable"))
        assert "95" in words.partition("Splendid")[2][:10]

    def test_a_deleted_one_keeps_its_figures(self, alice: User, alices: Browser) -> None:
        run = send(alice, 20, name="Bygone")
        alices.post(url_of("mailing", "delete", run.mailing_id))
        links = [
            link for link in links_of(alices.get(PAGE)) if f"mailing={run.mailing_id}" in link[1]
        ]
        assert links
        for number, url in links:
            assert rows_behind(alices, url) == number


class TestOwners:
    def test_others_are_not_counted_and_not_named(
        self, alice: User, bob: User, alices: Browser
    ) -> None:
        send(bob, 25, name="Secret news")
        page = alices.get(PAGE, {"owner": bob.pk})
        assert "Nothing was sent in this period" in text_of(page)
        assert "Secret" not in page.text
        assert "Bob" not in page.text
        for name in ("days", "causes", "mailings", "clients"):
            assert "Secret" not in alices.get(PAGE, {"export": name, "owner": bob.pk}).text

    def test_managers_see_all_or_one(self, alice: User, bob: User, managers: Browser) -> None:
        send(alice, 22)
        send(bob, 5)
        assert "Letters sent 25" in text_of(managers.get(PAGE))
        page = managers.get(PAGE, {"owner": bob.pk})
        assert "Letters sent 4" in text_of(page)
        for number, url in [*links_of(page), *links_of(managers.get(PAGE))]:
            assert rows_behind(managers, url) == number, url

    def test_an_owner_who_is_not_offered_is_an_error(
        self, manager: User, managers: Browser
    ) -> None:
        page = managers.get(PAGE, {"owner": "987654321"})
        assert "Select a valid choice" in text_of(page)

    def test_bloggers_are_refused(self, blogger: User, browse: Callable[..., Browser]) -> None:
        assert browse(blogger).get(PAGE).status_code == 302


class TestExport:
    def test_each_table_has_its_file(self, alice: User, alices: Browser) -> None:
        send(alice, 21, 1, name="=Привет")
        days = table(alices.get(PAGE + "?export=days"))
        assert days[0] == ["First day", "Last day", "Sent", "Put off", "Refused", "Unknown"]
        assert len(days) == 31
        assert sum(int(row[2]) for row in days[1:]) == 19
        causes = table(alices.get(PAGE + "?export=causes"))
        assert ["The mailbox does not exist", "Refused", "1"] in causes
        assert table(alices.get(PAGE + "?export=mailings"))[1][0] == "'=Привет"
        assert table(alices.get(PAGE + "?export=clients"))[-1][1] == "21"

    def test_excel_is_told_that_it_is_utf_8(self, alices: Browser) -> None:
        response = alices.get(PAGE + "?export=days")
        assert response.content.startswith("\ufeff".encode())
        assert "attachment" in response["Content-Disposition"]

    def test_an_invented_table_is_the_page(self, alices: Browser) -> None:
        assert "<h1" in alices.get(PAGE + "?export=secrets").text


def test_nothing_sent_says_what_to_do(alices: Browser) -> None:
    words = text_of(alices.get(PAGE))
    assert "As soon as a mailing leaves, its figures are here." in words
    assert "Set up a mailing" in words


def test_more_rows_take_no_more_queries(alice: User, alices: Browser) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            alices.get(PAGE)
        return len(captured)

    send(alice, 1)
    queries()
    few = queries()
    for days in range(2, 8):
        send(alice, 3, 1, days_ago=days)
    make_client(alice)
    assert queries() == few
