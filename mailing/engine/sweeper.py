"""Takes over what a dead or fenced sender left behind.

What was beyond its watermark has certainly not left and goes to the next worker at once. What was
armed is settled by the sender's journal: accepted, refused, never begun, or unknown. Where there is
no journal to trust (another boot, another host) it becomes unknown after a waiting time, and is
never sent again by itself.

A sender that dies while it composes a letter may die of it. What it had armed is suspect from then
on: the next senders note which of these they compose, a letter that is noted last when its sender
dies waits while the others leave, and at its second such death it is given up.
"""

from __future__ import annotations

import uuid
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from django.db import transaction
from django.db.models import Q

from mailing.engine import faults, ledger, runs, suppressions
from mailing.engine import journal as journals
from mailing.engine.classify import Reply
from mailing.engine.faults import Point
from mailing.engine.journal import Journal, Record
from mailing.engine.leases import LEASE
from mailing.engine.ledger import Finding
from mailing.engine.retry import wait_after
from mailing.enums import OPEN_DELIVERIES, DeliveryState, Outcome, Stage
from mailing.models import Attempt, Batch, Delivery, Mailing, OwnerGate

WAITING_TIME = timedelta(minutes=15)
"""How long the armed part of a lost lease waits for its sender: longer than the answer to a dot.

Counted from when the sender was first missed, not from the lease, so that a clock that jumps takes
nothing from the time that a living sender has to write its outcomes.
"""


def sweep(now: datetime, *, host: str, random: Random) -> None:
    """Take back all leases that have run out. Safe to call from anywhere, any number of times.

    Also those that end later than any that is taken now: the clock has been put back since.
    """
    lost = Q(lease_until__lt=now) | Q(lease_until__gt=now + 2 * LEASE)
    for batch in list(Batch.objects.filter(lost, done=False).order_by("pk")):
        here = batch.host == host
        with journals.seize(Path(batch.journal)) if here else nullcontext() as journal:
            record = journal.read() if journal is not None else None
            _take_back(batch, record, now, random)
            runs.settle(batch.run_id, now)
    runs.settle_all(now)


def settle_journal(journal: Journal, now: datetime, *, host: str, random: Random) -> None:
    """Settle the batches of the journal's last holder, who is dead since we hold it, and empty it.

    Their leases need not have run out for that.
    """
    record = journal.read()
    left = Batch.objects.filter(
        done=False, lease_token__isnull=False, host=host, journal=str(journal.path)
    )
    for batch in left.order_by("pk"):
        _take_back(batch, record, now, random)
        runs.settle(batch.run_id, now)
    faults.point(Point.JOURNAL_SETTLED)
    journal.start()


def _take_back(batch: Batch, record: Record | None, now: datetime, random: Random) -> None:
    token = batch.lease_token
    owner = Mailing.objects.filter(runs=batch.run_id).values("owner")
    with transaction.atomic():
        # Whose address is refused is written there; first, as in `leases.lock`.
        list(OwnerGate.objects.filter(owner__in=owner).select_for_update().values_list("pk"))
        if not Batch.objects.filter(pk=batch.pk, lease_token=token).update(
            lease_token=uuid.uuid4()
        ):
            return  # released, renewed under another token or taken back by somebody else
        faults.point(Point.TAKEN_BACK)
        batch.refresh_from_db()
        _split_off_unarmed(batch, now)
        faults.point(Point.SPLIT_OFF)
        findings, in_doubt = _settle(batch, record, now, random)
        ledger.record(findings)
        suppressions.suppress_refused(findings)
        missed_since = min(batch.missed_since or now, now)
        if in_doubt and now - missed_since < WAITING_TIME:
            # The holder may live (a stopped process, another host) and still write its outcomes.
            Batch.objects.filter(pk=batch.pk).update(
                missed_since=missed_since, lease_until=now + timedelta(seconds=30)
            )
            return
        ledger.record([_unknown(delivery, now) for delivery in in_doubt])
        faults.point(Point.SETTLED)
        _release(batch, now)


