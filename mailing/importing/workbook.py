"""XLSX: the first sheet that is not empty. Formulas are not evaluated; their kept values count."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook

from mailing.importing.limits import (
    MOST_COLUMNS,
    MOST_PARTS,
    MOST_ROWS,
    MOST_SHARED_BYTES,
    MOST_UNPACKED_BYTES,
)
from mailing.importing.refusals import FileRefused, Refusal
from mailing.importing.table import Row

# What openpyxl raises for archives that only look like workbooks; it promises no errors of its own.
_DAMAGED = (
    zipfile.BadZipFile,
    ParseError,
    SyntaxError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    AssertionError,
)
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
# Declarations of entities could stand only before the root, and no writer puts anything there.
_PROLOGUE = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>)?\s*<[A-Za-z]")
_HEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Workbook:
    format: str
    size: int
    """Rows that the sheet says to have, 0 if it does not say."""
    _sheet: Any

    def rows(self) -> Iterator[Row]:
        with _as_refusal():
            for line, values in enumerate(self._sheet.iter_rows(values_only=True), start=1):
                if line > MOST_ROWS:
                    raise FileRefused(Refusal.TOO_MANY_ROWS)
                texts = _texts(values)
                if texts:
                    yield Row(line, texts)


@contextmanager
def opened(file: IO[bytes]) -> Iterator[Workbook]:
    with _as_refusal():
        _inspect(file)
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    try:
        with _as_refusal():
            sheet = _sheet_with_rows(book)
            stated = sheet.max_row or 0
            sheet.reset_dimensions()  # some writers state a size that is not true
        yield Workbook(f"XLSX, {sheet.title}", min(stated, MOST_ROWS), sheet)
    finally:
        book.close()


@contextmanager
def _as_refusal() -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise FileRefused(Refusal.DAMAGED) from error


def _inspect(file: IO[bytes]) -> None:
    """Refuse what would fill the memory before anything of it is unpacked.

    The sizes are those that the archive states; `zipfile` reads no more than that.
    """
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        if "xl/workbook.xml" not in archive.namelist():
            raise FileRefused(Refusal.NOT_A_TABLE)
        held = sum(part.file_size for part in parts if not _SHEET.fullmatch(part.filename))
        unpacked = sum(part.file_size for part in parts)
        if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED_BYTES or held > MOST_SHARED_BYTES:
            raise FileRefused(Refusal.TOO_MUCH_UNPACKED)
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as content:
                    if not _PROLOGUE.match(content.read(_HEAD_BYTES)):
                        raise FileRefused(Refusal.DAMAGED)
    file.seek(0)


def _sheet_with_rows(book: Any) -> Any:
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible" and any(
            any(value is not None for value in row)
            for row in sheet.iter_rows(values_only=True, max_row=100, max_col=MOST_COLUMNS)
        ):
            return sheet
    raise FileRefused(Refusal.EMPTY)


def _texts(values: tuple[Any, ...]) -> tuple[str, ...]:
    """Return the cells as texts without the empty ones at the end; none if all are empty."""
    texts = ["" if value is None else _text(value) for value in values]
    while texts and not texts[-1].strip():
        texts.pop()
    return tuple(texts)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))  # a number of a telephone
    return str(value)
