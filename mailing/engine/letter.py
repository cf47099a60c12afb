"""Letters: a run's content compiled once, then joined with the values of each client. Pure.

The text and HTML parts are split at their merge fields before they are encoded. Each literal piece
is quoted-printable once; a soft line break (RFC 2045 section 6.7) stands before and after every
field, so a value starts at column 0 and ends its own encoded line, and can be encoded by itself.
Whatever the value is, lines stay within 76 characters, no line begins with a dot (RFC 5321 section
4.5.2 needs no stuffing then), and the body parses back to exactly text and value.
"""

from __future__ import annotations

import binascii
import hashlib
import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from operator import itemgetter
from typing import NamedTuple

from mailing.merge_fields import FIELD, UNSUBSCRIBE_URL, substitute

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_QP_SAFE = re.compile(r"(?!\.)[A-Za-z0-9 !\"#$%&'()*+,\-./:;<>?@\[\]\\^_`{|}~]{0,72}(?<! )")
_PLAIN = re.compile(r"(?!\.)[A-Za-z0-9 !#$%()*+,\-./:;?@\[\]\\^_`{|}~]{0,72}(?<! )")
"""Stands in both parts as it is: no quoted-printable, no markup."""
_PHRASE_SAFE = re.compile(r"[A-Za-z0-9 !#$%&'*+\-/=?^_`{|}~]*")
_MARKUP = re.compile("[&<>\"']")
_SOFT_BREAK = b"=\r\n"


class RenderError(ValueError):
    """This client's values cannot be put into a letter."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a run freezes. `text` and `html` hold merge fields; those in `html` are HTML-escaped."""

    subject: str
    text: str
    html: str
    sender_name: str
    reply_to: str


@dataclass(frozen=True, slots=True)
class Service:
    """What is the same in all letters of this installation."""

    sender_address: str
    host: str
    """The site's host name: it ends the List-Id."""
    unsubscribe_url: Callable[[int], str]
    """From a delivery's id to the address that its List-Unsubscribe names."""
    secret: bytes
    """Marks the Message-IDs as ours."""


class Recipient(NamedTuple):
    """One delivery's part of a letter. `email` has its domain as A-label already."""

    delivery_id: int
    email: str
    first_name: str
    middle_name: str
    last_name: str


class Letter:
    """A compiled run. `render` is the hot path: one bytes format per client."""

    def __init__(
        self, content: Content, service: Service, *, run_id: int, mailing_id: int, mailing_name: str
    ) -> None:
        self._run_id = run_id
        self._unsubscribe_url = service.unsubscribe_url
        key = hashlib.sha256(service.secret).digest()
        self._mark = hashlib.blake2b(key=key, digest_size=4)
        self._domain = service.sender_address.rpartition("@")[2].encode("ascii")
        self._subject = content.subject
        self._date: tuple[int, bytes] = (0, b"")
        list_id = encode_list_id(mailing_name, f"m{mailing_id}.{service.host}")
        literals, slots = _layout(content, service.sender_address, list_id, run_id)
        self._format = b"%b".join(literal.replace(b"%", b"%%") for literal in literals)
        # A field that stands in several places is encoded once for each client, in both parts.
        self._has_subject = _SUBJECT in slots
        self._fields = list(dict.fromkeys((s.field, s.default) for s in slots if s not in _HEADERS))
        order = [slot for slot in _HEADERS if slot in slots]
        for field in self._fields:
            order += (_Slot(_TEXT, *field), _Slot(_HTML, *field))
        self._arrange = itemgetter(*[order.index(slot) for slot in slots])

    def render(self, recipient: Recipient, at: int) -> bytes:
        """Return the whole message, CRLF line ends, without the final dot; `at` is a Unix time.

        Raises RenderError if the address cannot stand in a header.
        """
        delivery_id, email, first, middle, last = recipient
        if not (first + middle + last).isprintable():
            first, middle, last = _one_line(first), _one_line(middle), _one_line(last)
        first, middle, last = first.strip(), middle.strip(), last.strip()
        full_name = f"{first} {last}".strip()
        unsubscribe = self._unsubscribe_url(delivery_id)
        values = {
            "first_name": first,
            "middle_name": middle,
            "last_name": last,
            "full_name": full_name,
            "email": email,
            UNSUBSCRIBE_URL: unsubscribe,
        }
        if at != self._date[0]:
            self._date = (at, formatdate(at).removesuffix("-0000").encode() + b"+0000")
        parts = [  # as in _HEADERS
            self._date[1],
            encode_mailbox(full_name, email, len("To: ")),
            self.message_id(delivery_id),
            unsubscribe.encode("ascii"),
        ]
        if self._has_subject:
            parts.append(encode_unstructured(substitute(self._subject, values)))
        for field, default in self._fields:
            value = values[field] or default
            if _PLAIN.fullmatch(value):
                text = in_html = value.encode()
            else:
                text = in_html = _qp_value(value)
                if _MARKUP.search(value):
                    in_html = _qp_value(html.escape(value))
            parts += (text, in_html)
        arranged: tuple[bytes, ...] = self._arrange(parts)
        return self._format % arranged

    def message_id(self, delivery_id: int) -> bytes:
        """Return the same id for every attempt at a delivery, so that a copy can be recognised."""
        local = b"%d.%d" % (self._run_id, delivery_id)
        mark = self._mark.copy()
        mark.update(local)
        return b"<%b.%b@%b>" % (local, mark.hexdigest().encode(), self._domain)


