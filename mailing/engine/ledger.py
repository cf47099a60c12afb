"""The only module that changes a delivery's state. Every move is one conditional UPDATE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from operator import attrgetter, itemgetter
from random import Random
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from site_project import page_cache

from mailing.engine import hourly, leases
from mailing.engine.classify import ACCEPTED, Reply, Verdict, cause_of, classify
from mailing.engine.database import instant, is_postgresql
from mailing.engine.hourly import Key, Source
from mailing.engine.retry import wait_after
from mailing.enums import (
    OPEN_DELIVERIES,
    Cause,
    DeliveryState,
    Outcome,
    Stage,
)
from mailing.models import Attempt, Batch, Client, Delivery, RunTally

_new = tuple.__new__  # a NamedTuple's own constructor goes through a function in Python


class Finding(NamedTuple):
    """What became of one attempt: a row of the log and the delivery's next state."""

    run_id: int
    delivery_id: int
    attempt: int
    at: datetime
    state: DeliveryState
    outcome: Outcome
    stage: Stage
    reply: Reply
    next_attempt_at: datetime | None
    suppress: bool


def judge(
    run_id: int,
    delivery_id: int,
    attempt: int,
    stage: Stage,
    reply: Reply,
    *,
    at: datetime,
    random: Random,
) -> tuple[Verdict, Finding | None]:
    """Return what `reply` means, and what to record; None if the delivery stays as it was."""
    verdict = classify(stage, reply)
    if verdict.state is None:
        return verdict, None
    retry_at = None
    if verdict is not ACCEPTED and verdict.state == DeliveryState.DEFERRED:
        retry_at = at + wait_after(attempt, random)
    finding = _new(
        Finding,
        (
            run_id,
            delivery_id,
            attempt,
            at,
            verdict.state,
            verdict.outcome,
            stage,
            reply,
            retry_at,
            verdict.suppress,
        ),
    )
    return verdict, finding


def record(findings: Sequence[Finding]) -> None:
    """Write attempts, states and counts. Call inside a transaction; recording twice is harmless.

    Late evidence may still turn UNKNOWN into SENT, and nothing else. What is about runs that are
    gone with their owner's account is left out.
    """
    if not findings:
        return
    sources = hourly.sources({finding.run_id for finding in findings})
    findings = [finding for finding in findings if finding.run_id in sources]
    if not findings:
        return
    write = _write_postgresql if is_postgresql() else _write_sqlite
    ids = write(findings, sources)
    added: Sequence[Finding] = findings
    known: Sequence[Finding] = ()
    if len(ids) < len(findings):
        new = Attempt.objects.filter(pk__in=ids).values_list("delivery_id", "number")
        added, known = _split(set(new), findings)
    hourly.add(_count(added, sources), ids)
    _learn_late(known, sources)


def _split(
    new: set[tuple[int, int]], findings: Iterable[Finding]
) -> tuple[list[Finding], list[Finding]]:
    """Return the findings whose attempts are `new`, each once, and those that were known."""
    added: list[Finding] = []
    known: list[Finding] = []
    for finding in findings:
        attempt = (finding.delivery_id, finding.attempt)
        (added if attempt in new else known).append(finding)
        new.discard(attempt)
    return added, known


_MOMENT = attrgetter("run_id", "at", "outcome")


def _count(findings: Sequence[Finding], sources: dict[int, Source]) -> dict[Key, int]:
    hours: Counter[Key] = Counter()
    accepted = Outcome.ACCEPTED
    # Nearly all are accepted, and those of one moment share their hour: it is worked out once.
    for (run_id, at, outcome), n in Counter(map(_MOMENT, findings)).items():
        if outcome is accepted:
            hours[Key(*sources[run_id], hourly.hour_of(at), outcome, 0)] += n
    for finding in findings:
        if finding.outcome is not accepted:
            cause = cause_of(finding.outcome, finding.stage, finding.reply) or 0
            hour = hourly.hour_of(finding.at)
            hours[Key(*sources[finding.run_id], hour, finding.outcome, cause)] += 1
    return hours


def _learn_late(findings: Iterable[Finding], sources: dict[int, Source]) -> None:
    """Turn attempts that are unknown into accepted ones where the answer has come after all."""
    for finding in findings:
        if finding.outcome != Outcome.ACCEPTED:
            continue
        attempts = Attempt.objects.filter(delivery=finding.delivery_id, number=finding.attempt)
        unknown = attempts.filter(outcome=Outcome.UNKNOWN)
        reply = finding.reply
        if unknown.update(
            outcome=Outcome.ACCEPTED,
            cause=None,
            code=reply.code or None,
            enhanced=reply.enhanced,
            reply=reply.text,
        ):
            attempt = attempts.only("pk", "at").get()
            key = Key(
                *sources[finding.run_id],
                hourly.hour_of(attempt.at),
                Outcome.UNKNOWN,
                Cause.NO_ANSWER,
            )
            late = key._replace(outcome=Outcome.ACCEPTED, cause=0)
            RunTally.objects.filter(run=finding.run_id).delete()
            hourly.add({key: -1, late: 1}, [attempt.pk])


