"""What the columns of a file are taken for."""

from __future__ import annotations

import pytest

from mailing.importing.columns import Column, guess, problem_with
from mailing.importing.table import Row


def guessed(*rows: tuple[str, ...]) -> tuple[list[str], bool]:
    found = guess([Row(n, cells) for n, cells in enumerate(rows, start=1)])
    return found.columns, found.has_headings


@pytest.mark.parametrize(
    ("headings", "columns"),
    [
        (("Name", "E-mail", "Comment"), ["name", "email", "comment"]),
        (("Имя", "Почта", "Комментарий"), ["first_name", "email", "comment"]),
        (("ФИО", "Эл. почта", "Телефон"), ["surname_name", "email", "phone"]),
        (("  EMAIL_ADDRESS ", "First  Name", "Surname"), ["email", "first_name", "last_name"]),
        (("Name", "Surname", "Mail"), ["first_name", "last_name", "email"]),
        (("Фамилия", "Имя", "Отчество"), ["last_name", "first_name", "middle_name"]),
        (("email", "language", "tags", "client lists"), ["email", "language", "tags", "lists"]),
        (("E-mail", "Email", "Name", "name"), ["email", "", "name", ""]),
        (("E-mail", "Shoe size"), ["email", ""]),
    ],
)  # fmt: skip
def test_headings_say_it(headings: tuple[str, ...], columns: list[str]) -> None:
    assert guessed(headings) == (columns, True)


def test_the_headings_of_our_own_export_are_known_in_both_languages() -> None:
    english = ("E-mail address", "First name", "Middle name", "Last name", "Phone", "Language",
               "Client lists", "Tags", "Comment", "Created")  # fmt: skip
    columns, _headings = guessed(english)
    assert columns == ["email", "first_name", "middle_name", "last_name", "phone", "language",
                       "lists", "tags", "comment", ""]  # fmt: skip


def test_a_column_of_addresses_needs_no_heading_that_is_known() -> None:
    assert guessed(("Who", "Where to"), ("Anna", "anna@x.test")) == (["", "email"], True)


def test_without_headings_the_contents_say_it() -> None:
    rows = (("Anna Smith", "anna@x.test", "+44 20 7946 0118", "met at the fair, 2019"),)
    assert guessed(*rows) == (["name", "email", "phone", "comment"], False)


def test_one_column_without_headings() -> None:
    assert guessed(("anna@x.test",), ("ben@x.test",)) == (["email"], False)


def test_no_addresses_at_all_leave_the_choice_to_the_owner() -> None:
    columns, _headings = guessed(("a", "b"), ("c", "d"))
    assert Column.EMAIL not in columns
    assert "e-mail" in problem_with(columns)


def test_a_longer_row_below_has_columns_too() -> None:
    assert guessed(("email",), ("anna@x.test", "Anna", "x")) == (["email", "", ""], True)


def test_what_is_chosen_twice_is_named() -> None:
    assert problem_with(["email", "tags", "tags"]).count("Tags") == 1
    assert "E-mail address" in problem_with(["email", "email"])
    assert problem_with(["email", "", ""]) == ""
