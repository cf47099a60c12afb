"""Answers of servers: the quick way for a plain line means what the long way does."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailing.engine.classify import Reply
from mailing.engine.transport import replies
from mailing.engine.transport.replies import ReplyError, parse

_CODES = st.sampled_from([b"250", b"354", b"421", b"550", b"150", b"25", b"x50"])
_ENHANCED = st.sampled_from([b"", b"2.0.0", b"5.1.1", b"5.7.1234", b"3.0.0", b"2.0"])
_TEXTS = st.one_of(st.binary(max_size=450), st.text("a b.-2\t\r", max_size=450).map(str.encode))


@given(_CODES, st.sampled_from([b" ", b"-", b""]), _ENHANCED, _TEXTS, st.sampled_from([b"", b"\r"]))
@example(b"250", b" ", b"2.0.0", b"", b"\r")
@example(b"250", b" ", b"2.0.0", b" " + b"x" * 450, b"\r")
@example(b"250", b" ", b"2.0.0", b"queued", b"")
def test_a_line_means_the_same_both_ways(
    code: bytes, separator: bytes, enhanced: bytes, text: bytes, end: bytes
) -> None:
    line = code + separator + enhanced + text.replace(b"\n", b"") + end
    try:
        slow: Reply | None = replies._parse_any(line)
    except ReplyError:
        slow = None
    if slow is None:
        with pytest.raises(ReplyError):
            parse(line)
    else:
        assert parse(line) == slow
