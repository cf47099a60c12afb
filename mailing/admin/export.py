"""Exports that a spreadsheet program opens without harm and without mojibake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone
from wagtail.admin.views.mixins import SpreadsheetExportMixin

_BYTE_ORDER_MARK = "\ufeff".encode()
_FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")


class SafeSpreadsheetMixin(SpreadsheetExportMixin):
    """Keeps formulas out, marks CSV as UTF-8 for Excel, gives times in the reader's zone."""

    def to_row_dict(self, item: Any) -> dict[str, Any]:
        row: dict[str, Any] = super().to_row_dict(item)
        return {name: safe_cell(value) for name, value in row.items()}

    def stream_csv(self, queryset: Any) -> Iterator[bytes]:
        yield _BYTE_ORDER_MARK
        yield from super().stream_csv(queryset)


def safe_cell(value: Any) -> Any:
    """Return the value for a cell; text that begins like a formula gets an apostrophe before it."""
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None)
    text = str(value) if not isinstance(value, int | float) or isinstance(value, bool) else value
    if isinstance(text, str) and text.lstrip("'\" ").startswith(_FORMULA_STARTS):
        return f"'{text}"
    return text
