"""How the mail servers of invented clients answer: mostly yes, sometimes later, seldom no."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from mailing.engine.classify import Reply, classify
from mailing.engine.retry import wait_after
from mailing.enums import DeliveryState, Outcome, Stage
from mailing.models import Client

_GREYLISTED = 0.015

GONE = (Stage.RCPT, Reply(550, "5.1.1", "User unknown"))
FULL = (Stage.RCPT, Reply(552, "5.2.2", "Mailbox full"))
DISABLED = (Stage.RCPT, Reply(550, "5.2.1", "This mailbox is not in use"))
REFUSING = (Stage.DOT, Reply(550, "5.7.1", "Message refused by local policy"))
BUSY = (Stage.RCPT, Reply(450, "4.2.0", "Mailbox busy, try again later"))
GREYLISTING = (Stage.RCPT, Reply(451, "4.7.1", "Greylisted, try again in 5 minutes"))
_SILENCE = Reply(0, text="the sender ended before the server's answer")


class Habit(NamedTuple):
    """What a client's server answers from `since` until `until` instead of taking the letter."""

    since: datetime
    until: datetime
    answer: tuple[Stage, Reply]


class Try(NamedTuple):
    at: datetime
    stage: Stage
    reply: Reply
    outcome: Outcome


class Fate(NamedTuple):
    """What became of a letter."""

    state: DeliveryState
    tries: list[Try]
    next_attempt_at: datetime | None = None
    gone: bool = False
    """The address does not exist, so it is to be suppressed."""

    @property
    def last_at(self) -> datetime:
        return self.tries[-1].at


def habits(clients: Sequence[Client], random: Random, today: datetime) -> dict[int, Habit]:
    """Return the habits of those few clients whose servers have one, by the client's id."""
    settled = [c for c in clients if c.created_at < today - timedelta(days=95)]
    gone, refusing = len(clients) // 90, 2
    chosen = iter(random.sample(settled, gone + refusing + 3))
    found = {}
    for _ in range(gone):
        since = today - timedelta(days=random.randrange(4, 86))
        found[next(chosen).pk] = Habit(since, _ever(today), GONE)
    for _ in range(refusing):
        found[next(chosen).pk] = Habit(_never(today), _ever(today), REFUSING)
    found[next(chosen).pk] = Habit(today - timedelta(days=40), _ever(today), DISABLED)
    for days_ago in (61, 33):
        since = today - timedelta(days=days_ago)
        found[next(chosen).pk] = Habit(since, since + timedelta(days=14), FULL)
    return found


def _never(today: datetime) -> datetime:
    return today - timedelta(days=10_000)


def _ever(today: datetime) -> datetime:
    return today + timedelta(days=10_000)


def correspond(
    client: Client,
    habit: Habit | None,
    expires_at: datetime,
    random: Random,
    *,
    first_at: datetime,
    until: datetime,
) -> Fate:
    """Send a letter, again and again if need be, as the engine would; look at it at `until`."""
    tries: list[Try] = []
    at = first_at
    while True:
        stage, reply = _answer(client, habit, at, len(tries), random)
        verdict = classify(stage, reply)
        if verdict.state is None:
            raise ValueError(f"No reply of a client's server: {reply}")
        tries.append(Try(at, stage, reply, verdict.outcome))
        if verdict.state != DeliveryState.DEFERRED:
            return Fate(verdict.state, tries, gone=verdict.suppress)
        at += wait_after(len(tries), random)
        if min(at, until) >= expires_at:
            return Fate(DeliveryState.EXPIRED, tries)
        if at > until:
            return Fate(DeliveryState.DEFERRED, tries, next_attempt_at=at)


def lose_sight(at: datetime) -> Fate:
    """Break the connection after the final dot, before the answer."""
    return Fate(DeliveryState.UNKNOWN, [Try(at, Stage.DOT, _SILENCE, Outcome.UNKNOWN)])


def _answer(
    client: Client, habit: Habit | None, at: datetime, tried: int, random: Random
) -> tuple[Stage, Reply]:
    domain = client.email_normalized.rpartition("@")[2]
    if domain == "bounce.test":  # as the mail catcher does
        return GONE
    if habit is not None and habit.since <= at < habit.until:
        return habit.answer
    if not tried and (domain == "defer.test" or random.random() < _GREYLISTED):
        return GREYLISTING
    return Stage.DOT, Reply(250, "2.0.0", f"Ok: queued as {random.randrange(16**10):010X}")
