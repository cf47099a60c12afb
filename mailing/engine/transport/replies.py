"""Reads SMTP replies (RFC 5321 section 4.2) out of a stream of bytes.

Whatever a server sends is bounded: a reply that grows without end is a ReplyError, not memory.
"""

from __future__ import annotations

import re

from mailing.engine.classify import Reply

_LONGEST_REPLY = 65_536
_new = tuple.__new__  # a NamedTuple's own constructor goes through a function in Python
_TEXT = 400
_FIRST_LINE = re.compile(r"([2-5][0-9][0-9])[ -]?(?:([245]\.[0-9]{1,3}\.[0-9]{1,3})(?=\s|$))?(.*)")

_ONE_PLAIN_LINE = re.compile(
    rb"([2-5][0-9][0-9]) (?:([245]\.[0-9]{1,3}\.[0-9]{1,3})(?=[ \r]|$))?([ -~]{0,400})\r?"
)


class ReplyError(ValueError):
    """What the server sent is not a reply."""


class ReplyReader:
    """Feed it bytes; it returns complete replies as bytes, which `parse` makes sense of.

    They stay bytes because most are a "250" whose text nobody reads.
    """

    __slots__ = ("_buffer", "_lines", "_size")

    def __init__(self) -> None:
        self._buffer = b""
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left over, as must be when TLS begins."""
        return not self._buffer and not self._lines

    def feed(self, data: bytes) -> list[bytes]:
        """Return the replies that `data` completes, lines joined by LF. Raises ReplyError."""
        lines = (self._buffer + data).split(b"\n")
        self._buffer = lines.pop()
        if len(self._buffer) > _LONGEST_REPLY:
            raise ReplyError("a line without end")
        replies: list[bytes] = []
        for line in lines:
            if line[3:4] == b"-":
                self._size += len(line)
                if self._size > _LONGEST_REPLY:
                    raise ReplyError("a reply without end")
                self._lines.append(line)
            elif self._lines:
                replies.append(b"\n".join([*self._lines, line]))
                self._lines, self._size = [], 0
            else:
                replies.append(line)
        return replies


def parse(reply: bytes) -> Reply:
    """Return code, enhanced code (RFC 2034) and printable text. Raises ReplyError."""
    if (plain := _ONE_PLAIN_LINE.fullmatch(reply)) is not None:  # nearly all are
        return plain_reply(*plain.groups(b""))
    return _parse_any(reply)


def plain_reply(code: bytes, enhanced: bytes, text: bytes) -> Reply:
    """Return the reply of one line that has these parts, all of them printable ASCII."""
    return _new(Reply, (int(code), enhanced.decode(), text.decode().strip()))


def _parse_any(reply: bytes) -> Reply:
    first, *more = reply.decode("utf-8", "replace").rstrip().split("\n")
    found = _FIRST_LINE.match(first)
    if found is None:
        raise ReplyError("not a reply")
    code, enhanced, text = found.groups("")
    for line in more:
        if line[:3] != code:
            raise ReplyError("the lines of a reply disagree")
        text += " " + line[4:].removeprefix(enhanced).strip()
    if not text.isprintable():  # control characters never reach the database or a page
        text = "".join(c if c.isprintable() else " " for c in text)
    return Reply(int(code), enhanced, text.strip()[:_TEXT])
