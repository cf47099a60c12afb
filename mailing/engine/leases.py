"""Leases of batches: a worker's temporary claim, fenced by a token (I7).

Raw SQL, because each of these is one conditional UPDATE whose row count is the answer. Times of
leases come from the database's clock, so that the clocks of two hosts need not agree.

Deliveries are found by their ids alone: the plus in `+run_id` keeps planners from the index on the
run, which holds a million of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from mailing.engine import faults
from mailing.engine.budget import NO_LIMIT, UNLIMITED, Rate, day_of
from mailing.engine.database import identifier, instant, is_postgresql, skip_locked
from mailing.engine.faults import Point

LEASE = timedelta(seconds=45)
_new = tuple.__new__  # a NamedTuple's own constructor goes through a function in Python


class Holder(NamedTuple):
    """Who holds a lease, so that a take-over can find the journal."""

    host: str
    boot_id: str
    journal: str
    journal_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Lease:
    batch_id: int
    run_id: int
    owner_id: int
    first_id: int
    last_id: int
    token: uuid.UUID
    leased_at: datetime
    is_expired: bool
    """The run's letters are too old to be sent."""
    is_suspect: bool
    """A sender died with letters of this batch armed."""


class Row(NamedTuple):
    """A delivery to be sent now, with its client's names.

    `suppressed`: it must not leave any more, also because its client was deleted.
    """

    id: int
    email: str
    email_normalized: str
    attempts: int
    first_name: str
    middle_name: str
    last_name: str
    suppressed: bool


def take(
    holder: Holder,
    now: datetime,
    rate: Rate = UNLIMITED,
    passed_over: Collection[int] = frozenset(),
    besides: int | None = None,
) -> Lease | None:
    """Lease the next batch that waits, round-robin over owners and their runs; None if none waits.

    Only runs that are being sent and within their hours, of owners who are not blocked, have not
    used up the day of `rate` and are not `passed_over`, and not the run `besides`. Call inside a
    transaction.
    """
    token = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.id, m.owner_id, r.expires_at <= %s
              FROM mailing_run r
              JOIN mailing_mailing m ON m.id = r.mailing_id
              JOIN accounts_user u ON u.id = m.owner_id
              LEFT JOIN mailing_ownergate g ON g.owner_id = m.owner_id
             WHERE r.status = 'sending' AND u.is_active
               AND (r.sends_from IS NULL OR (r.sends_from <= %s AND %s < r.sends_until))
               AND EXISTS (SELECT 1 FROM mailing_batch b
                            WHERE b.run_id = r.id AND NOT b.done AND b.due_at <= %s
                              AND b.lease_token IS NULL)
               AND NOT coalesce(g.day = %s AND g.day_used >= %s, false)
             ORDER BY g.served_at IS NOT NULL, g.served_at, r.served_at IS NOT NULL, r.served_at,
                      r.id
            """,
            [
                *[instant(now)] * 4,
                day_of(now).isoformat(),
                rate.per_day or NO_LIMIT,
            ],
        )
        for run_id, owner_id, is_expired in cursor.fetchall():
            if owner_id in passed_over or run_id == besides:
                continue
            # Owner, run, batch: the order of `lock`.
            cursor.execute(
                """
                INSERT INTO mailing_ownergate (owner_id, revision, served_at) VALUES (%s, 0, %s)
                ON CONFLICT (owner_id) DO UPDATE SET served_at = excluded.served_at
                """,
                [owner_id, instant(now)],
            )
            cursor.execute(
                "UPDATE mailing_run SET served_at = %s WHERE id = %s", [instant(now), run_id]
            )
            cursor.execute(
                f"""
                UPDATE mailing_batch
                   SET lease_token = %s, lease_until = %s, leased_at = %s, armed_to = 0,
                       host = %s, boot_id = %s, journal = %s, journal_id = %s
                 WHERE id = (SELECT id FROM mailing_batch
                              WHERE run_id = %s AND NOT done AND due_at <= %s
                                AND lease_token IS NULL
                              ORDER BY due_at, id LIMIT 1 {skip_locked()})
                RETURNING id, first_id, last_id, is_suspect
                """,
                [
                    identifier(token),
                    instant(now + LEASE),
                    instant(now),
                    holder.host,
                    holder.boot_id,
                    holder.journal,
                    identifier(holder.journal_id),
                    run_id,
                    instant(now),
                ],
            )
            found = cursor.fetchone()
            if found is None:
                continue  # another worker was quicker
            batch_id, first_id, last_id, is_suspect = found
            return Lease(
                batch_id,
                run_id,
                owner_id,
                first_id,
                last_id,
                token,
                now,
                is_expired=bool(is_expired),
                is_suspect=bool(is_suspect),
            )
    return None


def lock(held: Sequence[Lease]) -> None:
    """Lock these batches, before writing to their deliveries in the same transaction.

    Whoever locks several rows does it in this order, or two would wait for each other: owner's
    gate, run, batches by run and first delivery, deliveries. Batches that were taken away are
    somebody else's to lock. SQLite has one writer at a time.
    """
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM mailing_batch WHERE id = ANY(%s) AND lease_token = ANY(%s)"
                " ORDER BY run_id, first_id FOR UPDATE",
                [[lease.batch_id for lease in held], [lease.token for lease in held]],
            )


def rows(lease: Lease, after: int) -> tuple[int, list[Row]]:
    """Return the owner's revision and the deliveries of the pass with an id above `after`.

    The revision is read first: whatever changes the rows later raises it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT revision FROM mailing_ownergate WHERE owner_id = %s", [lease.owner_id]
        )
        revision = cursor.fetchone()[0]
        cursor.execute(
            """
            SELECT d.id, d.email, d.email_normalized, d.attempts,
                   coalesce(c.first_name, ''), coalesce(c.middle_name, ''),
                   coalesce(c.last_name, ''), s.id IS NOT NULL OR d.client_id IS NULL
              FROM mailing_delivery d
              LEFT JOIN mailing_client c ON c.id = d.client_id
              LEFT JOIN mailing_suppression s
                ON s.owner_id = %s AND s.email_normalized = d.email_normalized
             WHERE d.id > %s AND d.id BETWEEN %s AND %s AND +d.run_id = %s
               AND (d.state = 'pending' OR (d.state = 'deferred' AND d.next_attempt_at <= %s))
             ORDER BY d.id
            """,
            [
                lease.owner_id,
                after,
                lease.first_id,
                lease.last_id,
                lease.run_id,
                instant(lease.leased_at),
            ],
        )
        return revision, [_new(Row, row) for row in cursor.fetchall()]


