"""Why a whole file is not taken."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Refusal(models.TextChoices):
    """Each is a sentence for the owner of the file."""

    EMPTY = "empty", _("The file is empty.")
    TOO_LARGE = "too_large", _("The file is larger than 50 MB. Split it into several.")
    NOT_A_TABLE = (
        "not_a_table",
        _("This is neither a CSV file nor an XLSX workbook. Save the table as one of them."),
    )
    OLD_WORKBOOK = (
        "old_workbook",
        _(
            "Workbooks of the old kind (.xls) and those with a password cannot be read. "
            "Save the table as XLSX or CSV."
        ),
    )
    DAMAGED = "damaged", _("The workbook is damaged. Open it, and save it again.")
    TOO_MUCH_UNPACKED = (
        "too_much_unpacked",
        _("The workbook holds too much. Save the one sheet with the clients as CSV."),
    )
    TOO_MANY_ROWS = "too_many_rows", _("The file has too many rows. Split it into several.")
    TOO_MANY_COLUMNS = (
        "too_many_columns",
        _("The file has more than 200 columns. Leave those with the clients."),
    )
    LONG_LINE = (
        "long_line",
        _("The file has a line of more than a million characters. Is it a table?"),
    )
    GONE = "gone", _("The file is not there any more. Choose it again.")
    STUMBLED = (
        "stumbled",
        _("The import failed several times at one place; the administrator finds why in the log."),
    )
    FAULTY_LINES = (
        "faulty_lines",
        _("There are faulty lines, so nothing was written, as you chose."),
    )


class FileRefused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
