"""Rows become clients to be, or faults with the reason that helps."""

from __future__ import annotations

import pytest

from accounts.models import User
from mailing.importing import checking
from mailing.importing.checking import Checker, Entry, Faulty, Reason
from mailing.importing.columns import Column
from mailing.importing.table import Row
from tests.factories import make_list

COLUMNS = [c.value for c in Column if c not in {Column.NAME, Column.SURNAME_NAME}]


def check(checker: Checker | None = None, **cells: str) -> Entry:
    checker = checker or Checker(COLUMNS)
    given = {"email": "anna@x.test", **cells}
    return checker.check(Row(7, tuple(given.get(column, "") for column in checker.columns)))


def reason(checker: Checker | None = None, **cells: str) -> tuple[Reason, str]:
    with pytest.raises(Faulty) as caught:
        check(checker, **cells)
    return caught.value.reason, caught.value.column


def test_a_whole_row() -> None:
    entry = check(
        email=" Anna@Bücher.TEST ",
        first_name="Anna",
        phone="+44 (20) 7946-0118",
        language="Русский",
        lists="Friends; Garden",
        tags="vip, new , VIP",
        comment="one\r\ntwo",
    )
    assert entry.line == 7
    assert entry.address.email == "Anna@bücher.test"
    assert entry.address.normalized == "anna@xn--bcher-kva.test"
    assert entry.fields == {
        "first_name": "Anna",
        "phone": "+442079460118",
        "language": "ru",
        "comment": "one\r\ntwo",
    }
    assert entry.lists == ("Friends", "Garden")
    assert [tag.casefold() for tag in entry.tags] == ["vip", "new"]


def test_what_is_left_out_is_not_looked_at() -> None:
    assert Checker(["email", ""]).check(Row(1, ("anna@x.test", "\ufffd\x00" * 9_999))).fields == {}


def test_a_short_row_is_blank_at_its_end() -> None:
    assert Checker(COLUMNS).check(Row(1, ("anna@x.test",))).fields == {}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"email": ""}, (Reason.NO_ADDRESS, "email")),
        ({"email": "anna"}, (Reason.BAD_ADDRESS, "email")),
        ({"email": "anna@localhost"}, (Reason.BAD_ADDRESS, "email")),
        ({"email": "anna@x.test\nBcc: b"}, (Reason.BAD_ADDRESS, "email")),
        ({"email": "anna@x.test; ben@x.test"}, (Reason.SEVERAL_ADDRESSES, "email")),
        ({"email": f"{'a' * 300}@x.test"}, (Reason.BAD_ADDRESS, "email")),
        ({"first_name": "x" * 151}, (Reason.TOO_LONG, "first_name")),
        ({"first_name": "An\nna"}, (Reason.HIDDEN, "first_name")),
        ({"last_name": "Sm\u202eith"}, (Reason.HIDDEN, "last_name")),
        ({"first_name": "\ufffdnna"}, (Reason.UNREADABLE, "first_name")),
        ({"comment": "a\x00b"}, (Reason.UNREADABLE, "comment")),
        ({"comment": "a\ud800b"}, (Reason.UNREADABLE, "comment")),
        ({"comment": "x" * 10_001}, (Reason.TOO_LONG, "comment")),
        ({"phone": "12"}, (Reason.BAD_PHONE, "phone")),
        ({"phone": "8 916 123-45-67"}, (Reason.BAD_PHONE, "phone")),
        ({"phone": "call me"}, (Reason.BAD_PHONE, "phone")),
        ({"language": "Klingon"}, (Reason.BAD_LANGUAGE, "language")),
        ({"lists": "x" * 151}, (Reason.TOO_LONG, "lists")),
        ({"tags": "x" * 51}, (Reason.TOO_LONG, "tags")),
        ({"tags": "a\u202eb"}, (Reason.HIDDEN, "tags")),
        ({"tags": ",".join(map(str, range(21)))}, (Reason.TOO_MANY_NAMES, "tags")),
    ],
)
def test_a_fault_says_where_and_why(cells: dict[str, str], expected: tuple[Reason, str]) -> None:
    assert reason(**cells) == expected


def test_a_torn_row_is_a_fault() -> None:
    with pytest.raises(Faulty) as caught:
        Checker(COLUMNS).check(Row(1, (), is_torn=True))
    assert caught.value.reason == Reason.TORN


def test_what_the_export_guards_comes_back_as_it_was() -> None:
    entry = check(comment="'=1+1", phone="'+442079460118", first_name="'t Hooft")
    assert entry.fields == {
        "comment": "=1+1",
        "phone": "+442079460118",
        "first_name": "'t Hooft",
    }


def test_a_formula_is_a_text_like_any_other() -> None:
    assert check(comment="=cmd|' /C calc'!A0").fields["comment"] == "=cmd|' /C calc'!A0"


@pytest.mark.parametrize(("column", "last"), [("name", "Smith"), ("surname_name", "Anna")])
def test_a_full_name_is_taken_apart(column: str, last: str) -> None:
    entry = Checker(["email", column]).check(Row(1, ("anna@x.test", "Anna Smith")))
    assert entry.fields["last_name"] == last


def test_a_part_that_has_a_column_of_its_own_wins() -> None:
    checker = Checker(["email", "name", "last_name"])
    full = checker.check(Row(1, ("anna@x.test", "Anna Smith", "Jones")))
    assert full.fields == {"first_name": "Anna", "last_name": "Jones"}
    blank = checker.check(Row(1, ("anna@x.test", "Anna Smith", "")))
    assert blank.fields == {"first_name": "Anna", "last_name": "Smith"}


@pytest.mark.django_db
def test_a_list_whose_name_has_a_comma_is_one_list(alice: User, bob: User) -> None:
    make_list(alice, name="Rome, Paris")
    make_list(bob, name="Oslo, Bergen")
    checker = Checker.for_owner(COLUMNS, alice.pk)
    assert check(checker, lists="rome,  paris").lists == ("rome, paris",)
    assert check(checker, lists="Oslo, Bergen").lists == ("Oslo", "Bergen")


def test_a_wrong_column_cannot_make_lists_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MOST_LISTS_OF_OWNER", 3)
    checker = Checker(COLUMNS, known_lists={"one"})
    assert check(checker, lists="Two, Three").lists == ("Two", "Three")
    assert reason(checker, lists="Four") == (Reason.TOO_MANY_NAMES, "lists")
    assert check(checker, lists="ONE, three").lists == ("ONE", "three")


def test_an_owner_with_more_lists_than_that_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MOST_LISTS_OF_OWNER", 1)
    checker = Checker(COLUMNS, known_lists={"one", "two"})
    assert check(checker, lists="One, Two").lists == ("One", "Two")
    assert reason(checker, lists="Three") == (Reason.TOO_MANY_NAMES, "lists")
