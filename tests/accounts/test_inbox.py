"""The page after a sign-up, and the letter that is sent again."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.accounts.conftest import PostOffice, comparable, log_in, sign_up

pytestmark = pytest.mark.django_db

INBOX = "/accounts/confirm-email/"


def later(seconds: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True)


def test_it_names_the_address_and_counts_down(client: Client) -> None:
    sign_up(client, "Nora@people.test")
    page = client.get(INBOX)
    assert "<strong>nora@people.test</strong>" in page.text
    assert 55 <= page.context["wait_seconds"] <= 60
    with later(61):
        assert client.get(INBOX).context["wait_seconds"] == 0


def test_the_letter_is_sent_again_after_the_wait(client: Client, post_office: PostOffice) -> None:
    sign_up(client, "nora@people.test")
    assert len(post_office.deliver()) == 1
    assert client.post(INBOX)["Location"] == INBOX
    assert post_office.deliver() == [], "too early"
    with later(61):
        page = client.post(INBOX, follow=True)
        (letter,) = post_office.deliver(timezone.now())
    assert "a new letter is on its way" in page.text
    assert page.context["wait_seconds"] > 50
    client.post(letter.link())
    assert EmailAddress.objects.get().verified


def test_nobody_is_mailed_more_than_five_times_an_hour(
    client: Client, post_office: PostOffice
) -> None:
    sign_up(client, "nora@people.test")
    for minutes in range(1, 10):
        with later(61 * minutes):
            client.post(INBOX)
    with later(600):
        assert len(post_office.deliver(timezone.now())) == 5


def test_a_known_address_is_answered_like_an_unknown_one(
    alice: User, post_office: PostOffice
) -> None:
    pages = {}
    for email in (alice.email, "nobody@people.test"):
        browser = Client()
        sign_up(browser, email)
        with later(61):
            browser.post(INBOX)
            pages[email] = comparable(browser.get(INBOX).text, email)
    assert pages[alice.email] == pages["nobody@people.test"]


def test_who_logs_in_before_confirming_may_ask_for_it_too(
    client: Client, post_office: PostOffice
) -> None:
    sign_up(client, "nora@people.test")
    other = Client()
    log_in(other, "nora@people.test")
    assert "<strong>nora@people.test</strong>" in other.get(INBOX).text


def test_a_visitor_who_has_not_signed_up_gets_no_button(
    client: Client, alice: User, post_office: PostOffice
) -> None:
    assert "<button" not in client.get(INBOX).text.split("<main")[1].split("</main")[0]
    assert client.post(INBOX, {"email": alice.email})["Location"] == INBOX
    assert post_office.deliver() == []
