"""Finding rows by words, in tables that stay small; those that grow have an index of their own."""

from __future__ import annotations

import re
from typing import Any

from django.db import connections
from django.db.models import Q, QuerySet

MOST_WORDS = 8
"""More are left out: nobody needs them to find a person."""


def words_of(text: str) -> list[str]:
    return text.replace("\x00", " ").split()[:MOST_WORDS]


def containing(rows: QuerySet[Any], text: str, *paths: str) -> Any:
    """Narrow rows to those with all words in one of the columns.

    SQLite's LIKE does not know the case of letters beyond ASCII; its REGEXP is Python's.
    """
    lookup = "icontains"
    if connections[rows.db].vendor == "sqlite":
        lookup = "iregex"
    for word in words_of(text):
        wanted = re.escape(word) if lookup == "iregex" else word
        found = Q()
        for path in paths:
            found |= Q(**{f"{path}__{lookup}": wanted})
        rows = rows.filter(found)
    return rows
