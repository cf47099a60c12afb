"""Exports that a spreadsheet program opens without harm and without mojibake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.utils.translation import get_language
from wagtail.admin.views.mixins import SpreadsheetExportMixin
from wagtail.log_actions import log

BYTE_ORDER_MARK = "\ufeff".encode()
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
# XLSX is XML, which has no place for these; one in a comment would cost the whole file.
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class SafeSpreadsheetMixin(SpreadsheetExportMixin):
    """Keeps formulas out, marks CSV as UTF-8 for Excel, gives times in the reader's zone."""

    def to_row_dict(self, item: Any) -> dict[str, Any]:
        # Not modeladmin's, which writes a dash where nothing is, and also for the number 0.
        row = {name: lookup_field(name, item, self.model_admin)[2] for name in self.list_export}
        return {name: safe_cell(value) for name, value in row.items()}

    def get_heading(self, queryset: Any, field: str) -> str:
        return capfirst(str(label_for_field(field, queryset.model, self.model_admin)))

    def as_spreadsheet(self, queryset: Any, spreadsheet_format: str) -> Any:
        write_down_export(self.request.user, str(self.get_page_title()))
        return super().as_spreadsheet(queryset, spreadsheet_format)

    def stream_csv(self, queryset: Any) -> Iterator[bytes]:
        lines = super().stream_csv(queryset)
        return with_preferences(lines, timezone.get_current_timezone(), get_language() or "")


def write_down_export(user: Any, name: str) -> None:
    """Keep in the log who has taken what out of the service."""
    log(instance=user, action="mailing.export", user=user, data={"list": name})


def with_preferences(lines: Iterator[bytes], zone: tzinfo, language: str) -> Iterator[bytes]:
    """Make each line of a CSV file as the request would have, which is over when it is asked for.

    The mark before the first one tells Excel that this is UTF-8.
    """
    yield BYTE_ORDER_MARK
    while True:
        with timezone.override(zone), translation.override(language):
            line = next(lines, None)
        if line is None:
            return
        yield line


def safe_cell(value: Any) -> Any:
    """Return the value for a cell; text that begins like a formula gets an apostrophe before it."""
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None, microsecond=0)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = _NOT_IN_XML.sub(" ", "" if value is None else str(value))
    if text.lstrip("'\" ").startswith(_FORMULA_STARTS):
        return f"'{text}"
    return text
