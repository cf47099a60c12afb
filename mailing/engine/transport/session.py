"""The SMTP protocol on one connection, as a state machine without a socket.

It always knows at which stage the server answered, and whether a letter's final dot may have left:
that is what tells "certainly not sent" from "nobody can know" (RFC 1047, RFC 5321 section 6.1).

The owner of the socket passes in what arrives (`receive`) and sends what is in `outgoing`. Letters
come from the handler, which is asked when a connection can take the next one; with PIPELINING
(RFC 2920) the next envelope leaves together with the letter before it.
"""

from __future__ import annotations

import base64
import re
from collections import deque
from enum import IntEnum
from typing import NamedTuple, Protocol

from mailing.engine import faults
from mailing.engine.classify import Reply
from mailing.engine.faults import Point
from mailing.engine.transport.replies import ReplyError, ReplyReader, parse, plain_reply
from mailing.engine.transport.server import MailServer, Security
from mailing.enums import Stage


class Outgoing(NamedTuple):
    """A rendered letter. `content` has CRLF line ends and no line that begins with a dot."""

    delivery_id: int
    attempt: int
    sender: bytes
    recipient: bytes
    content: bytes
    needs_utf8: bool = False


class Handler(Protocol):
    """What the owner of the letters is asked and told, synchronously."""

    def next_letter(self) -> Outgoing | None:
        """Return the next letter, or None if there is none."""

    def has_letters(self) -> bool:
        """Return whether `next_letter` may still find one, so that a new connection is worth it."""

    def is_waiting(self) -> bool:
        """Return whether `next_letter` has none only for the moment: a rate is used up."""

    def stop(self) -> None:
        """Hand out no more letters; those under way are still answered."""

    def about_to_dot(self, letter: Outgoing) -> None:
        """The bytes with the final dot of `letter` are among the next to leave."""

    def about_to_send(self) -> None:
        """What has been prepared leaves next. Raise Withheld to hold it back."""

    def meanwhile(self, letters: int) -> None:
        """The server has something to do: have so many letters ready for when it answers."""

    def runs_low(self) -> bool:
        """Return whether it is time to `restock`, if a moment can be had."""

    def restock(self) -> None:
        """All connections wait for the server: do now what they would wait for later."""

    def answered(self, letter: Outgoing, stage: Stage, reply: Reply) -> bool:
        """The server has answered `letter` at `stage`; return whether to hang up.

        Code 0 at DOT means that nobody can know.
        """

    def returned(self, letter: Outgoing, stage: Stage, reply: Reply) -> None:
        """The connection ended before the dot of `letter`: it has certainly not been sent."""


class Withheld(Exception):
    """A letter must not leave, because nobody could say afterwards that it did."""


class Trouble(Exception):
    """The connection is of no more use. `configuration`: our settings are to blame."""

    def __init__(self, reply: Reply, *, configuration: bool = False) -> None:
        super().__init__(f"{reply.code} {reply.text}" if reply.code else reply.text)
        self.reply = reply
        self.configuration = configuration


class _Expect(IntEnum):
    """What the next reply answers."""

    GREETING = 1
    EHLO = 2
    HELO = 3
    STARTTLS = 4
    AUTH = 5
    MAIL = 6
    RCPT = 7
    DATA = 8
    DOT = 9
    LONE_DOT = 10  # ends a DATA that nobody was to get (RFC 2920 section 3.1)
    RSET = 11
    QUIT = 12


# Names of their own for what each letter passes: in Python 3.11 to reach an enum's member takes as
# long as to call a function.
_DOT, _ENVELOPE_ANSWERED, _AT_DOT = _Expect.DOT, Point.ENVELOPE_ANSWERED, Stage.DOT
_ENVELOPE = (_Expect.MAIL, _Expect.RCPT, _Expect.DATA)
_LETTER = deque((_DOT, *_ENVELOPE))
_LETTER_ANSWERED = re.compile(
    rb"(2\d\d) (?:([245]\.\d{1,3}\.\d{1,3})(?=[ \r]))?([ -~]{0,400})\r\n"
    rb"25\d .{0,500}\n25\d .{0,500}\n354 .{0,500}\n"
)
"""A letter has been taken and the next may come: what a server with PIPELINING answers at once."""
_STAGES = {_Expect.MAIL: Stage.MAIL, _Expect.RCPT: Stage.RCPT, _Expect.DATA: Stage.DATA}