def encode_unstructured(text: str) -> bytes:
    """Return the value of Subject: ASCII as it is if short, else RFC 2047 words on folded lines."""
    text = _one_line(text)
    if _is_plain(text):
        return text.encode()
    return _encoded_words(text, len("Subject: "))


def encode_mailbox(name: str, address: str, prefix: int = len("Reply-To: ")) -> bytes:
    """Return `name <address>` for an address header. Control characters become blanks.

    An address with a non-ASCII local part comes out in UTF-8 and needs SMTPUTF8 (RFC 6532).
    `prefix` is the length of the field name, colon and blank before the value.
    """
    if address.count("@") != 1 or not address.isprintable():
        raise RenderError("not an address")
    mailbox = address.encode()
    if not name:
        return mailbox
    if not name.isprintable():
        name = _one_line(name)
    if not _is_plain(name):
        phrase = _encoded_words(name, prefix)
    elif _PHRASE_SAFE.fullmatch(name):
        phrase = name.encode()
    else:
        phrase = b'"' + name.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    separator = b" " if len(phrase) + len(mailbox) < 70 else b"\r\n "
    return phrase + separator + b"<" + mailbox + b">"


# --- Compilation ----------------------------------------------------------------------------------

_HEADER, _TEXT, _HTML = "header", "text", "html"


class _Slot(NamedTuple):
    context: str
    field: str
    default: str = ""


_SUBJECT = _Slot(_HEADER, "subject")
_HEADERS = (
    _Slot(_HEADER, "date"),
    _Slot(_HEADER, "to"),
    _Slot(_HEADER, "message_id"),
    _Slot(_HEADER, UNSUBSCRIBE_URL),
    _SUBJECT,
)


def _layout(
    content: Content, sender_address: str, list_id: bytes, run_id: int
) -> tuple[list[bytes], list[_Slot]]:
    """Return n+1 literals and the n slots between them."""
    literals: list[bytes] = [b""]
    slots: list[_Slot] = []

    def literal(piece: bytes) -> None:
        literals[-1] += piece

    def slot(context: str, field: str, default: str = "") -> None:
        slots.append(_Slot(context, field, default))
        literals.append(b"")

    # The boundary cannot occur in a part: "=_" is not valid quoted-printable.
    boundary = b"=_" + hashlib.sha256(b"%d" % run_id).hexdigest()[:32].encode()
    literal(b"MIME-Version: 1.0\r\nDate: ")
    slot(_HEADER, "date")
    literal(b"\r\nFrom: " + encode_mailbox(content.sender_name, sender_address))
    if content.reply_to:
        literal(b"\r\nReply-To: " + encode_mailbox("", content.reply_to))
    literal(b"\r\nTo: ")
    slot(_HEADER, "to")
    literal(b"\r\nSubject: ")
    if FIELD.search(content.subject):
        slot(_HEADER, "subject")
    else:
        literal(encode_unstructured(content.subject))
    literal(b"\r\nMessage-ID: ")
    slot(_HEADER, "message_id")
    literal(b"\r\nList-Id: " + list_id)
    literal(b"\r\nList-Unsubscribe: <")
    slot(_HEADER, UNSUBSCRIBE_URL)
    literal(
        b">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click"
        b"\r\nPrecedence: bulk\r\nX-Auto-Response-Suppress: OOF, AutoReply"
        b'\r\nContent-Type: multipart/alternative;\r\n boundary="' + boundary + b'"\r\n'
    )
    for context, subtype, template in (
        (_TEXT, b"plain", content.text),
        (_HTML, b"html", content.html),
    ):
        literal(
            b"\r\n--" + boundary + b"\r\nContent-Type: text/" + subtype + b"; charset=utf-8"
            b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        )
        for piece in _split(template):
            if isinstance(piece, bytes):
                literal(piece)
            else:
                field, default = piece
                if context is _HTML:
                    default = html.unescape(default)
                slot(context, field, default)
    literal(b"\r\n--" + boundary + b"--\r\n")
    return literals, slots


