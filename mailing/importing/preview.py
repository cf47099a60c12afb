"""What an import would do, shown before anything is written."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from django.db import models
from django.utils.translation import pgettext_lazy

from mailing.importing.checking import Checker, Entry, Faulty
from mailing.importing.limits import MOST_PREVIEWED, PREVIEW_SECONDS, ROWS_SHOWN
from mailing.importing.report import Finding, fault, finding
from mailing.importing.rows import reading
from mailing.importing.table import Row
from mailing.models import Client, ClientImport, Suppression

_STEP = 1_000
_FAULTS_SHOWN = 10


class Kind(models.TextChoices):
    """What becomes of a row."""

    NEW = "new", pgettext_lazy("row of a file", "New")
    THERE = "there", pgettext_lazy("row of a file", "There already")
    REPEATED = "repeated", pgettext_lazy("row of a file", "Twice in the file")
    SUPPRESSED = "suppressed", pgettext_lazy("row of a file", "Gets no letters")
    FAULTY = "faulty", pgettext_lazy("row of a file", "Faulty")


@dataclass
class Preview:
    headings: tuple[str, ...] = ()
    shown: list[tuple[Row, Kind, str]] = field(default_factory=list)
    """The first rows, what becomes of each, and why if it is faulty."""
    counts: Counter[Kind] = field(default_factory=Counter)
    faults: list[Finding] = field(default_factory=list)
    is_whole: bool = True
    """Whether the figures are about all rows of the file."""

    @property
    def rows(self) -> int:
        return self.counts.total()

    @property
    def importable(self) -> int:
        return self.counts[Kind.NEW] + self.counts[Kind.THERE] + self.counts[Kind.SUPPRESSED]


def preview(of: ClientImport) -> Preview:
    """Check the first rows of a draft's file with its columns. Raises FileRefused."""
    found = Preview()
    until = time.monotonic() + PREVIEW_SECONDS
    checker = Checker.for_owner(of.columns, of.owner_id)
    seen: set[str] = set()
    with of.file.open("rb") as file, reading(file) as rows:
        if of.has_headings and (headings := next(rows, None)) is not None:
            found.headings = headings.cells
        while step := list(islice(rows, _STEP)):
            for row, kind, fault_found in _kinds(of, step, checker, seen):
                found.counts[kind] += 1
                if len(found.shown) < ROWS_SHOWN:
                    found.shown.append((row, kind, fault_found.reason if fault_found else ""))
                if fault_found and len(found.faults) < _FAULTS_SHOWN:
                    found.faults.append(fault_found)
            if found.rows >= MOST_PREVIEWED or time.monotonic() >= until:
                found.is_whole = next(rows, None) is None
                break
    return found


def _kinds(
    of: ClientImport, rows: list[Row], checker: Checker, seen: set[str]
) -> Iterator[tuple[Row, Kind, Finding | None]]:
    checked: list[tuple[Row, Entry | Finding]] = []
    for row in rows:
        try:
            checked.append((row, checker.check(row)))
        except Faulty as found:
            checked.append((row, finding(fault(of, row, found))))
    addresses = [e.address.normalized for _row, e in checked if isinstance(e, Entry)]
    there, suppressed = (
        set(
            table.filter(owner=of.owner_id, email_normalized__in=addresses).values_list(
                "email_normalized", flat=True
            )
        )
        for table in (Client.objects.all(), Suppression.objects.all())
    )
    for row, entry in checked:
        if not isinstance(entry, Entry):
            yield row, Kind.FAULTY, entry
            continue
        address = entry.address.normalized
        if address in seen:
            kind = Kind.REPEATED
        elif address in suppressed:
            kind = Kind.SUPPRESSED
        else:
            kind = Kind.THERE if address in there else Kind.NEW
        seen.add(address)
        yield row, kind, None