def raise_revision(owner_id: int) -> None:
    """Tell the senders of an owner's letters to read their rows again before the next step."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO mailing_ownergate (owner_id, revision) VALUES (%s, 1)
            ON CONFLICT (owner_id) DO UPDATE SET revision = mailing_ownergate.revision + 1
            """,
            [owner_id],
        )


class Gate(NamedTuple):
    """What is checked before each step: may this run's letters leave, and what has changed."""

    open: bool
    revision: int


def arm(lease: Lease, up_to: int, now: datetime) -> Gate | None:
    """Write the intent to send up to delivery `up_to` and renew the lease (I5); read the gate.

    Returns None if the lease was taken away: nothing more of the batch may be sent (I7). If the
    gate is not open or the revision not the expected one, the caller must `disarm` in the same
    transaction.
    The batch is locked before the gate is read, and whoever cancels deliveries locks it too, so a
    delivery is never both cancelled and armed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE mailing_batch SET armed_to = %s, lease_until = %s"
            " WHERE id = %s AND lease_token = %s",
            [up_to, instant(now + LEASE), lease.batch_id, identifier(lease.token)],
        )
        if cursor.rowcount != 1:
            return None
        cursor.execute(
            """
            SELECT r.status = 'sending' AND u.is_active
                   AND (r.sends_from IS NULL OR (r.sends_from <= %s AND %s < r.sends_until)),
                   g.revision
              FROM mailing_run r
              JOIN mailing_mailing m ON m.id = r.mailing_id
              JOIN accounts_user u ON u.id = m.owner_id
              JOIN mailing_ownergate g ON g.owner_id = m.owner_id
             WHERE r.id = %s
            """,
            [instant(now), instant(now), lease.run_id],
        )
        is_open, revision = cursor.fetchone()
        return Gate(bool(is_open), revision)


def disarm(lease: Lease, armed_to: int) -> None:
    """Put the watermark back to where it was before an `arm` in the same transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE mailing_batch SET armed_to = %s WHERE id = %s AND lease_token = %s",
            [armed_to, lease.batch_id, identifier(lease.token)],
        )


def renew(lease: Lease, now: datetime) -> bool:
    """Keep the lease while an answer is awaited; return whether it is still ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE mailing_batch SET lease_until = %s WHERE id = %s AND lease_token = %s",
            [instant(now + LEASE), lease.batch_id, identifier(lease.token)],
        )
        return bool(cursor.rowcount)


def release(lease: Lease, now: datetime) -> bool:
    """Give the batch back, once every armed delivery has its outcome; return whether it is done.

    If something in it is left to send, it waits for the earliest next attempt. A lease that was
    taken away is left alone.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), min(CASE WHEN state = 'pending' THEN %s ELSE next_attempt_at END)
              FROM mailing_delivery
             WHERE id BETWEEN %s AND %s AND +run_id = %s AND state IN ('pending', 'deferred')
            """,
            [instant(now), lease.first_id, lease.last_id, lease.run_id],
        )
        left: int
        left, earliest = cursor.fetchone()
        cursor.execute(
            """
            UPDATE mailing_batch
               SET lease_token = NULL, lease_until = NULL, armed_to = 0, done = %s, due_at = %s
             WHERE id = %s AND lease_token = %s
            """,
            [left == 0, earliest or instant(now), lease.batch_id, identifier(lease.token)],
        )
        faults.point(Point.RELEASED)
        return left == 0
