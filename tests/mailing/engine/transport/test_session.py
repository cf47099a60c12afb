"""The state machine without a socket: it does the same however the answers are cut into reads."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from mailing.engine.classify import Reply
from mailing.engine.transport.server import MailServer
from mailing.engine.transport.session import Outgoing, Session, Trouble
from mailing.enums import Stage

_GREETING = b"220 ready\r\n250-sink\r\n250 PIPELINING\r\n"
_ENVELOPE = b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go on\r\n"
_DOTS = (
    b"250 2.0.0 queued as 4711\r\n",
    b"250-two\r\n250 lines\r\n",
    b"451 4.3.0 later\r\n",
    b"550 no\r\n",
    b"421 closing\r\n",
)
_ENVELOPES = (
    _ENVELOPE,
    b"250 2.1.0 Ok\r\n250-long\r\n250 answer\r\n354 go on\r\n",
)


class _Told:
    """Notes all that a session tells the owner of its letters, in order."""

    def __init__(self, letters: int) -> None:
        self.left = list(range(1, letters + 1))
        self.told: list[tuple[object, ...]] = []

    def next_letter(self) -> Outgoing | None:
        if not self.left:
            return None
        number = self.left.pop(0)
        return Outgoing(number, 1, b"me@x.test", b"you@x.test", b"Subject: %d\r\n" % number)

    def has_letters(self) -> bool:
        return bool(self.left)

    def is_waiting(self) -> bool:
        return False

    def stop(self) -> None:
        self.told.append(("stop",))

    def about_to_dot(self, letter: Outgoing) -> None:
        self.told.append(("dot", letter.delivery_id))

    def about_to_send(self) -> None:
        pass

    def runs_low(self) -> bool:
        return False

    def restock(self) -> None:
        raise AssertionError("nobody asked for it")

    def meanwhile(self, letters: int) -> None:
        pass

    def answered(self, letter: Outgoing, stage: Stage, reply: Reply) -> bool:
        self.told.append(("answered", letter.delivery_id, stage, reply))
        return reply.code == 421

    def returned(self, letter: Outgoing, stage: Stage, reply: Reply) -> None:
        self.told.append(("returned", letter.delivery_id, stage, reply.code))


def _play(answers: list[bytes]) -> tuple[list[tuple[object, ...]], bytes]:
    told = _Told(7)
    session = Session(MailServer("127.0.0.1", 25), told, secure=False)
    wire = b""
    try:
        for piece in (_GREETING, *answers):
            session.receive(piece)
            session.take()
            wire, session.outgoing = wire + session.outgoing, b""
            session._after_dot = 0
    except Trouble as trouble:
        wire, session.outgoing = wire + session.outgoing, b""
        session.lost(trouble.reply)
    return told.told, wire


@given(
    st.lists(st.tuples(st.sampled_from(_DOTS), st.sampled_from(_ENVELOPES)), max_size=5),
    st.lists(st.integers(1, 400), max_size=8),
)
def test_answers_mean_the_same_however_they_arrive(
    letters: list[tuple[bytes, bytes]], cuts: list[int]
) -> None:
    blocks = [_ENVELOPE, *(dot + envelope for dot, envelope in letters)]
    whole = b"".join(blocks)
    places = sorted({0, *(cut for cut in cuts if cut < len(whole)), len(whole)})
    by_line = _play(whole.splitlines(keepends=True))
    assert _play(blocks) == by_line
    assert _play([whole[a:b] for a, b in itertools.pairwise(places)]) == by_line
