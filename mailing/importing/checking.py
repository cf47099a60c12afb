"""One row of a file after the other: a client to be, or a fault with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from phonenumber_field.phonenumber import PhoneNumber, to_python

from accounts.names import refuse_hidden_characters
from mailing.addresses import Address, parse_address
from mailing.importing.columns import Column
from mailing.importing.limits import (
    LONGEST_CELL,
    MOST_LISTS_OF_OWNER,
    MOST_NAMES_IN_CELL,
    MOST_TAGS_OF_OWNER,
)
from mailing.importing.names import split_name
from mailing.importing.table import Row
from mailing.models import Client, ClientList, ClientTag

_NAMES = (Column.FIRST_NAME, Column.MIDDLE_NAME, Column.LAST_NAME)
_LONGEST_NAME = Client._meta.get_field("first_name").max_length or 0
_LONGEST_LIST = ClientList._meta.get_field("name").max_length or 0
_LONGEST_TAG = ClientTag._meta.get_field("name").max_length or 0
# What our export puts before a text that a spreadsheet would take for a formula.
_GUARDED = re.compile(r"'(?=['\" ]*[=+\-@\t\r\n＝＋－＠])")
_UNREADABLE = re.compile(r"[\x00\ufffd\ud800-\udfff]")
_BETWEEN_NAMES = re.compile(r"[,;\n]")
_LANGUAGES = {
    "en": "en english английский англ",
    "ru": "ru russian русский рус",
}
_LANGUAGE_OF = {word: code for code, words in _LANGUAGES.items() for word in words.split()}


class Reason(models.TextChoices):
    """Why a line is not imported, in words for its author."""

    NO_ADDRESS = "no_address", _("There is no e-mail address.")
    BAD_ADDRESS = "bad_address", _("This is not an e-mail address.")
    SEVERAL_ADDRESSES = "several", _("There are several addresses in one cell.")
    TOO_LONG = "too_long", _("This is too long.")
    HIDDEN = "hidden", _("There are line breaks or invisible characters in it.")
    UNREADABLE = "unreadable", _("There are characters in it that cannot be read.")
    TORN = "torn", _("A quotation mark is opened and not closed.")
    BAD_PHONE = (
        "bad_phone",
        _("This is not a phone number with its country code, for example +44 20 7946 0118."),
    )
    BAD_LANGUAGE = "bad_language", _("This is not a language of the letters.")
    TOO_MANY_NAMES = "too_many_names", _("There are too many names, or you have too many already.")


class Faulty(Exception):
    def __init__(self, reason: Reason, column: str, value: str) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.column = column
        self.value = value


@dataclass(frozen=True, slots=True)
class Entry:
    """A client as a row of the file has it; what is not there is empty."""

    line: int
    address: Address
    fields: dict[str, str]
    lists: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass
class Checker:
    """Checks as the form of a client does. Lists and tags are known by their folded names.

    Names that are new are added to those known, so that a long file cannot make them without end.
    """

    columns: Sequence[str]
    known_lists: set[str] = field(default_factory=set)
    known_tags: set[str] = field(default_factory=set)

    @classmethod
    def for_owner(cls, columns: Sequence[str], owner_id: int) -> Checker:
        lists, tags = (
            {name.casefold() for name in rows.filter(owner=owner_id).values_list("name", flat=True)}
            for rows in (ClientList.objects.all(), ClientTag.objects.all())
        )
        return cls(columns, lists, tags)

    def check(self, row: Row) -> Entry:
        """Raises Faulty."""
        if row.is_torn:
            raise Faulty(Reason.TORN, "", "")
        cells = self._cells(row)
        address = _address(cells.pop(Column.EMAIL, ""))
        names = {c: cells.pop(c) for c in (Column.NAME, Column.SURNAME_NAME) if c in cells}
        for column, text in names.items():
            refuse_hidden(text, column)
            parts = split_name(text, surname_first=column == Column.SURNAME_NAME)
            cells = dict(zip(_NAMES, parts, strict=True)) | {c: t for c, t in cells.items() if t}
        lists = self._names(cells.pop(Column.LISTS, ""), Column.LISTS)
        tags = self._names(cells.pop(Column.TAGS, ""), Column.TAGS)
        fields = {str(column): _CLEAN[column](text) for column, text in cells.items() if text}
        return Entry(row.line, address, fields, lists, tags)

    def _cells(self, row: Row) -> dict[str, str]:
        found = {}
        for column, cell in zip(self.columns, row.cells, strict=False):
            if not column:
                continue
            if len(cell) > LONGEST_CELL:
                raise Faulty(Reason.TOO_LONG, column, cell)
            if _UNREADABLE.search(cell):
                raise Faulty(Reason.UNREADABLE, column, cell)
            text = cell.strip()
            found[column] = text[1:] if _GUARDED.match(text) else text
        return found

    def _names(self, text: str, column: Column) -> tuple[str, ...]:
        if not text:
            return ()
        is_list = column == Column.LISTS
        known, most = (
            (self.known_lists, MOST_LISTS_OF_OWNER)
            if is_list
            else (self.known_tags, MOST_TAGS_OF_OWNER)
        )
        longest = _LONGEST_LIST if is_list else _LONGEST_TAG
        whole = " ".join(text.split())
        # The name of a list may hold a comma; that of a tag cannot.
        parts = [whole] if is_list and whole.casefold() in known else _BETWEEN_NAMES.split(text)
        names = {name.casefold(): name for part in parts if (name := " ".join(part.split()))}
        for name in names.values():
            refuse_hidden(name, column)
            if len(name) > longest:
                raise Faulty(Reason.TOO_LONG, column, name)
        if len(names) > MOST_NAMES_IN_CELL or len(known | names.keys()) > max(most, len(known)):
            raise Faulty(Reason.TOO_MANY_NAMES, column, text)
        known.update(names)
        return tuple(names.values())


def refuse_hidden(text: str, column: str) -> None:
    try:
        refuse_hidden_characters(text)
    except ValidationError as error:
        raise Faulty(Reason.HIDDEN, column, text) from error


def _address(text: str) -> Address:
    if not text:
        raise Faulty(Reason.NO_ADDRESS, Column.EMAIL, "")
    try:
        return parse_address(text)
    except ValidationError as error:
        several = text.count("@") > 1 and re.search(r"[,;\s]", text)
        reason = Reason.SEVERAL_ADDRESSES if several else Reason.BAD_ADDRESS
        raise Faulty(reason, Column.EMAIL, text) from error


def _name(column: Column) -> Callable[[str], str]:
    def clean(text: str) -> str:
        refuse_hidden(text, column)
        if len(text) > _LONGEST_NAME:
            raise Faulty(Reason.TOO_LONG, column, text)
        return text

    return clean


def _phone(text: str) -> str:
    refuse_hidden(text, Column.PHONE)
    number: PhoneNumber | None = to_python(text)
    if number is None or not number.is_valid():
        raise Faulty(Reason.BAD_PHONE, Column.PHONE, text)
    return str(number.as_e164)  # as the column stores it; str() would check it once more


def _language(text: str) -> str:
    code = _LANGUAGE_OF.get(text.casefold(), text.casefold())
    if code not in dict(settings.LANGUAGES):
        raise Faulty(Reason.BAD_LANGUAGE, Column.LANGUAGE, text)
    return code


_CLEAN: dict[str, Callable[[str], str]] = {
    **{column: _name(column) for column in _NAMES},
    Column.PHONE: _phone,
    Column.LANGUAGE: _language,
    Column.COMMENT: str,
}
