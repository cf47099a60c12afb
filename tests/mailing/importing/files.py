"""Files as people choose them, and imports of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from openpyxl import Workbook

from accounts.models import User
from mailing.importing import jobs, slices
from mailing.importing.columns import guess
from mailing.importing.rows import survey
from mailing.models import ClientImport

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def csv_of(*lines: str, encoding: str = "utf-8", end: str = "\r\n") -> bytes:
    return "".join(f"{line}{end}" for line in lines).encode(encoding)


def xlsx_of(*rows: Sequence[Any]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def make_import(owner: User, content: bytes | Iterable[str], **fields: Any) -> ClientImport:
    """Return a draft whose columns were guessed; `content` may be lines of a CSV file."""
    if not isinstance(content, bytes):
        content = csv_of(*content)
    looked = survey(BytesIO(content), first=50)
    columns = guess(looked.first)
    return ClientImport.objects.create(
        owner=owner,
        file=ContentFile(content, "clients"),
        **{
            "name": "clients.csv",
            "format": looked.format,
            "columns": columns.columns,
            "has_headings": columns.has_headings,
            "total": looked.total,
            **fields,
        },
    )


def carry_out(row: ClientImport) -> ClientImport:
    """Start an import and let a worker go on until nothing is left."""
    assert jobs.start(row, now=NOW)
    while slices.go_on(lambda: NOW):
        pass
    row.refresh_from_db()
    return row


def figures(row: ClientImport) -> dict[str, int]:
    names = ("new", "changed", "unchanged", "repeated", "suppressed", "faulty")
    return {name: getattr(row, name) for name in names if getattr(row, name)}
