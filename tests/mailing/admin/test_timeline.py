"""What the page of a client tells of its past."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from wagtail.log_actions import log

from accounts.models import User
from mailing.admin.timeline import LETTERS_SHOWN
from mailing.enums import DeliveryState, Outcome, RunStatus, Stage
from mailing.models import Attempt, Client, Delivery, Mailing, Run, Suppression
from tests.factories import NOW, make_client, make_mailing
from tests.mailing.admin.screens import text_of, url_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


def send(
    mailing: Mailing, client: Client, day: int, *replies: tuple[Outcome, int, str]
) -> Delivery:
    at = NOW + timedelta(days=day)
    run = Run.objects.create(
        mailing=mailing,
        due_at=at,
        opened_at=at,
        expires_at=at,
        status=RunStatus.COMPLETED,
        subject=f"Letter {day}",
    )
    accepted = bool(replies) and replies[-1][0] == Outcome.ACCEPTED
    delivery = Delivery.objects.create(
        run=run,
        client=client,
        email=client.email,
        email_normalized=client.email_normalized,
        state=DeliveryState.SENT if accepted else DeliveryState.FAILED,
        attempts=len(replies),
    )
    for number, (outcome, code, reply) in enumerate(replies, 1):
        Attempt.objects.create(
            delivery=delivery,
            owner=client.owner,
            number=number,
            at=at + timedelta(minutes=number),
            outcome=outcome,
            stage=Stage.DOT,
            code=code,
            reply=reply,
        )
    return delivery


def titles(page: Any) -> list[str]:
    items = BeautifulSoup(page.text, "lxml").select("ol.ms-time > li")
    return [" ".join(item.find_all("p")[0].get_text().split()) for item in items]


def test_letters_are_told_with_each_attempt(alice: User, alices: Browser) -> None:
    client = make_client(alice, "anna@x.test")
    mailing = make_mailing(alice, [], name="Notes")
    later = (Outcome.TRANSIENT, 451, "Try <later>")
    delivery = send(mailing, client, 1, later, (Outcome.ACCEPTED, 250, "queued"))
    page = alices.get(url_of("client", "inspect", client.pk))
    words = text_of(page)
    for word in ("Notes: “Letter 1”", "451 Try <later>", "250 queued", "Sent"):
        assert word in words
    assert "<later>" not in page.text
    assert url_of("delivery", "inspect", delivery.pk) in page.text


def test_what_happened_stands_among_the_letters_by_its_time(alice: User, alices: Browser) -> None:
    client = make_client(alice, "anna@x.test")
    Client.objects.filter(pk=client.pk).update(created_at=NOW - timedelta(days=9))
    mailing = make_mailing(alice, [], name="Notes")
    for day in (1, 5):
        send(mailing, client, day, (Outcome.ACCEPTED, 250, "queued"))
    Suppression.objects.create(
        owner=alice,
        email_normalized="anna@x.test",
        reason="unsubscribed",
        created_at=NOW + timedelta(days=3),
    )
    page = alices.get(url_of("client", "inspect", client.pk))
    assert titles(page) == [
        "Notes: “Letter 5”",
        "Unsubscribed by a link in a letter",
        "Notes: “Letter 1”",
        "Added",
    ]
    assert "Gets no letters" in text_of(page)


def test_people_are_named_who_changed_the_client(alice: User, alices: Browser) -> None:
    client = make_client(alice)
    log(instance=client, action="wagtail.edit", user=alice)
    told = titles(alices.get(url_of("client", "inspect", client.pk)))
    assert told == [f"{alice.get_full_name()}: Edited", "Added"]


def test_pages_show_each_thing_once(alice: User, alices: Browser) -> None:
    client = make_client(alice, "anna@x.test")
    Client.objects.filter(pk=client.pk).update(created_at=NOW - timedelta(days=9))
    mailing = make_mailing(alice, [], name="Notes")
    number = 2 * LETTERS_SHOWN + 3
    for day in range(number):
        send(mailing, client, day, (Outcome.ACCEPTED, 250, "queued"))
    Suppression.objects.create(
        owner=alice,
        email_normalized="anna@x.test",
        reason="bounced",
        created_at=NOW + timedelta(days=LETTERS_SHOWN, hours=1),
    )
    url, seen = url_of("client", "inspect", client.pk), []
    query = "?"
    for _page in range(3):
        page = alices.get(url + query)
        seen += titles(page)
        link = BeautifulSoup(page.text, "lxml").find("a", string="Show earlier")
        query = str(link["href"]) if link else ""
    assert query == ""
    assert len(seen) == len(set(seen)) == number + 2
    assert seen[0] == f"Notes: “Letter {number - 1}”"
    assert seen[-1] == "Added"
    at = seen.index("The mail server said that the address takes no mail")
    assert seen[at + 1] == f"Notes: “Letter {LETTERS_SHOWN}”"


@pytest.mark.parametrize("before", ["x", "0", "9" * 40, "foreign"])
def test_a_page_that_is_not_there_is_the_first(
    alice: User, bob: User, alices: Browser, before: str
) -> None:
    client = make_client(alice)
    send(make_mailing(alice, [], name="Notes"), client, 1)
    theirs = send(make_mailing(bob, []), make_client(bob), 2)
    query = theirs.run_id if before == "foreign" else before
    page = alices.get(url_of("client", "inspect", client.pk), {"before": query})
    assert titles(page)[-1] == "Notes: “Letter 1”" or "Notes: “Letter 1”" in titles(page)


def test_many_letters_take_as_many_queries_as_one(alice: User, alices: Browser) -> None:
    client, mailing = make_client(alice), make_mailing(alice, [])
    url = url_of("client", "inspect", client.pk)
    counts = []
    for days in (range(1), range(1, 60)):
        for day in days:
            send(mailing, client, day, (Outcome.ACCEPTED, 250, "queued"))
        alices.get(url)
        with CaptureQueriesContext(connection) as captured:
            alices.get(url)
        counts.append(len(captured))
    assert counts[0] == counts[1]


class TestActions:
    def test_the_owner_excludes_and_takes_back(self, alice: User, alices: Browser) -> None:
        client = make_client(alice, "anna@x.test")
        url = url_of("client", "inspect", client.pk)
        bulk = f"/admin/mailing/client/bulk/?do=%s&amp;chosen={client.pk}"
        assert bulk % "exclude" in alices.get(url).text
        alices.post((bulk % "exclude").replace("&amp;", "&"))
        page = alices.get(url)
        assert bulk % "readmit" in page.text
        assert bulk % "exclude" not in page.text
        assert "excluded by the owner" in text_of(page)

    def test_who_unsubscribed_cannot_be_taken_back(self, alice: User, alices: Browser) -> None:
        client = make_client(alice, "anna@x.test")
        Suppression.objects.create(
            owner=alice, email_normalized="anna@x.test", reason="unsubscribed", created_at=NOW
        )
        assert "do=readmit" not in alices.get(url_of("client", "inspect", client.pk)).text

    def test_a_manager_only_looks(self, alice: User, browse: Any, manager: User) -> None:
        client = make_client(alice)
        page = browse(manager).get(url_of("client", "inspect", client.pk))
        assert "/bulk/" not in page.text
        assert f"Client of {alice}" in text_of(page)