_UPDATE = """
    UPDATE mailing_delivery
       SET state = v.state, attempts = {greatest}(attempts, v.attempt),
           next_attempt_at = v.next_attempt_at, last_code = v.code, last_reply = v.reply
      FROM v
     WHERE mailing_delivery.id = v.id
       AND CASE mailing_delivery.state
           WHEN 'pending' THEN TRUE
           WHEN 'deferred' THEN TRUE
           WHEN 'unknown' THEN v.state = 'sent'
           ELSE FALSE END
"""
# CASE, because PostgreSQL would estimate from IN that hardly any letter is still pending (which is
# true of all runs together), and compare all that are with all rows of `v` instead of by their key.

# Of a table of less than some hundred thousand rows PostgreSQL would read all for each step. What
# else such a transaction reads has an index for each row, too.
_BY_KEY = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"

_INSERT = """
    INSERT INTO mailing_attempt
           (owner_id, delivery_id, number, at, outcome, stage, code, enhanced, reply, cause)
    {source}
    ON CONFLICT (delivery_id, number) DO NOTHING
"""
_AT_ONCE = 100


class _Instants(dict[datetime | None, Any]):
    """Times as parameters of a statement; the letters of one moment share theirs."""

    def __missing__(self, value: datetime | None) -> Any:
        self[value] = parameter = instant(value)
        return parameter


@cache
def _sqlite_statements(rows: int) -> tuple[str, str]:
    update = ", ".join(["(?, ?, ?, ?, ?, ?)"] * rows)
    insert = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"] * rows)
    return (
        f"WITH v(id, state, attempt, next_attempt_at, code, reply) AS (VALUES {update})"
        + _UPDATE.format(greatest="max"),
        _INSERT.format(source=f"VALUES {insert}"),
    )


def _write_sqlite(findings: Sequence[Finding], sources: dict[int, Source]) -> Sequence[int]:
    """Write all rows; return the ids of the attempts that were not in the log yet.

    A hundred with each statement, which takes half the time of one row each. On the connection
    itself: Django's cursor would search the long statements for placeholders.
    """
    database: Any = connection.connection
    times = _Instants()
    accepted = Outcome.ACCEPTED
    added = 0
    with connection.wrap_database_errors:
        (last_before,) = database.execute("SELECT max(id) FROM mailing_attempt").fetchone()
        for first in range(0, len(findings), _AT_ONCE):
            deliveries: list[object] = []
            attempts: list[object] = []
            some = findings[first : first + _AT_ONCE]
            for run_id, delivery_id, number, at, state, outcome, stage, reply, retry_at, _s in some:
                code, enhanced, text = reply
                deliveries += (
                    delivery_id,
                    state._value_,  # `value` goes through a descriptor written in Python
                    number,
                    times[retry_at],
                    code or None,
                    _text(reply),
                )
                attempts += (
                    sources[run_id].owner_id,
                    delivery_id,
                    number,
                    times[at],
                    outcome._value_,
                    stage._value_,
                    code or None,
                    enhanced,
                    text,
                    None if outcome is accepted else cause_of(outcome, stage, reply),
                )
            update, insert = _sqlite_statements(len(some))
            database.execute(update, deliveries)
            inserted = database.execute(insert, attempts)
            added += inserted.rowcount
        # Nobody else writes meanwhile: what is new has consecutive ids, unless some was known.
        if added == len(findings):
            ids: Sequence[int] = range(inserted.lastrowid - added + 1, inserted.lastrowid + 1)
        else:
            new = database.execute(
                "SELECT id FROM mailing_attempt WHERE id > ?", [last_before or 0]
            )
            ids = [pk for (pk,) in new]
    page_cache.wrote(Attempt, Delivery)
    return ids


