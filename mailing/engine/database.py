"""What the engine's raw statements need to know about SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def instant(value: datetime | None) -> Any:
    """Return a time as a parameter of a raw statement."""
    return connection.ops.adapt_datetimefield_value(value)


def identifier(value: uuid.UUID) -> Any:
    """Return a UUID as a parameter of a raw statement."""
    return value if connection.features.has_native_uuid_field else value.hex


def skip_locked() -> str:
    """Return the clause that lets workers pass each other; SQLite has one writer at a time."""
    return "FOR UPDATE SKIP LOCKED" if is_postgresql() else ""


def keeping(alias: str) -> str:
    """Return the clause that waits for deletions of rows of `alias`, then holds up later ones."""
    return f"FOR KEY SHARE OF {alias}" if is_postgresql() else ""


def database_clock(now: datetime) -> Callable[[], datetime]:
    """Return a clock that starts at the database's time and runs on this host's monotonic one.

    So two hosts agree on leases, and a jump of the system clock changes nothing within a slice. On
    SQLite the server is this host, whose time is `now`.
    """
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            now = cursor.fetchone()[0]
    begun = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - begun)


def keep_little() -> None:
    """Have SQLite keep few pages in memory: who reads each row once needs no more."""
    if not is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size = -8000")  # KiB


def start_over() -> None:
    """Throw this thread's connection away, in whatever state it is.

    A task's time-out may strike while Django enters a transaction. It would then take itself to be
    in one for good, and closing alone mends nothing. Nor does SQLite end the transaction of a
    connection that is closed while somebody knows a statement of it, as the frames of the error
    under way do: nobody could write for as long as that lasts.
    """
    if not is_postgresql() and connection.connection is not None:
        with suppress(sqlite3.Error):  # closed already
            connection.connection.rollback()
    connection.close()
    del connections[DEFAULT_DB_ALIAS]


@contextmanager
def durable() -> Iterator[None]:
    """Open a transaction that has reached the disk when the block is left (I5).

    Arming is worthless if a power cut can undo it after a letter has left.
    """
    with connection.cursor() as cursor:
        if is_postgresql():
            with transaction.atomic():
                cursor.execute("SET LOCAL synchronous_commit = on")
                yield
            return
        # The connection's usual NORMAL syncs the WAL only at checkpoints.
        cursor.execute("PRAGMA synchronous = FULL")
        try:
            with transaction.atomic():
                yield
        finally:
            cursor.execute("PRAGMA synchronous = NORMAL")
