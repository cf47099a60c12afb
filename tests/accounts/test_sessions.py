"""The list of a person's own sessions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.blocking import set_active
from accounts.browsers import browser_name
from accounts.models import User
from tests.accounts.conftest import is_in, log_in

pytestmark = pytest.mark.django_db

SESSIONS = "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/150.0.0.0 Safari/537.36"
)
EDGE = CHROME + " Edg/150.0.0.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (CHROME, "Chrome on Windows"),
        (EDGE, "Edge on Windows"),
        (IPHONE, "Safari on iPhone"),
        ("curl/8.0", "Unknown browser"),
        ("", "Unknown browser"),
        ("Linux", "Linux"),
        ("<script>Firefox/</script>", "Firefox"),
    ],
)
def test_a_browser_has_a_name(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name


def test_each_log_in_is_in_the_list(alice: User, bob: User) -> None:
    here, there = Client(headers={"user-agent": FIREFOX}), Client(headers={"user-agent": IPHONE})
    log_in(here, alice.email)
    log_in(there, alice.email)
    log_in(Client(headers={"user-agent": EDGE}), bob.email)
    page = here.get(SESSIONS).text
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    assert "Edge" not in page
    assert page.count("This device") == 1
    assert "127.0.0.1" in page
    assert "This device and 1 other" in here.get("/accounts/profile/").text


def test_one_can_be_ended(alice: User) -> None:
    here, there, third = Client(), Client(), Client()
    for browser in (here, there, third):
        log_in(browser, alice.email)
    ended = UserSession.objects.get(session_key=there.session.session_key)
    answer = here.post(f"{SESSIONS}{ended.pk}/end/")
    assert answer["Location"] == SESSIONS
    assert is_in(here)
    assert not is_in(there)
    assert is_in(third)


def test_all_others_can_be_ended(alice: User, bob: User) -> None:
    here, there, third, of_bob = Client(), Client(), Client(), Client()
    for browser in (here, there, third):
        log_in(browser, alice.email)
    log_in(of_bob, bob.email)
    here.post(SESSIONS)
    assert [is_in(browser) for browser in (here, there, third, of_bob)] == [
        True,
        False,
        False,
        True,
    ]


def test_those_of_others_do_not_exist(alice: User, bob: User) -> None:
    of_alice, of_bob = Client(), Client()
    log_in(of_alice, alice.email)
    log_in(of_bob, bob.email)
    session = UserSession.objects.get(user=alice)
    assert of_bob.post(f"{SESSIONS}{session.pk}/end/").status_code == 404
    assert of_bob.get(f"{SESSIONS}{session.pk}/end/").status_code == 405
    assert is_in(of_alice)


def test_ending_the_own_one_logs_out(client: Client, alice: User) -> None:
    log_in(client, alice.email)
    client.post(f"{SESSIONS}{UserSession.objects.get().pk}/end/")
    assert not is_in(client)


def test_the_last_use_is_noted_every_five_minutes(client: Client, alice: User) -> None:
    log_in(client, alice.email)
    client.get(SESSIONS)
    before = UserSession.objects.get().last_seen_at
    client.get(SESSIONS)
    assert UserSession.objects.get().last_seen_at == before, "reading does not write"
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        client.get(SESSIONS)
    assert UserSession.objects.get().last_seen_at > before + timedelta(minutes=5)


def test_a_session_from_before_there_was_a_list_comes_into_it(
    browse: Callable[..., Client], alice: User
) -> None:
    browser = browse(alice)
    session = browser.session
    del session["seen_at"]
    session.save()
    assert not UserSession.objects.exists()
    browser.get("/accounts/profile/")
    assert UserSession.objects.get().user == alice


def test_addresses_behind_a_proxy(settings: Settings, alice: User) -> None:
    forged = {"x-forwarded-for": "203.0.113.9, 192.0.2.1"}
    log_in(Client(headers=forged), alice.email)
    assert UserSession.objects.get().ip == "127.0.0.1", "without a proxy it is an invention"
    UserSession.objects.all().delete()
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    log_in(Client(headers=forged), alice.email)
    assert UserSession.objects.get().ip == "192.0.2.1"


def test_what_a_browser_calls_itself_is_escaped(alice: User) -> None:
    browser = Client(headers={"user-agent": "<b>Firefox/</b>" * 100})
    log_in(browser, alice.email)
    assert "<b>" not in browser.get(SESSIONS).text.split("<main")[1]


class TestAfterABlock:
    def test_the_next_page_says_why_the_session_has_ended(
        self, client: Client, alice: User, manager: User, settings: Settings
    ) -> None:
        settings.CONTACT_EMAIL = "help@service.test"
        log_in(client, alice.email)
        set_active(alice, active=False, by=manager)
        assert client.post("/accounts/profile/", {"card": "personal"})["Location"] == (
            "/accounts/inactive/"
        )
        page = client.get("/accounts/inactive/")
        assert "This account is blocked" in page.text
        assert 'href="mailto:help@service.test"' in page.text
        assert client.get("/").status_code == 200, "once is enough"

    def test_others_go_on(self, alice: User, bob: User, manager: User) -> None:
        of_bob = Client()
        log_in(of_bob, bob.email)
        set_active(alice, active=False, by=manager)
        assert is_in(of_bob)

    def test_nothing_of_the_person_is_left_in_the_session(
        self, client: Client, alice: User, manager: User
    ) -> None:
        log_in(client, alice.email)
        key = client.session.session_key
        set_active(alice, active=False, by=manager)
        assert dict(client.session) == {"ended_by_block": True}
        assert client.session.session_key == key
        assert not UserSession.objects.exists()
