"""Whose fault a reply of the mail server is, and what follows for the client. Pure.

The first digit decides (RFC 5321 section 4.2.1), then the stage, then the enhanced code (RFC 3463),
which counts only if it agrees with the first digit (RFC 2034). Who is at fault matters more than
4 or 5: a fault of the server or of our settings never costs a client an attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from mailing.enums import Cause, DeliveryState, Outcome, Stage


class Reply(NamedTuple):
    """A reply of the mail server. Code 0 means that none came, or none that could be read."""

    code: int
    enhanced: str = ""
    text: str = ""

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 400


class Fault(Enum):
    """Who or what a refusal is about."""

    NONE = "none"
    TRANSPORT = "transport"  # the connection or the server as a whole
    CONFIGURATION = "configuration"  # our credentials or TLS settings
    ADDRESS = "address"  # no such mailbox
    MAILBOX = "mailbox"  # full, busy, disabled, greylisted
    POLICY = "policy"  # the sender is not wanted
    MESSAGE = "message"  # the letter itself
    PROTOCOL = "protocol"  # our bug, or a connection in a confused state
    RATE = "rate"  # too much at once


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reply means.

    `state` is the delivery's next state; None leaves it as it was and counts no attempt.
    `hang_up` asks for a new connection before the next letter.
    """

    outcome: Outcome
    state: DeliveryState | None
    fault: Fault
    suppress: bool = False
    hang_up: bool = False


_DOT = Stage.DOT  # a name of its own as in `transport.session`
ACCEPTED = Verdict(Outcome.ACCEPTED, DeliveryState.SENT, Fault.NONE)
_UNKNOWN = Verdict(Outcome.UNKNOWN, DeliveryState.UNKNOWN, Fault.TRANSPORT, hang_up=True)

_NO_SUCH_MAILBOX = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
DISABLED = "5.2.1"
"""The mailbox is switched off, perhaps for some days: it takes two answers to suppress."""
_BAD_CREDENTIALS = frozenset({530, 534, 535, 538})


def classify(stage: Stage, reply: Reply) -> Verdict:
    """Return what `reply` at `stage` means for the letter it answers."""
    kind = reply.code // 100
    if stage is _DOT:
        if kind == 2:
            return ACCEPTED
        if kind not in {4, 5}:
            return _UNKNOWN
    if reply.code == 421:
        # RFC 5321 section 3.8: the server is closing. Before the dot nothing is lost.
        if stage == Stage.DOT:
            return _transient(Fault.TRANSPORT, hang_up=True)
        return _untouched(Fault.TRANSPORT)
    if kind not in {4, 5}:
        return _untouched(Fault.PROTOCOL)
    if stage == Stage.CONNECT:
        return _untouched(
            Fault.CONFIGURATION if reply.code in _BAD_CREDENTIALS else Fault.TRANSPORT
        )
    enhanced = reply.enhanced if reply.enhanced.startswith(f"{kind}.") else ""
    return _refused_for_now(reply, enhanced) if kind == 4 else _refused(stage, reply, enhanced)


def _refused_for_now(reply: Reply, enhanced: str) -> Verdict:
    if enhanced.startswith("4.3.") or reply.code == 431 or (reply.code == 452 and not enhanced):
        return _untouched(Fault.TRANSPORT)  # the server is full, not the mailbox
    if enhanced == "4.7.28" or "too m" in reply.text.lower():
        return _transient(Fault.RATE)
    return _transient(Fault.MAILBOX)


def _refused(stage: Stage, reply: Reply, enhanced: str) -> Verdict:
    code = reply.code
    if code in _BAD_CREDENTIALS:
        return _untouched(Fault.CONFIGURATION)
    if code in {500, 501, 502, 503} and not enhanced.startswith(("5.1.", "5.7.")):
        return _permanent(Fault.PROTOCOL, hang_up=True)
    if enhanced == "5.2.2" or (code == 552 and stage in {Stage.MAIL, Stage.RCPT} and not enhanced):
        return _transient(Fault.MAILBOX)  # full: transient in fact
    if enhanced in _NO_SUCH_MAILBOX and stage == Stage.RCPT:
        return _permanent(Fault.ADDRESS, suppress=True)
    if enhanced == DISABLED:
        return _permanent(Fault.MAILBOX, suppress=True)
    if enhanced.startswith("5.7."):
        return _permanent(Fault.POLICY)
    if code == 555 or enhanced == "5.6.7":
        return _permanent(Fault.PROTOCOL)
    if stage in {Stage.DATA, Stage.DOT} or enhanced.startswith(("5.3.4", "5.6.")):
        return _permanent(Fault.MESSAGE)
    if stage == Stage.RCPT and not enhanced and code in {550, 551, 553}:
        # Without an enhanced code nobody can say whether the address or the sender is meant.
        return _permanent(Fault.ADDRESS)
    return _permanent(Fault.POLICY)


_CAUSES = {
    "1.0": Cause.NO_MAILBOX,
    "1.1": Cause.NO_MAILBOX,
    "1.2": Cause.NO_MAILBOX,
    "1.3": Cause.NO_MAILBOX,
    "1.6": Cause.NO_MAILBOX,
    "1.10": Cause.NO_MAILBOX,
    "2.1": Cause.DISABLED,
    "2.2": Cause.FULL,
    "2.3": Cause.CONTENT,
    "3.4": Cause.CONTENT,
}
"""By subject and detail of the enhanced code; other ones of class 4 or 5 follow their class."""


def cause_of(outcome: Outcome, stage: Stage, reply: Reply) -> Cause | None:
    """Return why an attempt did not end well, None if it did. For people and their statistics.

    Migration 0012 says the same in SQL of the rows there were.
    """
    if outcome == Outcome.ACCEPTED:
        return None
    if stage == Stage.RENDER:
        return Cause.COMPOSING
    if outcome == Outcome.UNKNOWN:
        return Cause.NO_ANSWER
    if (known := _CAUSES.get(reply.enhanced[2:])) is not None:
        return known
    if not reply.enhanced and reply.code in {452, 552}:
        return Cause.FULL
    if outcome == Outcome.TRANSIENT:
        return Cause.BUSY
    if reply.enhanced.startswith("5.6."):
        return Cause.CONTENT
    return Cause.POLICY if reply.enhanced.startswith("5.7.") else Cause.UNCLEAR


def _untouched(fault: Fault) -> Verdict:
    return Verdict(Outcome.TRANSIENT, None, fault, hang_up=True)


def _transient(fault: Fault, *, hang_up: bool = False) -> Verdict:
    return Verdict(Outcome.TRANSIENT, DeliveryState.DEFERRED, fault, hang_up=hang_up)


def _permanent(fault: Fault, *, suppress: bool = False, hang_up: bool = False) -> Verdict:
    return Verdict(
        Outcome.PERMANENT, DeliveryState.FAILED, fault, suppress=suppress, hang_up=hang_up
    )
