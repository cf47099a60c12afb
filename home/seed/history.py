"""Makes up the runs of the past weeks, and what became of each letter in them.

All mailings of an owner are gone through in the order of their dates, because an address that turns
out not to exist in one run gets no letter in the next, whichever mailing that belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from accounts.models import User
from home.seed import rows
from home.seed.chance import dice
from home.seed.plans import Plan
from home.seed.post_office import BUSY, FULL, Fate, Habit, correspond, habits, lose_sight
from home.seed.rows import Letter, Sent
from mailing.engine.classify import DISABLED
from mailing.engine.letter import Content
from mailing.engine.planner import GIVE_UP_AFTER
from mailing.engine.suppressions import DISABLED_FOR_GOOD
from mailing.enums import (
    DeliveryState,
    MailingStatus,
    RunStatus,
    SuppressionReason,
)
from mailing.models import Client, Mailing, Run, Suppression

_BETWEEN_LETTERS = timedelta(milliseconds=60)
_OUTAGE = timedelta(hours=13)
"""Longer than the planner's grace of twelve hours."""


@dataclass
class Past:
    """A mailing with what the history needs to know of it, and what it finds out."""

    plan: Plan
    mailing: Mailing
    contents: list[Content]
    until: datetime
    created_at: datetime = field(init=False)
    stopped_at: datetime | None = None
    """When its run was paused or cancelled under way."""
    busy_until: datetime | None = None
    """When the last run had an end; None before the first."""
    audience: list[Client] = field(default_factory=list)


def write_history(owner: User, pasts: Sequence[Past], now: datetime) -> None:
    """Make runs, batches, deliveries, attempts and suppressions. Call inside a transaction."""
    _History(owner, pasts, now).write()


