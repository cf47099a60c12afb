"""Exports: a spreadsheet program opens them without running or losing anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from openpyxl import load_workbook
from wagtail.users.models import UserProfile

from accounts.models import User
from mailing.admin.export import safe_cell
from mailing.enums import MailingStatus, Unit
from tests.factories import NOW, make_client, make_mailing
from tests.mailing.admin.screens import url_of

BOM = "\ufeff"


class TestCell:
    @pytest.mark.parametrize(
        "text",
        [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            " =1",
            "'=1",
            '"=1',
            " ' \" =1",
            "＝1",
            "＠x",
        ],
    )
    def test_what_begins_like_a_formula_is_text(self, text: str) -> None:
        assert safe_cell(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["anna@x.test", "a=b", "1-2", "", "O'Neill", "Anna + Ben"])
    def test_other_text_stays_as_it_is(self, text: str) -> None:
        assert safe_cell(text) == text

    @pytest.mark.parametrize("number", [0, 5, -3, 2.5, -0.5])
    def test_numbers_stay_numbers(self, number: float) -> None:
        assert safe_cell(number) == number
        assert type(safe_cell(number)) is type(number)

    def test_nothing_is_an_empty_cell(self) -> None:
        assert safe_cell(None) == ""

    def test_other_values_become_text(self) -> None:
        assert safe_cell(True) == "True"
        assert safe_cell(date(2026, 11, 23)) == "2026-11-23"

    def test_a_time_is_what_the_readers_clock_shows(self) -> None:
        moment = datetime(2026, 7, 1, 22, 30, 5, 999, tzinfo=UTC)
        with timezone.override("Europe/Berlin"):
            assert safe_cell(moment) == datetime(2026, 7, 2, 0, 30, 5)

    @pytest.mark.parametrize("bad", ["\0", "\x07", "\x1b", "\ud800", "\ufffe", "\uffff"])
    def test_what_xml_cannot_hold_becomes_a_blank(self, bad: str) -> None:
        assert safe_cell(f"a{bad}b") == "a b"
        assert safe_cell("a\tb\nc") == "a\tb\nc"


@pytest.mark.django_db
class TestFile:
    @pytest.fixture
    def alices(self, alice: User, browse: Callable[..., Browser]) -> Browser:
        return browse(alice)

    def test_a_csv_is_read_as_utf8_by_excel_and_holds_no_formula(
        self, alice: User, alices: Browser
    ) -> None:
        make_client(alice, "anna@x.test", first_name="=HYPERLINK(1)", last_name="Привет; мир")
        headings, row = table(alices.get(url_of("client") + "?export=csv"))
        cells = dict(zip(headings, row, strict=True))
        assert cells["E-mail address"] == "anna@x.test"
        assert "'=HYPERLINK(1)" in row
        assert "Привет; мир" in row

    def test_an_xlsx_holds_the_same(self, alice: User, alices: Browser) -> None:
        make_client(alice, "anna@x.test", first_name="=HYPERLINK(1)", comment="bell\x07")
        response = alices.get(url_of("client") + "?export=xlsx")
        sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
        assert sheet is not None
        cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row]
        assert "anna@x.test" in [cell.value for cell in cells]
        assert "'=HYPERLINK(1)" in [cell.value for cell in cells]
        assert all(cell.data_type != "f" for cell in cells)

    def test_it_holds_the_own_rows_only_and_all_pages_of_them(
        self, alice: User, bob: User, alices: Browser
    ) -> None:
        for number in range(60):
            make_client(alice, f"client{number}@x.test")
        make_client(bob, "secret@x.test")
        rows = table(alices.get(url_of("client") + "?export=csv"))
        assert len(rows) == 61
        assert "secret" not in str(rows)

    def test_it_holds_what_the_list_is_narrowed_to(self, alice: User, alices: Browser) -> None:
        make_mailing(alice, name="First", status=MailingStatus.PAUSED)
        make_mailing(alice, name="Second")
        _headings, *rows = table(alices.get(url_of("mailing") + "?status=paused&export=csv"))
        assert [row[0] for row in rows] == ["First"]

    def test_times_and_headings_are_the_readers(self, alice: User, alices: Browser) -> None:
        UserProfile.objects.create(
            user=alice, current_time_zone="Asia/Tokyo", preferred_language="ru"
        )
        make_mailing(alice, [], unit=Unit.DAY, starts_at=NOW)
        headings, row = table(alices.get(url_of("mailing") + "?export=csv"))
        assert "2026-11-23 18:00" in " ".join(row)
        assert headings[0] == "Название"


def table(response: Any) -> list[list[str]]:
    """Return the lines of a CSV that was sent, the headings first."""
    assert response.status_code == 200
    text = response.getvalue().decode()
    assert text.startswith(BOM)
    return list(csv.reader(io.StringIO(text.removeprefix(BOM))))
