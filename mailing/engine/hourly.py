"""Counts attempts by the hour, as they are written, for the statistics (ADR 0020).

`add` writes what a batch of outcomes changes, in its transaction, as rows of their own: senders
never wait for each other's counts. `fold` turns the rows of a key into one. The figure of a key is
the sum of its rows at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.db import connection, transaction

from mailing.engine.database import is_postgresql
from mailing.enums import Cause, Outcome

_HOUR_SECONDS = 3600
_FOLDED_AT_ONCE = 20_000
_COLUMNS = "owner_id, mailing_id, hour, outcome, cause, n, first_id, last_id"


class Key(NamedTuple):
    """What is counted together. `cause` is 0 for what was accepted."""

    owner_id: int
    mailing_id: int
    hour: int
    outcome: Outcome
    cause: Cause | int


class Source(NamedTuple):
    """Whose attempts those of a run are."""

    owner_id: int
    mailing_id: int


def hour_of(moment: datetime) -> int:
    """Return the number of whole hours since 1970 in UTC."""
    return int(moment.timestamp()) // _HOUR_SECONDS


def sources(run_ids: Iterable[int]) -> dict[int, Source]:
    """Return owner and mailing of each run that is still there."""
    ids = list(run_ids)
    with connection.cursor() as cursor:
        cursor.execute(_sources_statement(len(ids)), ids)
        return {run_id: Source(owner, mailing) for run_id, owner, mailing in cursor.fetchall()}


@cache
def _sources_statement(count: int) -> str:
    marks = ", ".join(["%s"] * count)
    return f"""
        SELECT r.id, m.owner_id, m.id
          FROM mailing_run r JOIN mailing_mailing m ON m.id = r.mailing_id
         WHERE r.id IN ({marks})
    """


def add(counts: dict[Key, int], attempt_ids: Sequence[int]) -> None:
    """Add to the counts; `attempt_ids` are all the attempts that these are about."""
    if not counts:
        return
    first, last = min(attempt_ids), max(attempt_ids)
    parameters: list[int | str | bool] = []
    for key, n in counts.items():
        parameters += (*key[:3], key.outcome.value, int(key.cause), n, first, last, False)
    with connection.cursor() as cursor:
        cursor.execute(_add_statement(len(counts)), parameters)


@cache
def _add_statement(rows: int) -> str:
    row = "(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
    return f"INSERT INTO mailing_hourlycount ({_COLUMNS}, folded) VALUES " + ", ".join([row] * rows)


_FOLD = f"""
    INSERT INTO mailing_hourlycount ({_COLUMNS}, folded)
    SELECT owner_id, mailing_id, hour, outcome, cause, sum(n), min(first_id), max(last_id), TRUE
      FROM {{loose}}
     GROUP BY owner_id, mailing_id, hour, outcome, cause
     ORDER BY mailing_id, hour, outcome, cause
    ON CONFLICT (mailing_id, hour, outcome, cause) WHERE folded DO UPDATE
       SET n = mailing_hourlycount.n + excluded.n,
           first_id = {{least}}(mailing_hourlycount.first_id, excluded.first_id),
           last_id = {{greatest}}(mailing_hourlycount.last_id, excluded.last_id)
"""
# Ordered, so that two that fold at once lock the rows in one order.


def fold() -> None:
    """Make one row of each key's rows. Safe to call from anywhere, any number of times."""
    with transaction.atomic(), connection.cursor() as cursor:
        if is_postgresql():
            loose = f"""
                DELETE FROM mailing_hourlycount
                 WHERE id IN (SELECT id FROM mailing_hourlycount WHERE NOT folded
                               ORDER BY id LIMIT {_FOLDED_AT_ONCE} FOR UPDATE SKIP LOCKED)
                RETURNING *
            """
            cursor.execute(
                f"WITH loose AS ({loose})"
                + _FOLD.format(loose="loose", least="least", greatest="greatest")
            )
            return
        cursor.execute("SELECT max(id) FROM mailing_hourlycount WHERE NOT folded")
        (last,) = cursor.fetchone()
        if last is None:
            return
        loose = f"mailing_hourlycount WHERE NOT folded AND id <= {int(last)}"
        cursor.execute(_FOLD.format(loose=loose, least="min", greatest="max"))
        cursor.execute("DELETE FROM mailing_hourlycount WHERE NOT folded AND id <= %s", [last])