class Session:
    """One connection. `wants_tls` asks for a handshake, after which `tls_started` goes on."""

    __slots__ = (
        "_after_dot",
        "_auth_steps",
        "_commands",
        "_expected",
        "_extensions",
        "_handler",
        "_letter",
        "_next",
        "_pipelining",
        "_refusal",
        "_replies",
        "_secure",
        "_server",
        "_taken",
        "_wants_size",
        "accepted",
        "answers",
        "closed",
        "outgoing",
        "ready",
        "wants_tls",
    )

    def __init__(self, server: MailServer, handler: Handler, *, secure: bool) -> None:
        self._server = server
        self._handler = handler
        self._secure = secure
        self._replies = ReplyReader()
        self._expected: deque[_Expect] = deque([_Expect.GREETING])
        self._commands: deque[tuple[bytes, _Expect]] = deque()  # not sent yet: no pipelining
        self._extensions: dict[str, str] = {}
        self._pipelining = False
        self._wants_size = False
        self._auth_steps: list[bytes] = []
        self._letter: Outgoing | None = None  # the content has left, its answer is owed
        self._next: Outgoing | None = None  # the envelope has left
        self._refusal: tuple[Stage, Reply] | None = None  # why `_next` will not go
        self._after_dot = 0  # how many of the bytes in `outgoing` come after the dot of `_letter`
        self._taken = 0
        self.outgoing = b""
        self.accepted = 0  # letters that the server took
        self.answers = 0  # replies so far
        self.ready = False
        self.closed = False
        self.wants_tls = False

    # --- For the owner of the socket --------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether an answer is owed."""
        return bool(self._expected) or bool(self._commands)

    @property
    def idle(self) -> bool:
        """Whether it could carry a letter and has none."""
        return self.ready and not self.busy

    @property
    def patience(self) -> float:
        """Return how many seconds the answer that is owed next may take."""
        timeouts = self._server.timeouts
        expected = self._expected[0] if self._expected else None
        if expected is _DOT:
            return timeouts.dot
        if expected is _Expect.DATA:
            return timeouts.data
        if expected is _Expect.QUIT:
            return timeouts.goodbye
        return timeouts.greeting if expected is _Expect.GREETING else timeouts.command

    @property
    def leaving(self) -> bool:
        """Whether it has said goodbye: whatever happens now harms no letter."""
        return self.closed or (bool(self._expected) and self._expected[0] is _Expect.QUIT)

    def receive(self, data: bytes) -> None:
        """Take bytes from the server. Raises Trouble, after which only `lost` may be called."""
        try:
            if self._expected == _LETTER and self._replies.is_empty:
                found = _LETTER_ANSWERED.fullmatch(data)
                if found is not None:
                    self._letter_answered(plain_reply(*found.groups(b"")))
                    return
            for reply in self._replies.feed(data):
                self._receive(reply)
        except ReplyError as error:
            raise Trouble(Reply(0, text=f"the server's answer makes no sense: {error}")) from error

    def tls_started(self) -> None:
        """Go on after the handshake, forgetting what was said in clear (RFC 3207 section 4.2)."""
        self.wants_tls = False
        self._secure = True
        self._extensions = {}
        self._hello()

    def take(self) -> None:
        """Start the next letter if the connection is ready and owes no answer; else say goodbye.

        While a rate is used up the connection stays open, for about a second: too short to need a
        NOOP before the next letter. Call again later then.
        """
        if self._expected or not self.idle:
            return
        letter = self._choose()
        if letter is not None:
            self._send_envelope(letter)
        elif self._taken == self._server.messages_per_connection or not self._handler.is_waiting():
            self.quit()

    def quit(self) -> None:
        """Say goodbye; `closed` is set when the server has answered."""
        if not self.busy and not self.closed:
            self.ready = False
            self._send(b"QUIT\r\n", _Expect.QUIT)

    def lost(self, reply: Reply) -> None:
        """Settle what was under way when the connection ended."""
        self.closed = True
        self.ready = False
        letter, following = self._letter, self._next
        self._letter = self._next = None
        if letter is not None:
            if len(self.outgoing) > self._after_dot:
                self._handler.returned(letter, Stage.DATA, reply)
            else:
                self._handler.answered(letter, Stage.DOT, Reply(0, text=reply.text))
        if following is not None:
            if self._refusal is not None:
                self._handler.answered(following, *self._refusal)
            else:
                # A goodbye to a connection that has had its share is no letter's fault.
                goodbye = reply.code == 421 and self.accepted
                self._handler.returned(following, Stage.RCPT, Reply(0) if goodbye else reply)

    # --- Replies ----------------------------------------------------------------------------------

    def _receive(self, raw: bytes) -> None:
        if not self._expected:
            raise Trouble(parse(raw))  # unasked: 421 before the server hangs up
        expected = self._expected.popleft()
        self.answers += 1
        if expected is _DOT:
            self._dot_answered(parse(raw))
        elif expected in _ENVELOPE:
            self._envelope_answered(expected, raw)
        elif expected is _Expect.LONE_DOT:
            self._next_refused()
        elif expected is _Expect.RSET:
            if raw[:1] != b"2":
                raise Trouble(parse(raw))
            self.take()
        elif expected is _Expect.QUIT:
            self.closed = True
        else:
            self._greeted(expected, raw)
        if self._commands and not self._expected:
            self._send(*self._commands.popleft())

    def _letter_answered(self, reply: Reply) -> None:
        """Do at once what `_receive` would for four answers that let the next letter go."""
        self.answers += 4
        self._expected.popleft()
        self._dot_answered(reply)
        self._expected.clear()
        for _expected in _ENVELOPE:
            faults.point(_ENVELOPE_ANSWERED)
        self._send_content()

    def _envelope_answered(self, expected: _Expect, raw: bytes) -> None:
        faults.point(_ENVELOPE_ANSWERED)
        positive = raw[:3] == b"354" if expected is _Expect.DATA else raw[:2] == b"25"
        if not positive and self._refusal is None:
            reply = parse(raw)
            if reply.code == 421 or reply.is_positive:
                raise Trouble(reply)
            self._refusal = (_STAGES[expected], reply)
            if not self._pipelining:
                self._commands.clear()
                self._next_refused()
                return
        if expected is not _Expect.DATA:
            return
        if self._refusal is None:
            self._send_content()
        elif positive:
            self._send(b".\r\n", _Expect.LONE_DOT)
        else:
            self._next_refused()

    def _send_content(self) -> None:
        letter = self._letter = self._owed(self._next)
        self._next = None
        following = self._choose() if self._pipelining else None
        self._handler.about_to_dot(letter)
        self.outgoing += letter.content + b".\r\n"
        self._after_dot = 0
        self._expected.append(_DOT)
        if following is not None:
            self._send_envelope(following)

    def _dot_answered(self, reply: Reply) -> None:
        letter = self._owed(self._letter)
        self._letter = None
        self.accepted += reply.is_positive
        if self._handler.answered(letter, _AT_DOT, reply):
            raise Trouble(reply)
        self.take()

    def _next_refused(self) -> None:
        letter = self._owed(self._next)
        stage, reply = self._refusal or (Stage.DATA, Reply(0))
        self._next = self._refusal = None
        if self._handler.answered(letter, stage, reply):
            raise Trouble(reply)
        self._send(b"RSET\r\n", _Expect.RSET)
        if self._pipelining and (following := self._choose()) is not None:
            self._send_envelope(following)

    @staticmethod
    def _owed(letter: Outgoing | None) -> Outgoing:
        if letter is None:  # the expected replies and the letters under way go together
            raise AssertionError("an answer without a letter")
        return letter

    # --- Letters ----------------------------------------------------------------------------------

    def _choose(self) -> Outgoing | None:
        """Take the next letter, if this connection may carry one more."""
        while self._taken < self._server.messages_per_connection:
            letter = self._handler.next_letter()
            if letter is None:
                return None
            if letter.needs_utf8 and "SMTPUTF8" not in self._extensions:
                reply = Reply(553, "5.6.7", "the mail server does not offer SMTPUTF8")
                self._handler.answered(letter, Stage.MAIL, reply)
                continue
            self._taken += 1
            return letter
        return None

    def _send_envelope(self, letter: Outgoing) -> None:
        self._next = letter
        mail, rcpt = self._envelope(letter)
        if self._pipelining:
            envelope = mail + rcpt + b"DATA\r\n"
            self.outgoing += envelope
            self._after_dot += len(envelope)
            self._expected.extend(_ENVELOPE)
        else:
            self._commands.extend(((rcpt, _Expect.RCPT), (b"DATA\r\n", _Expect.DATA)))
            self._send(mail, _Expect.MAIL)

    def _envelope(self, letter: Outgoing) -> tuple[bytes, bytes]:
        options = b""
        if self._wants_size:
            options = b" SIZE=%d" % len(letter.content)
        if letter.needs_utf8:
            options += b" SMTPUTF8"
            if "8BITMIME" in self._extensions:
                options += b" BODY=8BITMIME"
        return (
            b"MAIL FROM:<%b>%b\r\n" % (letter.sender, options),
            b"RCPT TO:<%b>\r\n" % letter.recipient,
        )

    def _send(self, command: bytes, expected: _Expect) -> None:
        self.outgoing += command
        self._after_dot += len(command)
        self._expected.append(expected)

    # --- Greeting, TLS, log-in --------------------------------------------------------------------

    def _greeted(self, expected: _Expect, raw: bytes) -> None:
        reply = parse(raw)
        if expected is _Expect.GREETING:
            if reply.code != 220:
                raise Trouble(reply)
            self._hello()
        elif expected is _Expect.EHLO and reply.code in {500, 501, 502, 504, 550}:
            self._send(b"HELO " + self._server.local_name.encode() + b"\r\n", _Expect.HELO)
        elif expected is _Expect.EHLO or expected is _Expect.HELO:
            if reply.code != 250:
                raise Trouble(reply)
            self._extensions = _extensions(raw) if expected is _Expect.EHLO else {}
            self._introduced()
        elif expected is _Expect.STARTTLS:
            if reply.code != 220:
                raise Trouble(reply, configuration=True)
            if not self._replies.is_empty:
                # Bytes that were in the pipe before TLS could pose as answers inside of it.
                raise Trouble(Reply(0, text="the server spoke on after STARTTLS"))
            self.wants_tls = True
        else:
            self._log_in_answered(reply)

    def _hello(self) -> None:
        self._send(b"EHLO " + self._server.local_name.encode() + b"\r\n", _Expect.EHLO)

    def _introduced(self) -> None:
        self._pipelining = "PIPELINING" in self._extensions
        self._wants_size = "SIZE" in self._extensions
        if self._server.security is Security.STARTTLS and not self._secure:
            if "STARTTLS" not in self._extensions:
                text = "the server does not offer STARTTLS, and nothing is sent in clear"
                raise Trouble(Reply(0, text=text), configuration=True)
            self._send(b"STARTTLS\r\n", _Expect.STARTTLS)
        elif self._server.user:
            self._log_in()
        else:
            self.ready = True

    def _log_in(self) -> None:
        user, password = self._server.user.encode(), self._server.password.encode()
        mechanisms = self._extensions.get("AUTH", "").split()
        if "PLAIN" in mechanisms:
            token = base64.b64encode(b"\0" + user + b"\0" + password)
            self._send(b"AUTH PLAIN " + token + b"\r\n", _Expect.AUTH)
        elif "LOGIN" in mechanisms:
            self._auth_steps = [base64.b64encode(user), base64.b64encode(password)]
            self._send(b"AUTH LOGIN\r\n", _Expect.AUTH)
        else:
            text = "the server offers neither AUTH PLAIN nor AUTH LOGIN"
            raise Trouble(Reply(0, text=text), configuration=True)

    def _log_in_answered(self, reply: Reply) -> None:
        if reply.code == 334 and self._auth_steps:
            self._send(self._auth_steps.pop(0) + b"\r\n", _Expect.AUTH)
        elif reply.code == 235:
            self.ready = True
        else:
            raise Trouble(reply, configuration=reply.code // 100 == 5)


def _extensions(raw: bytes) -> dict[str, str]:
    """Return what the server's EHLO offers: keyword to parameters (RFC 5321 section 4.1.1.1)."""
    found: dict[str, str] = {}
    for line in raw.decode("ascii", "replace").split("\n")[1:]:
        keyword, _blank, parameters = line[4:].strip().upper().partition(" ")
        found[keyword] = parameters
    return found
