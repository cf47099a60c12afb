"""The catcher as a mail server: it keeps what it takes, and fails as real servers do."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from site_project.mailcatcher.box import Box
from site_project.mailcatcher.server import controller
from tests.browser.service import free_port

SOURCE = b"From: a@service.test\r\nSubject: Hello\r\n\r\nGood morning.\r\n.\r\n"


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "mail")


@pytest.fixture
def connection(box: Box) -> Iterator[smtplib.SMTP]:
    server = controller(box, host="127.0.0.1", port=free_port(), delay_seconds=0)
    server.start()
    try:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=5) as connection:
            yield connection
    finally:
        server.stop()


def test_a_letter_is_kept_byte_by_byte(connection: smtplib.SMTP, box: Box) -> None:
    connection.sendmail("a@service.test", ["anna@x.test", "ben@x.test"], SOURCE)
    (letter,) = box.newest(10)
    assert letter.recipients == "anna@x.test, ben@x.test"
    assert letter.source == SOURCE
    assert letter.subject == "Hello"
    assert box.count() == 1


def test_an_address_beyond_ascii_is_taken(connection: smtplib.SMTP, box: Box) -> None:
    source = "Subject: Привет\r\n\r\nДоброе утро.\r\n".encode()
    connection.sendmail("a@service.test", "анна@x.test", source, ["SMTPUTF8", "BODY=8BITMIME"])
    (letter,) = box.newest(10)
    assert letter.recipients == "анна@x.test"
    assert letter.subject == "Привет"


def test_an_address_that_does_not_exist_is_refused_for_good(
    connection: smtplib.SMTP, box: Box
) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        connection.sendmail("a@service.test", "anna@BOUNCE.test", SOURCE)
    assert refused.value.recipients["anna@BOUNCE.test"][0] == 550
    assert box.count() == 0


def test_a_wary_server_takes_the_second_try(connection: smtplib.SMTP, box: Box) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        connection.sendmail("a@service.test", "anna@defer.test", SOURCE)
    assert refused.value.recipients["anna@defer.test"][0] == 451
    connection.sendmail("a@service.test", "anna@defer.test", SOURCE)
    assert box.count() == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "mail.example.com", ""])  # noqa: S104 - refused
def test_it_listens_only_on_this_machine(box: Box, host: str) -> None:
    with pytest.raises(ValueError, match="only on this machine"):
        controller(box, host=host, port=0, delay_seconds=0)