def _split_off_unarmed(batch: Batch, now: datetime) -> None:
    """Give the part beyond the watermark to the next worker as a batch of its own (I7)."""
    if not batch.first_id <= batch.armed_to < batch.last_id:
        return  # all or nothing of it was armed
    Batch.objects.create(
        run_id=batch.run_id,
        first_id=batch.armed_to + 1,
        last_id=batch.last_id,
        due_at=batch.due_at,
        is_suspect=batch.is_suspect,
    )
    batch.last_id = batch.armed_to
    batch.save(update_fields=["last_id"])


def _settle(
    batch: Batch, record: Record | None, now: datetime, random: Random
) -> tuple[list[Finding], list[Delivery]]:
    """Return what the journal tells of the armed deliveries, and those of which it cannot."""
    findings: list[Finding] = []
    in_doubt: list[Delivery] = []
    if batch.armed_to < batch.first_id:
        return findings, in_doubt
    silent = record is not None and record.proves_silence(batch.boot_id, batch.journal_id)
    composing = record.composing if record is not None else None
    pending = Q(state=DeliveryState.PENDING)
    deferred = Q(state=DeliveryState.DEFERRED, next_attempt_at__lte=batch.leased_at)
    armed = Delivery.objects.filter(
        pending | deferred, run_id=batch.run_id, pk__range=(batch.first_id, batch.armed_to)
    )
    for delivery in armed.order_by("pk"):
        entry = record.entries.get(delivery.pk) if record is not None else None
        if entry is not None and entry.attempt != delivery.attempts + 1:
            entry = None  # of an earlier pass
        if entry is None:
            if not silent:
                in_doubt.append(delivery)
            elif composing == (delivery.pk, delivery.attempts + 1):
                findings.append(_deadly(delivery, now, random))
        elif entry.reply is None:
            findings.append(_unknown(delivery, now))
        else:
            _verdict, finding = ledger.judge(
                batch.run_id,
                delivery.pk,
                entry.attempt,
                entry.stage,
                entry.reply,
                at=now,
                random=random,
            )
            if finding is not None:
                findings.append(finding)
    return findings, in_doubt


def _unknown(delivery: Delivery, now: datetime) -> Finding:
    reply = Reply(0, text="the sender ended before the server's answer")
    return Finding(
        delivery.run_id,
        delivery.pk,
        delivery.attempts + 1,
        now,
        DeliveryState.UNKNOWN,
        Outcome.UNKNOWN,
        Stage.DOT,
        reply,
        None,
        False,
    )


def _deadly(delivery: Delivery, now: datetime, random: Random) -> Finding:
    """Defer a letter that a sender died at, or give it up if that is not the first time."""
    number = delivery.attempts + 1
    again = Attempt.objects.filter(delivery=delivery, stage=Stage.RENDER).exists()
    return Finding(
        delivery.run_id,
        delivery.pk,
        number,
        now,
        DeliveryState.FAILED if again else DeliveryState.DEFERRED,
        Outcome.PERMANENT if again else Outcome.TRANSIENT,
        Stage.RENDER,
        Reply(0, text="the sender died while it composed this letter" + ", again" * again),
        None if again else now + wait_after(number, random),
        False,
    )


def _release(batch: Batch, now: datetime) -> None:
    left = Delivery.objects.filter(
        run_id=batch.run_id, pk__range=(batch.first_id, batch.last_id), state__in=OPEN_DELIVERIES
    )
    waits = [d.next_attempt_at or now for d in left.only("next_attempt_at")]
    Batch.objects.filter(pk=batch.pk).update(
        lease_token=None,
        lease_until=None,
        missed_since=None,
        armed_to=0,
        is_suspect=batch.is_suspect or batch.armed_to >= batch.first_id,
        done=not waits,
        due_at=min(waits, default=now),
    )