def encode_list_id(name: str, identifier: str) -> bytes:
    """Return the value of List-Id: a phrase and an identifier in angle brackets (RFC 2919)."""
    name = _one_line(name)
    if not name:
        return b"<" + identifier.encode("ascii") + b">"
    # The same phrase as of a mailbox; the dummy address only passes through its checks.
    phrase = encode_mailbox(name, "a@b").removesuffix(b"<a@b>").rstrip()
    return phrase + b"\r\n <" + identifier.encode("ascii") + b">"


def _split(template: str) -> Iterator[bytes | tuple[str, str]]:
    """Yield encoded literals and (field, default) pairs, soft breaks in the literals."""
    pieces = FIELD.split(template)
    last = len(pieces) - 1
    for i in range(0, len(pieces), 3):
        text = pieces[i].replace("\r\n", "\n").replace("\r", "\n")
        encoded = _qp(text)
        if i < last and text and not text.endswith("\n"):
            encoded += _SOFT_BREAK
        yield (_SOFT_BREAK if i else b"") + encoded
        if i < last:
            yield pieces[i + 1], (pieces[i + 2] or "").strip()


def _qp_value(value: str) -> bytes:
    if _QP_SAFE.fullmatch(value):
        return value.encode()
    encoded = binascii.b2a_qp(value.encode("utf-8", "replace"), istext=True)
    if len(encoded) <= 75 and b"\n" not in encoded and not encoded.startswith(b"."):
        return encoded
    return _qp(value)


def _qp(text: str) -> bytes:
    """Return quoted-printable with CRLF; no line begins with a dot, the last has room for a "="."""
    lines = binascii.b2a_qp(text.encode("utf-8", "replace"), istext=True).split(b"\n")
    lines[-1] = _narrow(lines[-1])  # b2a_qp fills a last line up to 76 characters
    return b"\r\n".join(
        _narrow(b"=2E" + line[1:]) if line.startswith(b".") else line for line in lines
    )


def _narrow(line: bytes) -> bytes:
    """Return an encoded line that may be too long as one or two lines of at most 75 characters."""
    if len(line) <= 75:
        return line
    cut = 70
    while b"=" in line[cut - 2 : cut]:  # not inside of =XX
        cut -= 1
    rest = line[cut:]
    return line[:cut] + _SOFT_BREAK + (b"=2E" + rest[1:] if rest.startswith(b".") else rest)


def _encoded_words(text: str, prefix: int) -> bytes:
    """Return RFC 2047 words, split between characters, one a line of at most 76 characters.

    `prefix` is the length of the field name, colon and blank before the first word.
    """
    words: list[bytes] = []
    current = b""
    room = (76 - prefix - len("=?utf-8?b??=")) // 4 * 3
    whole = text.encode("utf-8", "replace")
    if len(whole) <= room:
        return b"=?utf-8?b?" + binascii.b2a_base64(whole, newline=False) + b"?="
    for character in text:
        encoded = character.encode("utf-8", "replace")
        if len(current) + len(encoded) > room:
            words.append(current)
            current = b""
            room = 45
        current += encoded
    words.append(current)
    return b"\r\n ".join(
        b"=?utf-8?b?" + binascii.b2a_base64(word, newline=False) + b"?=" for word in words
    )


def _is_plain(text: str) -> bool:
    """Return whether a header may hold the text as it is; "=?" would be read as an encoded word."""
    return text.isascii() and len(text) <= 60 and "=?" not in text


def _one_line(text: str) -> str:
    # The quick test first: control characters and line ends are not printable.
    return text.strip() if text.isprintable() else _CONTROL.sub(" ", text).strip()
