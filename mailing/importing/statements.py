"""The statements that a large import consists of, in SQL: the ORM would take most of the time."""

# ruff: noqa: S608 - names of our own tables and columns; values are always parameters

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from mailing.engine.database import instant
from mailing.importing.checking import Entry
from mailing.models import Client

FIELDS = ("first_name", "middle_name", "last_name", "phone", "language", "comment")
"""What a row of a file may say of a client beside the address."""

_CLIENTS = Client._meta.db_table
_COLUMNS = (
    "owner_id", "last_import_id", "created_at", "updated_at", "email", "email_normalized", *FIELDS,
)  # fmt: skip


def insert_clients(owner_id: int, import_id: int, entries: Iterable[Entry], now: datetime) -> None:
    """Insert those whose address the owner does not have at this moment."""
    same = (owner_id, import_id, instant(now), instant(now))
    _many(
        f"""
        INSERT INTO {_CLIENTS} ({", ".join(_COLUMNS)})
        VALUES ({", ".join(["%s"] * len(_COLUMNS))})
        ON CONFLICT DO NOTHING
        """,
        [
            (*same, e.address.email, e.address.normalized, *(e.fields.get(f, "") for f in FIELDS))
            for e in entries
        ],
    )


def update_clients(changed: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """Write the fields of clients that were read, changed and are held."""
    assignments = ", ".join(f"{name} = %s" for name in FIELDS)
    at = instant(now)
    _many(
        f"UPDATE {_CLIENTS} SET updated_at = %s, {assignments} WHERE id = %s",
        [(at, *(client[name] for name in FIELDS), client["pk"]) for client in changed],
    )


def link(through: Any, column: str, pairs: Iterable[tuple[int, int]]) -> None:
    """Insert pairs of a client and something of `column` that are not there yet."""
    table = through._meta.db_table
    _many(
        f"INSERT INTO {table} (client_id, {column}) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        sorted(pairs),
    )


def _many(statement: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)
