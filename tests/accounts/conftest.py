"""A mail server for account mails, and what people do with browser and letters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone, translation
from pytest_django import Settings

from accounts import mail
from tests.conftest import PASSWORD
from tests.sink import Mood, Sink

LOGIN = "/accounts/login/"
SIGN_UP = "/accounts/signup/"
RESET = "/accounts/password/reset/"
ADDRESS = "/accounts/email/"
ADMIN = "/admin/"


@dataclass(frozen=True)
class Letter:
    to: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"]).strip()  # a long one begins on a line of its own

    @property
    def text(self) -> str:
        return self.body("plain")

    def body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None
        return str(part.get_content())

    def link(self) -> str:
        """Return the path of the first link of this site."""
        found = re.search(r"http://testserver(/\S+)", self.text)
        assert found, self.text
        return found[1]


class PostOffice:
    """The worker that sends account mails, and the server that takes them."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def deliver(self, now: datetime | None = None) -> list[Letter]:
        """Send what is due and return what arrived."""
        before = len(self.sink.ledger.letters)
        mail.send_due(now or timezone.now())
        return [
            Letter(entry["to"], self._message(entry["content"]))
            for entry in self.sink.ledger.letters[before:]
        ]

    @staticmethod
    def _message(content: bytes) -> EmailMessage:
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        return message


def use_server(settings: Settings, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.EMAIL_TIMEOUT = 5


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A request leaves its language behind, in this process until the next request."""
    with translation.override("en"):
        yield


@pytest.fixture
def mood() -> Mood:
    return Mood()


@pytest.fixture
def post_office(settings: Settings, mood: Mood) -> Iterator[PostOffice]:
    with Sink(mood) as sink:
        use_server(settings, sink.port)
        yield PostOffice(sink)


@pytest.fixture
def dead_server(settings: Settings) -> None:
    use_server(settings, 2)  # nobody listens there


def sign_up(browser: Client, email: str, password: str = PASSWORD, **fields: Any) -> HttpResponse:
    return browser.post(SIGN_UP, {"email": email, "password1": password, **fields})


def log_in(browser: Client, email: str, password: str = PASSWORD) -> HttpResponse:
    return browser.post(LOGIN, {"login": email, "password": password})


def prove_again(browser: Client, password: str = PASSWORD) -> HttpResponse:
    """Enter the password once more, as the pages of the account's keys ask."""
    return browser.post("/accounts/reauthenticate/", {"password": password})


def is_in(browser: Client) -> bool:
    """Return whether this browser is let into the admin."""
    return browser.get(ADMIN).status_code == 200


def comparable(page: str, email: str) -> str:
    """Return a page without what differs from one visit, or one address, to the next."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.replace(email, ""))
