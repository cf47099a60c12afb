"""CSV as people have it: whatever encoding, separator, quotes and line ends."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import IO

from django.utils.translation import gettext_lazy as _

from mailing.importing.limits import LONGEST_LINE
from mailing.importing.refusals import FileRefused, Refusal
from mailing.importing.table import Row

_SAMPLE_BYTES = 256 * 1024
_SAMPLE_ROWS = 30
_SEPARATORS = (",", ";", "\t", "|")
_NAMES = {",": _("commas"), ";": _("semicolons"), "\t": _("tabs"), "|": _("vertical bars")}
_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])[\r\n]*")  # what Excel writes and reads
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
# A Russian word in Windows-1251 is a run of such bytes; in Windows-1252 they stand alone: café.
_RUN_OF_HIGH_BYTES = re.compile(rb"[\xa8\xb8\xc0-\xff]{3,}")


@dataclass(frozen=True, slots=True)
class Text:
    format: str
    separator: str
    has_separator_line: bool
    _stream: io.TextIOWrapper
    size: None = None
    """Only reading it tells how many rows there are."""

    def rows(self) -> Iterator[Row]:
        return _rows(self._stream, self.separator, skip=int(self.has_separator_line))


@contextmanager
def opened(file: IO[bytes]) -> Iterator[Text]:
    sample = file.read(_SAMPLE_BYTES)
    encoding, name = _encoding(sample, file)
    head = codecs.getincrementaldecoder(encoding)(errors="replace").decode(sample)
    if "\x00" in head:
        raise FileRefused(Refusal.NOT_A_TABLE)
    line = _SEPARATOR_LINE.match(head)
    separator = line[1] if line else _separator(head)
    file.seek(0)
    stream = io.TextIOWrapper(file, encoding, errors="replace", newline="")
    try:
        yield Text(f"{name}, {_NAMES[separator]}", separator, line is not None, stream)
    finally:
        stream.detach()  # the file belongs to who has opened it


def _encoding(sample: bytes, file: IO[bytes]) -> tuple[str, str]:
    for mark, encoding, name in _MARKS:
        if sample.startswith(mark):
            return encoding, name
    if b"\x00" in sample:
        for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
            if zeros.count(0) * 2 > len(zeros):
                return encoding, "UTF-16"
        raise FileRefused(Refusal.NOT_A_TABLE)
    if _is_mostly_utf8(file):
        return "utf-8", "UTF-8"
    high = sum(byte >= 0x80 for byte in sample)
    in_runs = sum(len(run) for run in _RUN_OF_HIGH_BYTES.findall(sample))
    return ("cp1251", "Windows-1251") if in_runs * 2 > high else ("cp1252", "Windows-1252")


def _is_mostly_utf8(file: IO[bytes]) -> bool:
    """Say whether the whole file is UTF-8, but for a few lines that came from elsewhere."""
    file.seek(0)
    letters = broken = 0
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while block := file.read(_SAMPLE_BYTES):
        text = decoder.decode(block)
        broken += text.count("\ufffd")
        letters += len(text) - len(text.encode("ascii", "ignore"))
    return broken == 0 or letters > 3 * broken


def _separator(head: str) -> str:
    """Return the separator that gives most rows the same number of cells, more than one."""

    def evenness(separator: str) -> tuple[int, int]:
        rows = islice(_rows(io.StringIO(head, newline=""), separator), _SAMPLE_ROWS)
        widths = Counter(len(row.cells) for row in rows)
        width, number = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
        return (number, width) if width > 1 else (0, 0)

    return max(_SEPARATORS, key=evenness)


def _rows(stream: io.TextIOBase, separator: str, skip: int = 0) -> Iterator[Row]:
    lines = _lines(stream)
    for _n in range(skip):
        next(lines, None)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    end = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            # A quotation mark that nobody closes has swallowed lines up to the limit of a cell;
            # the reader begins anew with the line after them.
            cells, is_torn = [], True
        else:
            is_torn = False
        line, end = skip + end + 1, reader.line_num
        if cells is None:
            return
        if is_torn or any(cell.strip() for cell in cells):
            yield Row(line, tuple(cells), is_torn)


def _lines(stream: io.TextIOBase) -> Iterator[str]:
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            raise FileRefused(Refusal.LONG_LINE)
        yield line