def _write_postgresql(findings: Sequence[Finding], sources: dict[int, Source]) -> Sequence[int]:
    """Write all rows with two statements, in PostgreSQL's binary format; return as above.

    On the connection itself: Django's cursor would write all the values into the statements' text.
    """
    wrapper: Any = connection
    deliveries = [f.delivery_id for f in findings]
    numbers = [f.attempt for f in findings]
    codes = [f.reply.code or None for f in findings]
    with wrapper.wrap_database_errors, wrapper.Database.Cursor(wrapper.connection) as cursor:
        cursor.execute(_BY_KEY)
        cursor.execute(
            """
            WITH v AS (SELECT * FROM unnest(%b::bigint[], %b::text[], %b::int[], %b::timestamptz[],
                                            %b::int[], %b::text[])
                                  AS v(id, state, attempt, next_attempt_at, code, reply))
            """
            + _UPDATE.format(greatest="greatest"),
            [
                deliveries,
                [f.state._value_ for f in findings],
                numbers,
                [f.next_attempt_at for f in findings],
                codes,
                [_text(f.reply) for f in findings],
            ],
        )
        cursor.execute(
            _INSERT.format(
                source="""
                SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::int[], %b::timestamptz[],
                                     %b::text[], %b::text[], %b::int[], %b::text[], %b::text[],
                                     %b::int[])
                """
            )
            + "RETURNING id",
            [
                [sources[f.run_id].owner_id for f in findings],
                deliveries,
                numbers,
                [f.at for f in findings],
                [f.outcome._value_ for f in findings],
                [f.stage._value_ for f in findings],
                codes,
                [f.reply.enhanced for f in findings],
                [f.reply.text for f in findings],
                [cause_of(f.outcome, f.stage, f.reply) for f in findings],
            ],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    page_cache.wrote(Attempt, Delivery)
    return ids


def _text(reply: Reply) -> str:
    return f"{reply.enhanced} {reply.text}" if reply.enhanced else reply.text


def mark_suppressed(delivery_ids: Sequence[int]) -> None:
    """Take out deliveries whose address is suppressed, or whose client is deleted, by now.

    Only the lease's holder may call.
    """
    _open(pk__in=delivery_ids).update(state=DeliveryState.SUPPRESSED, next_attempt_at=None)
    erased = Delivery.objects.filter(pk__in=delivery_ids, client=None).exclude(email="")
    for pk in erased.values_list("pk", flat=True):  # deleted while its letter was on the wire
        Delivery.objects.filter(pk=pk).update(email="", email_normalized=f"erased {pk}")


def expire(run_id: int, first_id: int, last_id: int) -> None:
    """Give up what is still open in a range of a run. Only the lease's holder may call it."""
    _open(run_id=run_id, pk__range=(first_id, last_id)).update(
        state=DeliveryState.EXPIRED, next_attempt_at=None
    )


def cancel_unarmed(run_id: int) -> None:
    """Cancel what has certainly not left: the open deliveries beyond their batch's watermark.

    Call inside a transaction. Locking the batches first keeps senders from arming meanwhile.
    """
    batches = Batch.objects.filter(run_id=run_id, done=False).select_for_update()
    unarmed = _open(run_id=run_id)
    for batch in list(batches.order_by("first_id")):
        if batch.armed_to:
            unarmed = unarmed.exclude(pk__range=(batch.first_id, batch.armed_to))
    unarmed.update(state=DeliveryState.CANCELLED, next_attempt_at=None)
    Batch.objects.filter(run_id=run_id, done=False, lease_token=None).update(done=True)


def cancel_for_clients(client_ids: Collection[int]) -> None:
    """Cancel and anonymise the unsent deliveries of clients who are about to be deleted.

    Call inside the transaction that deletes. What is armed at this instant still leaves.
    """
    # A run that is being opened keeps the client: after it there are letters to be cancelled.
    clients = Client.objects.filter(pk__in=client_ids).order_by("pk")
    list(clients.select_for_update().values_list("pk"))
    open_ones = _open(client_id__in=client_ids).order_by("run_id", "pk")
    waiting = list(open_ones.values_list("run_id", "pk", "run__mailing__owner_id"))
    for owner_id in {owner_id for _run_id, _pk, owner_id in waiting}:
        leases.raise_revision(owner_id)
    for run_id, letters in groupby(waiting, key=itemgetter(0)):
        _cancel_and_erase(run_id, [pk for _run_id, pk, _owner_id in letters])


def _cancel_and_erase(run_id: int, letters: list[int]) -> None:
    """Do so with the unarmed ones of these letters of a run, in order, batch by batch."""
    done = 0
    while done < len(letters):
        first = letters[done]
        batch = Batch.objects.select_for_update().get(
            run_id=run_id, first_id__lte=first, last_id__gte=first
        )
        inside = [pk for pk in letters[done:] if pk <= batch.last_id]
        _open(pk__in=[pk for pk in inside if pk > batch.armed_to]).update(
            state=DeliveryState.CANCELLED,
            next_attempt_at=None,
            email="",
            email_normalized=Concat(Value("erased "), Cast("pk", CharField())),
        )
        done += len(inside)


def reopen(run_id: int, states: Iterable[DeliveryState], now: datetime) -> int:
    """Put deliveries back to pending because a person asks for it; return how many those were.

    Addresses that are suppressed by now are sorted out when their batch is leased.
    """
    batches = Batch.objects.filter(run_id=run_id)
    list(batches.order_by("first_id").select_for_update().values_list("pk"))
    wanted = set(states) & {DeliveryState.FAILED, DeliveryState.UNKNOWN}
    # Not those whose client was deleted since: nobody may be mailed after that.
    reopened = Delivery.objects.filter(
        run_id=run_id, state__in=wanted, client__isnull=False
    ).update(state=DeliveryState.PENDING, next_attempt_at=None)
    pending = Delivery.objects.filter(
        run_id=run_id,
        pk__range=(OuterRef("first_id"), OuterRef("last_id")),
        state=DeliveryState.PENDING,
    )
    batches = batches.filter(Exists(pending))
    batches.filter(done=True).update(done=False, due_at=now)
    batches.filter(done=False, lease_token=None, due_at__gt=now).update(due_at=now)
    return reopened


def _open(**conditions: object) -> QuerySet[Delivery]:
    return Delivery.objects.filter(state__in=OPEN_DELIVERIES, **conditions)
