"""What was wrong in a file: each faulty line with its number, its reason and what stood there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from mailing.importing.checking import Faulty, Reason
from mailing.importing.columns import Column
from mailing.importing.table import Row
from mailing.models import ClientImport, ImportFault

_LONGEST_VALUE = ImportFault._meta.get_field("value").max_length or 0
_MOST_CELLS = 50
_STEP = 1_000


@dataclass(frozen=True, slots=True)
class Finding:
    """A faulty line in the language of the reader."""

    line: int
    column: str
    reason: str
    value: str
    cells: list[str]


def fault(of: ClientImport, row: Row, found: Faulty) -> ImportFault:
    return ImportFault(
        client_import=of,
        line=row.line,
        column=found.column,
        reason=found.reason.value,
        value=_kept(found.value),
        cells=[_kept(cell) for cell in row.cells[:_MOST_CELLS]],
    )


def finding(stored: ImportFault) -> Finding:
    column = Column(stored.column).label if stored.column else _("The line")
    return Finding(
        stored.line, str(column), str(Reason(stored.reason).label), stored.value, stored.cells
    )


def findings(of: ClientImport) -> Iterator[Finding]:
    """Return the faulty lines in the order of the file."""
    last = 0
    while page := list(of.faults.filter(pk__gt=last).order_by("pk")[:_STEP]):
        yield from map(finding, page)
        last = page[-1].pk


def _kept(text: str) -> str:
    """Return what a column can hold: PostgreSQL has no NUL, and UTF-8 no halves of characters."""
    text = text.replace("\x00", "\ufffd").encode(errors="replace").decode()
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
