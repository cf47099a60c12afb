"""Compares the tables that have really changed with those that `table_writes` has told of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from django.db import connection, models

from site_project import page_cache, table_writes


def tables_of_pages() -> set[str]:
    """Return the tables that some page depends on."""
    return {table for group in page_cache._groups for table in group.tables()}


@contextmanager
def all_is_told(*must_change: type[models.Model]) -> Iterator[None]:
    """Assert that each of those tables whose rows change inside is told of.

    `must_change` are models whose rows do change, or the test would show nothing.
    """
    told: set[str] = set()
    listeners = {table: partial(told.add, table) for table in sorted(tables_of_pages())}
    for table, listener in listeners.items():
        table_writes.call_after_writes([table], listener)
    before = {table: _rows(table) for table in listeners}
    try:
        yield
    finally:
        for table, listener in listeners.items():
            table_writes._wanted[table].remove(listener)
    changed = {table for table, rows in before.items() if rows != _rows(table)}
    untouched = {model._meta.db_table for model in must_change} - changed
    assert not untouched, f"nothing was done to {sorted(untouched)}"
    assert changed <= told, f"nobody is told of {sorted(changed - told)}"


def _rows(table: str) -> str:
    """Return what differs as soon as a row of a table does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM " + connection.ops.quote_name(table))  # noqa: S608 - ours
        rows = sorted(map(repr, cursor.fetchall()))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
