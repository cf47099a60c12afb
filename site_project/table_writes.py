"""Tells which tables have been written, once the transaction has committed, whoever wrote them.

Django's signals know nothing of `update()`, `bulk_create()`, cascades and raw SQL. Every statement
that passes a cursor of Django's is looked at here instead. Only what a statement does on the
driver's own connection must be told: by `note`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.backends.signals import connection_created
from django.db.backends.utils import CursorWrapper

logger = logging.getLogger(__name__)

Callback = Callable[[], None]

_TABLE = r"[\"`]?(?:public[\"`]?\.[\"`]?)?(\w+)"
_WRITE = re.compile(
    rf"\b(?:(?:INSERT|REPLACE)(?:\s+OR\s+\w+)?\s+INTO|UPDATE(?:\s+ONLY)?|DELETE\s+FROM)\s+{_TABLE}",
    re.IGNORECASE,
)
_READS = ("SELECT", "SAVEPO", "RELEAS", "ROLLBA", "BEGIN", "COMMIT", "PRAGMA", "SET ", "EXPLAI")
_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLAC")
_WHOLE = ("TRUNCA", "ALTER ", "DROP T", "MERGE ", "COPY ", "CALL ", "DO ", "--", "/*")

_wanted: dict[str, list[Callback]] = {}


def call_after_writes(tables: Iterable[str], callback: Callback) -> None:
    """Have `callback` called after each commit that has written one of the tables."""
    for table in tables:
        callbacks = _wanted.setdefault(table, [])
        if callback not in callbacks:
            callbacks.append(callback)


def note(*written: type[models.Model]) -> None:
    """Tell of rows that were written past Django's cursors, inside of their transaction."""
    _tell_after_commit({model._meta.db_table for model in written} & _wanted.keys())


def watch() -> None:
    """Look at the statements of every connection from now on. Twice is harmless."""
    connection_created.connect(_watch_connection, dispatch_uid="site_project.table_writes")
    for opened in connections.all(initialized_only=True):
        _watch_connection(connection=opened)


def _watch_connection(*, connection: Any, **_kwargs: Any) -> None:
    # In front: `connection.execute_wrapper` takes the last one away when its block is left.
    if connection.alias == DEFAULT_DB_ALIAS and _look_at not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _look_at)


def _look_at(execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    result = execute(sql, params, many, context)
    tables = tables_written(_as_text(sql, context["cursor"]))
    if tables is None:
        _tell_after_commit(set(_wanted))
    elif wanted := tables & _wanted.keys():
        _tell_after_commit(wanted)
    return result


def _as_text(sql: Any, cursor: CursorWrapper) -> str:
    if isinstance(sql, str):
        return sql
    text: str = sql.as_string(cursor.connection)  # composed by psycopg
    return text


def tables_written(sql: str) -> set[str] | None:
    """Return the tables that a statement writes; None if it may be any."""
    sql = sql.lstrip()
    start = sql[:6].upper()
    if start.startswith(_READS):
        return set()
    if start.startswith(_WRITES):  # what follows may be as long as all the rows
        found = _WRITE.match(sql)
        return {found[1]} if found else None
    if start.startswith("WITH"):
        return set(_WRITE.findall(sql))
    return None if start.startswith(_WHOLE) else set()


class _Told:
    """What is to be told once a transaction has committed."""

    def __init__(self) -> None:
        self.tables: set[str] = set()

    def __call__(self) -> None:
        callbacks = {callback: None for table in self.tables for callback in _wanted[table]}
        for callback in callbacks:
            try:
                callback()
            except Exception:  # the rows are written: nobody must take that for a failure
                logger.exception("something does not know of what was written")


def _tell_after_commit(tables: set[str]) -> None:
    if not tables:
        return
    waiting = connection.run_on_commit
    if waiting:
        savepoints, last = waiting[-1][:2]
        # It goes or stays with the same savepoint.
        if isinstance(last, _Told) and savepoints == set(connection.savepoint_ids):
            last.tables |= tables
            return
    told = _Told()
    told.tables |= tables
    if connection.in_atomic_block or connection.get_autocommit():
        transaction.on_commit(told)
    else:
        told()  # nobody tells when such a transaction ends
