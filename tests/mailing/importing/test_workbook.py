"""XLSX, also of the kind that is made to do harm."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from io import BytesIO

import pytest
from openpyxl import Workbook, load_workbook

from mailing.importing.refusals import FileRefused, Refusal
from mailing.importing.rows import reading, survey
from tests.mailing.importing.files import xlsx_of
from tests.mailing.importing.test_text import lines_of, refusal_of, rows_of

PLAIN = xlsx_of(("E-mail", "Name"), ("anna@x.test", "Anna"))


def with_part(name: str, content: bytes) -> bytes:
    """Return a workbook one of whose parts is another."""
    stream = BytesIO()
    with zipfile.ZipFile(BytesIO(PLAIN)) as old, zipfile.ZipFile(stream, "w") as new:
        for part in old.namelist():
            new.writestr(part, content if part == name else old.read(part))
        if name not in old.namelist():
            new.writestr(name, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def test_values_are_read_as_people_see_them() -> None:
    content = xlsx_of(
        ("anna@x.test", 79161234567, 2.5, True, date(2026, 5, 2), None, ""),
        (None, None),
        ("ben@x.test", datetime(2026, 5, 2, 9, 30), "  ", "last"),
    )
    assert rows_of(content) == [
        ("anna@x.test", "79161234567", "2.5", "True", "2026-05-02"),
        ("ben@x.test", "2026-05-02 09:30:00", "  ", "last"),
    ]
    assert lines_of(content) == [1, 3]


def test_formulas_are_not_evaluated() -> None:
    content = xlsx_of(("anna@x.test", "=cmd|' /C calc'!A0", "=1+1"), ("ben@x.test", "x"))
    assert rows_of(content)[0] == ("anna@x.test",), "nobody has calculated a value"


def test_merged_cells_have_their_value_once() -> None:
    book = load_workbook(BytesIO(xlsx_of(("anna@x.test", "Anna", ""), ("ben@x.test", "Ben", ""))))
    assert book.active is not None
    book.active.merge_cells("B1:C1")
    stream = BytesIO()
    book.save(stream)
    assert rows_of(stream.getvalue())[0] == ("anna@x.test", "Anna")


def test_the_first_visible_sheet_with_rows_counts() -> None:
    book = Workbook()
    assert book.active is not None
    hidden = book.create_sheet("Hidden")
    hidden.append(["secret@x.test"])
    hidden.sheet_state = "hidden"
    book.create_sheet("Clients").append(["anna@x.test"])
    stream = BytesIO()
    book.save(stream)
    looked = survey(stream, first=5)
    assert [row.cells for row in looked.first] == [("anna@x.test",)]
    assert looked.format == "XLSX, Clients"


def test_an_empty_workbook_is_empty() -> None:
    assert refusal_of(xlsx_of()) == Refusal.EMPTY
    assert refusal_of(xlsx_of(("", " "))) == Refusal.EMPTY


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), Refusal.OLD_WORKBOOK),
        (PLAIN[: len(PLAIN) // 2], Refusal.DAMAGED),
        (b"PK\x03\x04" + bytes(100), Refusal.DAMAGED),
        (with_part("xl/worksheets/sheet1.xml", b"<worksheet><sheetData>"), Refusal.DAMAGED),
        (with_part("xl/workbook.xml", b"<nothing/>"), Refusal.EMPTY),
    ],
)
def test_what_cannot_be_read_is_refused(content: bytes, refusal: Refusal) -> None:
    assert refusal_of(content) == refusal


def test_another_archive_is_no_workbook() -> None:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("content.xml", "<office/>")
    assert refusal_of(stream.getvalue()) == Refusal.NOT_A_TABLE


def test_entities_are_refused_before_they_grow() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ha"><!ENTITY c "&a;&a;&a;">]><b>&c;</b>'
    assert refusal_of(with_part("xl/sharedStrings.xml", bomb)) == Refusal.DAMAGED
    hidden = b" " * 2_000 + bomb.partition(b"?>")[2]
    assert refusal_of(with_part("xl/sharedStrings.xml", hidden)) == Refusal.DAMAGED


@pytest.mark.parametrize(
    ("name", "limit"),
    [("xl/media/zeros.bin", "MOST_SHARED_BYTES"), ("xl/worksheets/x.xml", "MOST_UNPACKED_BYTES")],
)
def test_a_bomb_is_refused_before_it_is_unpacked(
    name: str, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = with_part(name, b" " * 50_000_000)
    assert len(bomb) < 200_000
    monkeypatch.setattr(f"mailing.importing.workbook.{limit}", 40_000_000)
    assert refusal_of(bomb) == Refusal.TOO_MUCH_UNPACKED


def test_a_size_that_is_not_true_changes_nothing() -> None:
    with zipfile.ZipFile(BytesIO(PLAIN)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    lying = with_part("xl/worksheets/sheet1.xml", sheet.replace(b"A1:B2", b"A1:A1"))
    assert rows_of(lying) == [("E-mail", "Name"), ("anna@x.test", "Anna")]


def test_a_row_far_below_does_not_keep_anybody_busy() -> None:
    sheet = b"""<?xml version="1.0"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>anna@x.test</t></is></c></row>
<row r="99999999999"><c r="A99999999999" t="inlineStr"><is><t>x</t></is></c></row>
</sheetData></worksheet>"""
    with reading(BytesIO(with_part("xl/worksheets/sheet1.xml", sheet))) as rows:
        assert next(rows).cells == ("anna@x.test",)
        with pytest.raises(FileRefused) as caught:
            next(rows)
    assert caught.value.refusal == Refusal.TOO_MANY_ROWS


def test_too_many_columns_are_refused() -> None:
    assert refusal_of(xlsx_of(["x"] * 201)) == Refusal.TOO_MANY_COLUMNS
