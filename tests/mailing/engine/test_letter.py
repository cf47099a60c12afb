"""Letters must parse back to what went in, whatever a client is called."""

from __future__ import annotations

import email
import html
import re
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailing.engine.letter import Content, Letter, Recipient, RenderError, Service
from mailing.merge_fields import FIELD

SERVICE = Service(
    sender_address="letters@service.test",
    host="service.test",
    unsubscribe_url=lambda number: f"https://service.test/u/{number}-ab=.c/",
    secret=b"secret",
)
TEXT = (
    "." * 300 + "é" + "." * 200 + "\n" + "=." * 90 + "Hi {{ first_name|friend }},\n"
    "{{ first_name }}{{ email }}\n.{{ full_name }}= {{ full_name }} \nx{{last_name}}\n\n"
    "From me\n{{ unsubscribe_url }}"
)
HTML = (
    "<p>Hi {{ first_name|a &amp; b }}</p><p>" + "y" * 300 + " {{ full_name }}{{ email }}</p>"
    '<a href="{{ unsubscribe_url }}" title="{{ last_name }}">u</a>\n.dot\n'
)
HEADERS = {
    "MIME-Version",
    "Date",
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Message-ID",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Precedence",
    "X-Auto-Response-Suppress",
    "Content-Type",
}


def letter(**fields: str) -> Letter:
    content = Content(
        **{
            "subject": "Привет {{ first_name|friend }}",
            "text": TEXT,
            "html": HTML,
            "sender_name": "Юлия, via “Service”",
            "reply_to": "owner@x.test",
            **fields,
        }
    )
    return Letter(content, SERVICE, run_id=7, mailing_id=3, mailing_name='Mon "notes", Ü')


def values(recipient: Recipient) -> dict[str, str]:
    def clean(text: str) -> str:
        return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).strip()

    first, last = clean(recipient.first_name), clean(recipient.last_name)
    return {
        "first_name": first,
        "middle_name": clean(recipient.middle_name),
        "last_name": last,
        "full_name": f"{first} {last}".strip(),
        "email": recipient.email,
        "unsubscribe_url": SERVICE.unsubscribe_url(recipient.delivery_id),
    }


def parse(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


NASTY = [
    "a\r\nBcc: evil@x.test",
    "=?utf-8?q?x?=",
    ".",
    "..",
    "=3D",
    '"><script>',
    "{{ email }}",
    "%b%s%%",
    "trailing ",
    "\u202eevil",
    "\ud800",
    "日本語" * 40,
    "x" * 300,
    "😀" * 60,
]


@given(first=st.text(max_size=120), last=st.text(max_size=120))
@settings(max_examples=300, deadline=None)
@example("", "")
@example(NASTY[0], NASTY[1])
def test_any_name_comes_back_equal(first: str, last: str) -> None:
    check(Recipient(12, "u@example.org", first, "", last))


@pytest.mark.parametrize("name", NASTY)
def test_nasty_names_come_back_equal(name: str) -> None:
    check(Recipient(12, "u@example.org", name, name, name))


def check(recipient: Recipient) -> None:
    raw = letter().render(recipient, 1_800_000_000)
    lines = raw.split(b"\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert not any(line.startswith(b".") for line in lines), "needs no dot-stuffing"
    assert max(map(len, lines)) <= 78
    assert max(map(len, raw.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76
    message = parse(raw)
    assert set(message.keys()) == HEADERS
    assert len(message.keys()) == len(HEADERS)
    expected = values(recipient)

    def fill(template: str, escape: bool) -> str:
        def one(found: re.Match[str]) -> str:
            word = (found[2] or "").strip()
            if escape:
                return html.escape(expected[found[1]] or html.unescape(word))
            return expected[found[1]] or word

        return FIELD.sub(one, template).encode("utf-8", "replace").decode()

    assert part(message, "plain") == fill(TEXT, escape=False)
    assert part(message, "html") == fill(HTML, escape=True)
    assert [a.addr_spec for a in message["To"].addresses] == ["u@example.org"]
    assert decoded(raw, "Subject") == fill("Привет {{ first_name|friend }}", escape=False)
    name = expected["full_name"].encode("utf-8", "replace").decode()
    shown = decoded(raw, "To").removesuffix("<u@example.org>").strip()
    if b'\r\nTo: "' in raw:
        shown = re.sub(r"\\(.)", r"\1", shown[1:-1])
    assert shown == (name if name else "u@example.org")


def decoded(raw: bytes, header: str) -> str:
    """Return a header by RFC 2047, with the old parser: the new one keeps blanks between words."""
    value = email.message_from_bytes(raw)[header]
    return str(make_header(decode_header(value.replace("\n", "")))).strip()


def test_the_headers_of_a_letter() -> None:
    message = parse(
        letter().render(Recipient(12, "u@example.org", "Ann", "", "Lee"), 1_800_000_000)
    )
    assert message["Date"] == "Fri, 15 Jan 2027 08:00:00 +0000"
    assert message["From"].addresses[0].addr_spec == "letters@service.test"
    assert message["From"].addresses[0].display_name == "Юлия, via “Service”"
    assert message["Reply-To"] == "owner@x.test"
    assert str(message["To"]) == "Ann Lee <u@example.org>"
    assert re.fullmatch(r"<7\.12\.[0-9a-f]{8}@service\.test>", message["Message-ID"])
    assert message["List-Unsubscribe"] == "<https://service.test/u/12-ab=.c/>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"].endswith("<m3.service.test>")
    assert message.get_content_type() == "multipart/alternative"
    assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]


def test_each_attempt_at_a_delivery_has_the_same_message_id() -> None:
    recipient = Recipient(12, "u@example.org", "Ann", "", "Lee")
    first = parse(letter().render(recipient, 1))["Message-ID"]
    assert parse(letter().render(recipient, 999_999))["Message-ID"] == first
    assert parse(letter().render(recipient._replace(delivery_id=13), 1))["Message-ID"] != first


def test_a_subject_without_fields_is_the_same_for_all() -> None:
    message = parse(letter(subject="A = b").render(Recipient(1, "u@x.org", "", "", ""), 1))
    assert message["Subject"] == "A = b"


def test_an_address_beyond_ascii_stands_in_utf8() -> None:
    raw = letter().render(Recipient(1, "jörg@xn--fa-hia.de", "", "", ""), 1)
    assert "To: jörg@xn--fa-hia.de\r\n".encode() in raw


@pytest.mark.parametrize("address", ["", "no-at", "a@b@c", "a\r\nBcc: x@y.z@b"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(RenderError):
        letter().render(Recipient(1, address, "", "", ""), 1)
