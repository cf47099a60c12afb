"""Log lines: one line whatever is in them, and nobody's address."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from logging.config import DictConfigurator
from typing import Any

import pytest
from django.conf import settings as project
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import mail
from accounts.models import User
from tests.sink import Sink

Lines = Callable[[], str]


@pytest.fixture
def written() -> Iterator[Lines]:
    """Return what the console handler has written, with the project's own formatter."""
    formatters: Any = project.LOGGING["formatters"]
    formatter = DictConfigurator(project.LOGGING).configure_formatter(dict(formatters["line"]))
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root, django = logging.getLogger(), logging.getLogger("django")
    level = root.level
    root.setLevel("INFO")
    for logger in (root, django):
        logger.addHandler(handler)
    yield stream.getvalue
    root.setLevel(level)
    for logger in (root, django):
        logger.removeHandler(handler)


def test_a_line_tells_when_how_bad_who_and_what(written: Lines) -> None:
    logging.getLogger("mailing.engine").error("run %d has failed", 7)
    (line,) = written().splitlines()
    time, _comma, rest = line.partition(",")
    assert len(time) == len("2026-11-23 09:00:00")
    assert rest[4:] == "ERROR mailing.engine: run 7 has failed"


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\n", r"\n"),
        ("\r", r"\r"),
        ("\0", r"\x00"),
        ("\x1b", r"\x1b"),
        ("\x7f", r"\x7f"),
        ("\x85", r"\x85"),
        ("\u2028", r"\u2028"),
        ("\u2029", r"\u2029"),
    ],
)
def test_a_control_character_is_shown_not_obeyed(
    written: Lines, character: str, shown: str
) -> None:
    logging.getLogger("mailing").error("a%sb", character)
    assert written().endswith(f"a{shown}b\n")
    assert written().count("\n") == 1


def test_ordinary_letters_stay(written: Lines) -> None:
    logging.getLogger("mailing").error("Привет, “world” – 5\u202f000\t✓")
    assert "Привет, “world” – 5\u202f000\t✓" in written()


def test_a_traceback_keeps_its_lines(written: Lines) -> None:
    try:
        [][1]
    except IndexError:
        logging.getLogger("mailing").exception("it failed")
    lines = written().splitlines()
    assert lines[0].endswith("mailing: it failed")
    assert lines[1].startswith("Traceback")
    assert lines[-1] == "IndexError: list index out of range"


@pytest.mark.django_db
def test_a_refused_account_mail_does_not_tell_whose_it_was(
    written: Lines, alice: User, settings: Settings
) -> None:
    now = timezone.now()
    mail.post(
        template="account/email/password_changed",
        email="4xx+anna.o'neill@x.test",
        context={"user": alice},
        now=now,
    )
    with Sink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        mail.send_due(now)
    assert "waits" in written()
    assert "SMTPRecipientsRefused" in written()
    assert "anna" not in written()
    assert "alice" not in written()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to anna@x.test", "to …@x.test"),
        ("<anna+list@x.test>: no", "<…@x.test>: no"),
        ("'анна@почта.рф'", "'…@почта.рф'"),
        ("smtp://me:secret@mail.test:25", "smtp://me:…@mail.test:25"),
        ("@property, a @ b", "@property, a @ b"),
    ],
)
def test_an_address_is_left_out(written: Lines, text: str, shown: str) -> None:
    logging.getLogger("mailing").error("%s", text)
    assert written().endswith(f"mailing: {shown}\n")


@pytest.mark.django_db
def test_a_visitor_cannot_forge_a_line(written: Lines, client: Client) -> None:
    client.get("/x%0a2026-11-23%2009:00:00,000%20ERROR%20forged:%20line/")
    (line,) = written().splitlines()
    assert r"/x\n2026-11-23" in line
