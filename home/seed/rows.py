"""Saves past runs with their letters as the rows that the engine would have left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from home.seed.post_office import Fate
from mailing.engine import hourly
from mailing.engine.audience import BATCH_SIZE
from mailing.engine.classify import cause_of
from mailing.enums import OPEN_DELIVERIES, DeliveryState, Outcome
from mailing.models import Attempt, Batch, Client, Delivery, Run

_ROWS_AT_ONCE = 2000


@dataclass
class Letter:
    client: Client
    fate: Fate
    row: Delivery = field(init=False)

    @property
    def is_open(self) -> bool:
        return self.fate.state in OPEN_DELIVERIES


@dataclass
class Sent:
    """A run that is not saved yet; `last_at` is when it last had a sender."""

    run: Run
    letters: Sequence[Letter]
    last_at: datetime


def save(history: Sequence[Sent]) -> None:
    Run.objects.bulk_create(sent.run for sent in history)
    for sent in history:
        for letter in sent.letters:
            letter.row = _delivery(sent.run, letter)
    letters = [letter for sent in history for letter in sent.letters]
    Delivery.objects.bulk_create((letter.row for letter in letters), batch_size=_ROWS_AT_ONCE)
    Batch.objects.bulk_create(batch for sent in history for batch in _batches(sent))
    Attempt.objects.bulk_create(
        (attempt for letter in letters for attempt in _attempts(letter)), batch_size=_ROWS_AT_ONCE
    )
    for sent in history:
        _count(sent)


def _count(sent: Sent) -> None:
    """Add a run's attempts to the statistics, as `ledger.record` would have."""
    attempts = Attempt.objects.filter(delivery__run=sent.run)
    source = hourly.sources([sent.run.pk])[sent.run.pk]
    counts: Counter[hourly.Key] = Counter()
    ids = []
    for pk, at, outcome, cause in attempts.values_list("pk", "at", "outcome", "cause"):
        ids.append(pk)
        counts[hourly.Key(*source, hourly.hour_of(at), Outcome(outcome), cause or 0)] += 1
    hourly.add(counts, ids)


def _delivery(run: Run, letter: Letter) -> Delivery:
    client, fate = letter.client, letter.fate
    reply = fate.tries[-1].reply if fate.tries else None
    return Delivery(
        run=run,
        client=client,
        email=client.email,
        email_normalized=client.email_normalized,
        state=fate.state,
        attempts=len(fate.tries),
        next_attempt_at=fate.next_attempt_at,
        last_code=(reply.code or None) if reply else None,
        last_reply=f"{reply.enhanced} {reply.text}".strip() if reply else "",
    )


def _batches(sent: Sent) -> Iterator[Batch]:
    """Cut a run as `engine.audience` does: what was suppressed from the start is in no batch."""
    waiting = [x for x in sent.letters if x.fate.state != DeliveryState.SUPPRESSED]
    for first in range(0, len(waiting), BATCH_SIZE):
        part = waiting[first : first + BATCH_SIZE]
        due = [x.fate.next_attempt_at or sent.last_at for x in part if x.is_open]
        yield Batch(
            run=sent.run,
            first_id=part[0].row.pk,
            last_id=part[-1].row.pk,
            done=not due,
            due_at=min(due, default=sent.last_at),
            leased_at=sent.last_at,
        )


def _attempts(letter: Letter) -> Iterator[Attempt]:
    for number, attempt in enumerate(letter.fate.tries, start=1):
        yield Attempt(
            owner_id=letter.client.owner_id,
            delivery=letter.row,
            number=number,
            at=attempt.at,
            outcome=attempt.outcome,
            stage=attempt.stage,
            code=attempt.reply.code or None,
            enhanced=attempt.reply.enhanced,
            reply=attempt.reply.text,
            cause=cause_of(attempt.outcome, attempt.stage, attempt.reply),
        )
