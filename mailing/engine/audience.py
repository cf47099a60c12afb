"""Freezes a run's audience into deliveries, and cuts them into batches."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from mailing.engine.database import instant, keeping

BATCH_SIZE = 1000

_AUDIENCE = """
      FROM mailing_client c
      LEFT JOIN mailing_suppression s
        ON s.owner_id = c.owner_id AND s.email_normalized = c.email_normalized
     WHERE c.owner_id = %s
       AND c.id IN (SELECT lc.client_id
                      FROM mailing_clientlist_clients lc
                      JOIN mailing_mailing_lists ml ON ml.clientlist_id = lc.clientlist_id
                     WHERE ml.mailing_id = %s
                     UNION
                    SELECT client_id FROM mailing_mailing_clients WHERE mailing_id = %s)
"""


class Size(NamedTuple):
    """How many clients a mailing has, and how many of those get no letters."""

    clients: int
    suppressed: int

    @property
    def mailed(self) -> int:
        """How many get the letter."""
        return self.clients - self.suppressed


def size(mailing_id: int, owner_id: int) -> Size:
    """Return the size of the audience as it is now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), count(s.id) {_AUDIENCE}", [owner_id, mailing_id, mailing_id]
        )
        return Size(*cursor.fetchone())


def sizes(mailing_ids: Iterable[int]) -> dict[int, Size]:
    """Return the size of each of these mailings' audiences as it is now, by one query.

    Each client is looked up: a database that joins goes through all clients of all owners, since it
    takes each list for one of average size. The bound keeps PostgreSQL from taking this apart.
    """
    ids = list(mailing_ids)
    if not ids:
        return {}
    these = ", ".join(["%s"] * len(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT found.mailing_id, count(found.suppressed), sum(found.suppressed)
              FROM (SELECT m.id AS mailing_id,
                           (SELECT CASE WHEN s.id IS NULL THEN 0 ELSE 1 END
                              FROM mailing_client c
                              LEFT JOIN mailing_suppression s
                                ON s.owner_id = c.owner_id
                               AND s.email_normalized = c.email_normalized
                             WHERE c.id = chosen.client_id
                               AND c.owner_id = m.owner_id) AS suppressed
                      FROM (SELECT ml.mailing_id, lc.client_id
                              FROM mailing_mailing_lists ml
                              JOIN mailing_clientlist_clients lc
                                ON lc.clientlist_id = ml.clientlist_id
                             WHERE ml.mailing_id IN ({these})
                             UNION
                            SELECT mailing_id, client_id
                              FROM mailing_mailing_clients
                             WHERE mailing_id IN ({these})) AS chosen
                      JOIN mailing_mailing m ON m.id = chosen.mailing_id
                     LIMIT 1000000000) AS found
             WHERE found.suppressed IS NOT NULL
             GROUP BY found.mailing_id
            """,
            [*ids, *ids],
        )
        found = {mailing_id: Size(*counts) for mailing_id, *counts in cursor.fetchall()}
    return {mailing_id: found.get(mailing_id, Size(0, 0)) for mailing_id in ids}


def freeze(run_id: int, mailing_id: int, owner_id: int, now: datetime) -> int:
    """Make the deliveries and batches of a new run; return how many deliveries there are.

    One INSERT … SELECT: a row for each client in the mailing's lists or among its single clients,
    once however often it is there (an owner has one client per normalised address, so one row per
    address as well: I2). Suppressed addresses get a row that is closed from the start, so that the
    numbers of a run add up to its audience. Call inside the transaction that makes the run.

    Whoever is deleting a client at this moment is waited for: the client is gone and gets no row,
    or is there until the commit, and the deletion finds the row.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO mailing_delivery
                   (run_id, client_id, email, email_normalized, state, attempts, last_reply)
            SELECT %s, c.id, c.email, c.email_normalized,
                   CASE WHEN s.id IS NULL THEN 'pending' ELSE 'suppressed' END, 0, ''
            {_AUDIENCE}
             ORDER BY c.id
             {keeping("c")}
            """,
            [run_id, owner_id, mailing_id, mailing_id],
        )
        frozen = int(cursor.rowcount)
        cursor.execute(
            """
            INSERT INTO mailing_batch (run_id, first_id, last_id, done, due_at, armed_to, host,
                                       boot_id, journal)
            SELECT %s, min(id), max(id), %s, %s, 0, '', '', ''
              FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s AS part
                      FROM mailing_delivery
                     WHERE run_id = %s AND state = 'pending') AS waiting
             GROUP BY part
             ORDER BY part
            """,
            [run_id, False, instant(now), BATCH_SIZE, run_id],
        )
        return frozen
