"""A file as rows of texts, whatever its format: the one door to `text` and `workbook`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import IO

from mailing.importing import text, workbook
from mailing.importing.limits import MOST_BYTES, MOST_COLUMNS, MOST_ROWS
from mailing.importing.refusals import FileRefused, Refusal
from mailing.importing.table import Row

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file is at the first look. `total` is 0 if only reading all of it would tell."""

    format: str
    """In words for people: encoding and separator, or the name of the sheet."""
    first: list[Row]
    total: int


def survey(file: IO[bytes], first: int) -> Survey:
    """Look at a file that was just chosen. Raises FileRefused."""
    with _opened(file) as table:
        rows = _bounded(table.rows())
        head = list(islice(rows, first))
        if not head:
            raise FileRefused(Refusal.EMPTY)
        total = table.size if table.size is not None else len(head) + sum(1 for _row in rows)
        return Survey(table.format, head, total)


@contextmanager
def reading(file: IO[bytes]) -> Iterator[Iterator[Row]]:
    """Give the rows of a file that are not empty, one after the other. Raises FileRefused."""
    with _opened(file) as table:
        yield _bounded(table.rows())


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[text.Text | workbook.Workbook]:
    file.seek(0, 2)
    size = file.tell()
    file.seek(0)
    if size == 0:
        raise FileRefused(Refusal.EMPTY)
    if size > MOST_BYTES:
        raise FileRefused(Refusal.TOO_LARGE)
    start = file.read(len(_OLE))
    file.seek(0)
    if start == _OLE:
        raise FileRefused(Refusal.OLD_WORKBOOK)
    opener = workbook.opened if start.startswith(_ZIP) else text.opened
    with opener(file) as table:
        yield table


def _bounded(rows: Iterator[Row]) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number >= MOST_ROWS:
            raise FileRefused(Refusal.TOO_MANY_ROWS)
        if len(row.cells) > MOST_COLUMNS:
            raise FileRefused(Refusal.TOO_MANY_COLUMNS)
        yield row
