"""What the columns of a file mean: a guess from headings and contents, for the owner to correct."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailing.addresses import parse_address
from mailing.importing.table import Row


class Column(models.TextChoices):
    EMAIL = "email", _("E-mail address")
    NAME = "name", _("Full name: first name first")
    SURNAME_NAME = "surname_name", _("Full name: last name first")
    FIRST_NAME = "first_name", _("First name")
    MIDDLE_NAME = "middle_name", _("Middle name")
    LAST_NAME = "last_name", _("Last name")
    PHONE = "phone", _("Phone")
    LANGUAGE = "language", _("Language")
    LISTS = "lists", _("Client lists")
    TAGS = "tags", _("Tags")
    COMMENT = "comment", _("Comment")


_HEADINGS = {
    Column.EMAIL: "email|e mail|mail|email address|e mail address|address|почта|эл почта|"
    "электронная почта|адрес электронной почты|адрес|адрес почты|емейл|емайл|имейл|мейл",
    Column.NAME: "name|full name|fullname|client|client name|contact|contact name|имя и фамилия|"
    "имя фамилия|полное имя|клиент|контакт",
    Column.SURNAME_NAME: "фио|ф и о|фамилия имя|фамилия и имя|фамилия имя отчество|"
    "last name first name|surname name",
    Column.FIRST_NAME: "first name|firstname|given name|forename|имя",
    Column.MIDDLE_NAME: "middle name|middlename|patronymic|second name|отчество|второе имя",
    Column.LAST_NAME: "last name|lastname|surname|family name|фамилия",
    Column.PHONE: "phone|phone number|telephone|tel|mobile|mobile phone|cell|телефон|"
    "номер телефона|тел|мобильный|мобильный телефон|сотовый",
    Column.LANGUAGE: "language|lang|locale|язык",
    Column.LISTS: "list|lists|client list|client lists|список|списки|список клиентов|"
    "списки клиентов|группа|группы|group|groups",
    Column.TAGS: "tag|tags|label|labels|тег|теги|тэг|тэги|метка|метки",
    Column.COMMENT: "comment|comments|note|notes|remark|remarks|description|комментарий|"
    "комментарии|примечание|примечания|заметка|заметки|описание",
}
_BY_HEADING = {
    heading: column for column, known in _HEADINGS.items() for heading in known.split("|")
}
_NOT_LETTERS = re.compile(r"[\W_]+")
_WORDS_OF_A_NAME = re.compile(r"[^\W\d_]+(?:[ .'’-]+[^\W\d_]+)*\.?")
_PHONE = re.compile(r"\+?[\d ()./-]{7,20}")


@dataclass(frozen=True, slots=True)
class Guess:
    columns: list[str]
    """For each column of the file a `Column`, or empty for one that is left out."""
    has_headings: bool


def guess(rows: Sequence[Row]) -> Guess:
    """Say what the first rows of a file look like."""
    first = rows[0].cells
    has_headings = not any(_is_address(cell) for cell in first)
    named = [_column_named(cell) if has_headings else "" for cell in first]
    width = max(len(row.cells) for row in rows)
    columns: list[str] = _once([*named, *[""] * (width - len(named))])
    body = rows[1:] if has_headings else rows
    if Column.EMAIL not in columns:
        _find(columns, Column.EMAIL, [_is_address(v) for v in _most(body, width)])
    if not has_headings:
        sample = _most(body, width)
        _find(columns, Column.NAME, [bool(_WORDS_OF_A_NAME.fullmatch(v)) for v in sample])
        _find(columns, Column.PHONE, [bool(_PHONE.fullmatch(v)) for v in sample])
        _find(columns, Column.COMMENT, [bool(v) for v in sample])
    return Guess(columns, has_headings)


def problem_with(columns: Sequence[str]) -> str:
    """Return why these columns cannot be imported, empty if they can."""
    if Column.EMAIL not in columns:
        return str(_("Say which column has the e-mail addresses."))
    for column in Column:
        if columns.count(column) > 1:
            return str(
                _("Two columns are chosen as “%(column)s”. Choose one of them.")
                % {"column": column.label}
            )
    return ""


def _column_named(heading: str) -> str:
    return _BY_HEADING.get(_NOT_LETTERS.sub(" ", heading).strip().casefold(), "")


def _once(columns: list[str]) -> list[str]:
    """Leave out what a heading says a second time, and full names beside their parts."""
    found = [c if c not in columns[:n] else "" for n, c in enumerate(columns)]
    if Column.LAST_NAME in found and Column.FIRST_NAME not in found and Column.NAME in found:
        found[found.index(Column.NAME)] = Column.FIRST_NAME  # "Name; Surname"
    if Column.FIRST_NAME in found or Column.LAST_NAME in found:
        found = ["" if c in {Column.NAME, Column.SURNAME_NAME} else c for c in found]
    if Column.NAME in found:
        found = ["" if c == Column.SURNAME_NAME else c for c in found]
    return found


def _most(rows: Sequence[Row], width: int) -> list[str]:
    """Return of each column the first cell that holds something."""
    return [
        next((r.cells[n].strip() for r in rows if n < len(r.cells) and r.cells[n].strip()), "")
        for n in range(width)
    ]


def _find(columns: list[str], column: Column, fits: list[bool]) -> None:
    for n, fit in enumerate(fits):
        if fit and not columns[n]:
            columns[n] = column
            return


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except ValidationError:
        return False
    return True