class _History:
    def __init__(self, owner: User, pasts: Sequence[Past], now: datetime) -> None:
        clients = list(Client.objects.owned_by(owner).order_by("pk"))
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self._owner = owner
        self._pasts = pasts
        self._now = now
        left = Suppression.objects.filter(owner=owner).values_list("email_normalized", "created_at")
        self._suppressed: dict[str, datetime] = dict(left)
        self._disabled: dict[str, datetime] = {}
        self._bounced: dict[str, datetime] = {}
        self._history: list[Sent] = []
        for past in pasts:
            members = _members(past.mailing)
            past.audience = [client for client in clients if client.pk in members]
        daily = {c.pk for past in pasts if _is_daily(past) for c in past.audience}
        steady = [
            client
            for client in clients
            if client.pk not in daily and client.email_normalized not in self._suppressed
        ]
        self._habits = habits(steady, dice(f"habits of the clients of {pasts[0].plan.name}"), today)
        for past in filter(_is_daily, pasts):
            self._fill_a_mailbox(past, today)

    def write(self) -> None:
        for past, due_at, back in self._occurrences():
            self._open(past, due_at, back)
        rows.save(self._history)
        Suppression.objects.bulk_create(
            Suppression(
                owner=self._owner,
                email_normalized=address,
                reason=SuppressionReason.BOUNCED,
                created_at=at,
            )
            for address, at in self._bounced.items()
        )

    def _occurrences(self) -> list[tuple[Past, datetime, int]]:
        """Return what fell due so far, in order, with how many runs back from now it is."""
        found = []
        for past in self._pasts:
            if past.plan.status == MailingStatus.CREATED:
                continue
            schedule = past.mailing.schedule
            before = past.mailing.starts_at - timedelta(minutes=1)
            dates = [d for d in schedule.upcoming(before, 100) if d <= past.until]
            found += [(past, date, len(dates) - index) for index, date in enumerate(dates)]
        return sorted(found, key=lambda occurrence: (occurrence[1], occurrence[0].mailing.pk))

    def _fill_a_mailbox(self, past: Past, today: datetime) -> None:
        """Fill somebody's mailbox for three days: a letter to it is tried for two, then expires.

        The run lasts as long, so the dates of a daily mailing in between are skipped.
        """
        since = today - timedelta(days=23)
        client = next(
            client
            for client in past.audience
            if client.created_at < since and client.email_normalized not in self._suppressed
        )
        self._habits[client.pk] = Habit(since, since + timedelta(days=3), FULL)

    def _open(self, past: Past, due_at: datetime, back: int) -> None:
        plan = past.plan
        random = dice(f"{plan.name}, {back} runs before now")
        opened_at = due_at + timedelta(seconds=random.randrange(1, 40))
        if past.busy_until is not None and past.busy_until > due_at:
            self._close_unsent(past, due_at, opened_at, RunStatus.SKIPPED)
        elif plan.missed and back == plan.missed:
            self._close_unsent(past, due_at, due_at + _OUTAGE, RunStatus.MISSED)
        else:
            self._send(past, due_at, opened_at, back, random)

    def _close_unsent(
        self, past: Past, due_at: datetime, opened_at: datetime, status: RunStatus
    ) -> None:
        run = Run(
            mailing=past.mailing,
            due_at=due_at,
            status=status,
            opened_at=opened_at,
            finished_at=opened_at,
            expires_at=opened_at,
        )
        self._history.append(Sent(run, [], opened_at))

    def _send(
        self, past: Past, due_at: datetime, opened_at: datetime, back: int, random: Random
    ) -> None:
        plan = past.plan
        content = past.contents[back % len(past.contents)]
        run = Run(
            mailing=past.mailing,
            due_at=due_at,
            status=RunStatus.COMPLETED,
            opened_at=opened_at,
            expires_at=opened_at + GIVE_UP_AFTER,
            subject=content.subject,
            html=content.html,
            text=content.text,
            sender_name=content.sender_name,
            reply_to=content.reply_to,
        )
        stops = plan.stopped_after if back == 1 else 0
        until = opened_at + stops * _BETWEEN_LETTERS if stops else self._now
        stops = plan.stopped_after if back == 1 else 0
        until = opened_at + stops * _BETWEEN_LETTERS if stops else self._now
        clients = [client for client in past.audience if client.created_at <= opened_at]
        reachable = [c.pk for c in clients[: stops or None] if not self._is_suppressed(c, run)]
        lost = reachable[len(reachable) // 2] if plan.lost and back == plan.lost else None
        busy = set(random.sample(reachable, plan.busy if back == 1 else 0))
        letters = []
        for index, client in enumerate(clients):
            at = opened_at + (index + random.random()) * _BETWEEN_LETTERS
            if client.pk == lost:
                fate = lose_sight(at)
            elif self._is_suppressed(client, run):
                fate = Fate(DeliveryState.SUPPRESSED, [])
            elif at > until:
                fate = Fate(DeliveryState.PENDING, [])
            else:
                habit = self._habits.get(client.pk)
                if client.pk in busy:
                    habit = Habit(opened_at, self._now, BUSY)
                fate = correspond(client, habit, run.expires_at, random, first_at=at, until=until)
                self._remember(client, fate)
            letters.append(Letter(client, fate))
        last_at = max((x.fate.last_at for x in letters if x.fate.tries), default=opened_at)
        run.audience_size, run.served_at = len(letters), last_at
        if any(letter.is_open for letter in letters):
            self._leave_open(past, run, letters, until)
        else:
            expired = any(letter.fate.state == DeliveryState.EXPIRED for letter in letters)
            run.finished_at = (run.expires_at if expired else last_at) + timedelta(seconds=1)
            past.busy_until = run.finished_at
        self._history.append(Sent(run, letters, last_at))

    def _is_suppressed(self, client: Client, run: Run) -> bool:
        since = self._suppressed.get(client.email_normalized)
        return since is not None and since <= run.opened_at

    def _remember(self, client: Client, fate: Fate) -> None:
        if fate.gone and not self._may_come_back(client, fate):
            self._suppressed.setdefault(client.email_normalized, fate.last_at)
            self._bounced.setdefault(client.email_normalized, fate.last_at)

    def _may_come_back(self, client: Client, fate: Fate) -> bool:
        """Say whether a mailbox is switched off for the first time, as the engine counts."""
        if fate.tries[-1].reply.enhanced != DISABLED:
            return False
        first_at = self._disabled.setdefault(client.email_normalized, fate.last_at)
        return fate.last_at - first_at < DISABLED_FOR_GOOD

    def _leave_open(self, past: Past, run: Run, letters: list[Letter], until: datetime) -> None:
        """Say how a run stands that has not come to its end by `until`."""
        if past.plan.status == MailingStatus.SENDING:
            run.status = RunStatus.SENDING
            return
        past.stopped_at = until
        if past.plan.status == MailingStatus.PAUSED:
            run.status = RunStatus.PAUSED
            return
        run.status, run.finished_at = RunStatus.CANCELLED, until
        for letter in letters:
            if letter.is_open:
                letter.fate = letter.fate._replace(
                    state=DeliveryState.CANCELLED, next_attempt_at=None
                )


def _is_daily(past: Past) -> bool:
    return past.mailing.schedule.period == timedelta(days=1)


def _members(mailing: Mailing) -> set[int]:
    return set(Client.objects.filter(lists__mailings=mailing).values_list("pk", flat=True))
