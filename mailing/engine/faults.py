"""Named places at which a test lets the engine die, fail or wait. Without a test they do nothing.

`FAULT=<point>:<n>:<action>` in the environment acts when the n-th time is reached, and only where
`FAULTS_ALLOWED=1` is there as well, which no installation has. Actions: `kill9`, `stop` (SIGSTOP),
`raise`, `sleep<seconds>`, `dbclose` (the connection to the database is gone) and `enospc`.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from enum import StrEnum

from django.db import connection


class Point(StrEnum):
    """Each place, in the order in which a letter passes them."""

    OCCURRENCE_TAKEN = "occurrence-taken"
    """The mailing's next date is moved on, its run not made yet."""
    RUN_MADE = "run-made"
    """The run is there, its deliveries are not."""
    FROZEN = "frozen"
    """Deliveries and batches are there, nothing is committed."""
    OPENED = "opened"
    """The run is committed."""
    LEASED = "leased"
    """A batch is leased, not committed."""
    BEFORE_INTENT = "before-intent"
    """Letters are chosen, the watermark is where it was."""
    INTENT_WRITTEN = "intent-written"
    """The watermark is moved, not committed."""
    AFTER_INTENT = "after-intent"
    """The watermark is durable, nothing has been rendered."""
    RENDERED = "rendered"
    """A letter's bytes are there, its envelope has not left."""
    ENVELOPE_ANSWERED = "envelope-answered"
    """The server has answered a MAIL, RCPT or DATA."""
    JOURNAL_LINE = "journal-line"
    """A line is about to go into the journal: before a dot, or with an answer."""
    BEFORE_DOT = "before-dot"
    """The journal has the line, the system call with the dot comes next."""
    AFTER_SEND = "after-send"
    """A system call has handed bytes to the network, those with a dot among them."""
    AFTER_REPLY = "after-reply"
    """The server has answered for a letter, and only this process knows."""
    BEFORE_OUTCOME = "before-outcome"
    """Answers are about to be written to the database."""
    OUTCOME_WRITTEN = "outcome-written"
    """Answers are written, not committed."""
    AFTER_OUTCOME = "after-outcome"
    """The last answers of a slice are committed and its leases given back."""
    RELEASED = "released"
    """A batch is given back, not committed."""
    RUN_CLOSED = "run-closed"
    """A run is completed, its mailing has not heard of it."""
    TAKEN_BACK = "taken-back"
    """The sweeper has a dead sender's batch, nothing in it is settled."""
    SPLIT_OFF = "split-off"
    """What was not armed is a batch of its own, not committed."""
    SETTLED = "settled"
    """The armed part is settled, the batch not given back, nothing committed."""
    JOURNAL_SETTLED = "journal-settled"
    """All that a journal tells is in the database, and the journal still there."""


class InjectedFault(RuntimeError):
    """What the action `raise` raises: an error that nobody has foreseen."""


_watcher: Callable[[Point], None] | None = None


def point(name: Point) -> None:
    """Tell the watching test, if there is one, that this place has been reached."""
    if _watcher is not None:
        _watcher(name)


def watch(watcher: Callable[[Point], None] | None) -> None:
    """Have `watcher` called at every point from now on, or nobody."""
    global _watcher
    if watcher is not None and os.environ.get("FAULTS_ALLOWED") != "1":
        raise AssertionError("faults are for tests alone")
    _watcher = watcher


def arm(fault: str) -> None:
    """Prepare `<point>:<n>:<action>`."""
    name, number, action = fault.split(":")
    awaited, left = Point(name), int(number)

    def reached(name: Point) -> None:
        nonlocal left
        if name is awaited:
            left -= 1
            if left == 0:
                _act(action)

    watch(reached)


def _act(action: str) -> None:
    if action == "kill9":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == "raise":
        raise InjectedFault
    elif action == "enospc":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    elif action == "dbclose":
        if connection.connection is not None:
            connection.connection.close()
    elif action.startswith("sleep"):
        time.sleep(float(action.removeprefix("sleep")))
    else:
        raise ValueError(f"unknown action {action!r}")


if os.environ.get("FAULTS_ALLOWED") == "1" and "FAULT" in os.environ:
    arm(os.environ["FAULT"])
