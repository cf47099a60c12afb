"""The folder of caught letters."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_project.mailcatcher.box import Box, Letter


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "mail")


def test_a_box_without_a_folder_is_empty(box: Box) -> None:
    assert box.count() == 0
    assert list(box.newest(10)) == []
    assert box.get("1-a") is None


def test_the_newest_letter_comes_first(box: Box) -> None:
    for number in range(5):
        box.put([f"{number}@x.test"], b"")
    assert [letter.recipients for letter in box.newest(3)] == ["4@x.test", "3@x.test", "2@x.test"]


def test_letters_are_found_by_a_part_of_an_address_in_any_case(box: Box) -> None:
    box.put(["Anna@x.test", "ben@x.test"], b"")
    box.put(["carl@x.test"], b"")
    assert [letter.recipients for letter in box.newest(9, "aNNa")] == ["Anna@x.test, ben@x.test"]
    assert len(list(box.newest(9, "@x.test"))) == 2
    assert list(box.newest(9, "dora")) == []


def test_a_letter_is_found_by_its_key(box: Box) -> None:
    box.put(["anna@x.test"], b"Subject: Hello\n\nGood morning.\n")
    (letter,) = box.newest(1)
    assert box.get(letter.key) == letter
    assert box.get(letter.key + "0") is None
    assert letter.caught_at > 1_700_000_000


def test_half_a_letter_is_not_shown(box: Box, tmp_path: Path) -> None:
    box.put(["anna@x.test"], b"")
    (tmp_path / "mail/9-9.part").write_bytes(b"ben@x.test")
    assert box.count() == 1
    assert len(list(box.newest(9))) == 1


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"no header at all",
        b"Subject: \xff\xfe\r\nFrom: \xf0\r\n\r\n\xff",
        b"Content-Type: text/plain; charset=nonsense\r\n\r\nGood morning.",
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xff\xfe",
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
        b"Content-Type: multipart/alternative\r\n\r\nno parts",
        b"Subject: =?utf-8?q?a=0d=0aBcc=3A_b=40x.test?=\r\n\r\n",
    ],
)
def test_a_damaged_letter_can_be_looked_at(source: bytes) -> None:
    letter = Letter("1-a", "anna@x.test", source)
    for text in (letter.subject, letter.sender, letter.body("plain"), letter.body("html")):
        text.encode("utf-8")  # what cannot be encoded could not be shown


def test_a_letter_has_its_parts() -> None:
    source = (
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: text/plain\r\n\r\nplain\r\n--b\r\n"
        b"Content-Type: text/html\r\n\r\n<p>html</p>\r\n--b--\r\n"
    )
    letter = Letter("1-a", "anna@x.test", source)
    assert (letter.body("plain").strip(), letter.body("html").strip()) == ("plain", "<p>html</p>")
