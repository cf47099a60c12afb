from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection


@pytest.fixture
def search(db: None) -> None:
    """Have a search index: tests run without migrations, and on SQLite one of those makes it."""
    if connection.vendor != "sqlite":
        return
    migration = import_module("wagtail.search.migrations.0006_customise_indexentry").Migration
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE wagtailsearch_indexentry_fts")
        for operation in migration.operations[-1].database_operations:
            cursor.execute(operation.sql)
