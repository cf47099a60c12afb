"""Caught letters are shown to everybody, and can do nothing to them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from site_project.mailcatcher.box import Box

pytestmark = pytest.mark.django_db

HTML = (
    b"From: Anna <anna@service.test>\r\nSubject: Hello <b>you</b>\r\nX-Odd: <script>1</script>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    b"See http://testserver/u/1/ </pre><i>\r\n--b\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    b'<html><head><title>t</title></head><body><script>alert(1)</script><a href="/x">x</a></body>'
    b"\r\n--b--\r\n"
)
PLAIN = b"Subject: Plain\r\n\r\nGood morning.\r\n"


@pytest.fixture
def box(settings: Settings, tmp_path: Path) -> Box:
    settings.MAIL_CATCHER_DIR = tmp_path / "mail"
    return Box(tmp_path / "mail")


def put(box: Box, source: bytes, *recipients: str) -> str:
    """Keep a letter and return the address of its page."""
    box.put(list(recipients) or ["ben@x.test"], source)
    return f"/mail/{next(box.newest(1)).key}/"


def test_an_empty_box_says_what_will_come(client: Client, box: Box) -> None:
    page = client.get("/mail/")
    assert page.status_code == 200
    assert "Nothing yet" in page.text
    assert "no-store" in page["Cache-Control"]


def test_the_list_shows_the_letters_and_finds_some(client: Client, box: Box) -> None:
    address = put(box, HTML, "ben@x.test")
    put(box, PLAIN, "carl@x.test")
    page = client.get("/mail/").text
    assert f'href="{address}"' in page
    assert "Hello &lt;b&gt;you&lt;/b&gt;" in page
    assert page.index("Plain") < page.index("Hello")
    found = client.get("/mail/?to=ben").text
    assert "Hello" in found
    assert "carl@x.test" not in found
    assert "2 letters were caught" in found


def test_a_search_is_shown_as_text(client: Client, box: Box) -> None:
    page = client.get("/mail/", {"to": '"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text


def test_a_letter_is_shown_in_a_sandbox(client: Client, box: Box) -> None:
    address = put(box, HTML)
    page = client.get(address)
    frame = re.search(r"<iframe[^>]*>", page.text)
    assert frame
    assert f'src="{address}html/"' in frame[0]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame[0]
    assert "alert(1)" not in page.text
    assert "&lt;script&gt;1&lt;/script&gt;" in page.text, "headers are shown as text"
    assert "</pre><i>" not in page.text


def test_the_frame_itself_may_run_nothing(client: Client, box: Box) -> None:
    frame = client.get(f"{put(box, HTML)}html/")
    policy = frame["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert not [part for part in policy if part.startswith("script-src")]
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert frame["X-Content-Type-Options"] == "nosniff"
    assert '<head><base target="_blank"><title>' in frame.text


def test_a_letter_without_html_is_read_as_text(client: Client, box: Box) -> None:
    page = client.get(put(box, PLAIN)).text
    assert "<iframe" not in page
    assert "<details open>" in page
    assert "Good morning." in page


def test_a_subject_cannot_make_a_header_of_the_page(client: Client, box: Box) -> None:
    address = put(box, b"Subject: =?utf-8?q?a=0d=0aSet-Cookie=3A_x=3D1?=\r\n\r\n")
    page = client.get(address)
    assert page.status_code == 200
    assert "x" not in page.cookies
    assert client.get("/mail/").status_code == 200


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"Subject: \xff\xfe\r\n\r\n\xff",
        b"Content-Type: text/plain; charset=nonsense\r\n\r\nGood morning.",
        "Subject: Привет\r\n\r\nДоброе утро".encode(),
    ],
    ids=["empty", "not UTF-8", "unknown charset", "UTF-8 headers"],
)
def test_a_damaged_letter_is_no_fault_of_the_page(client: Client, box: Box, source: bytes) -> None:
    address = put(box, source)
    for path in ("/mail/", address, f"{address}html/"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        "1-a",
        "../secret",
        "..%2fsecret",
        "%2e%2e%2fsecret",
        "..\\secret",
        "secret%00",
        "/etc/passwd",
    ],
)
def test_a_key_leads_to_a_letter_or_to_nothing(
    client: Client, box: Box, tmp_path: Path, key: str
) -> None:
    put(box, PLAIN)
    (tmp_path / "secret.eml").write_bytes(b"ben@x.test\nSubject: Secret\n\n")
    for path in (f"/mail/{key}/", f"/mail/{key}/html/"):
        page = client.get(path)
        assert page.status_code == 404
        assert "Secret" not in page.text


def test_without_a_folder_there_is_nothing_to_see(client: Client, settings: Settings) -> None:
    settings.MAIL_CATCHER_DIR = None
    assert client.get("/mail/").status_code == 404
    assert client.get("/mail/1-a/").status_code == 404


def test_letters_are_only_looked_at(client: Client, box: Box) -> None:
    assert client.post(put(box, PLAIN)).status_code == 405
    assert client.delete("/mail/").status_code == 405
