"""CSV in the forms that people have it in."""

from __future__ import annotations

import time
from io import BytesIO

import pytest

from mailing.importing.refusals import FileRefused, Refusal
from mailing.importing.rows import reading, survey

TABLE = (("E-mail", "Имя"), ("anna@x.test", "Анна Ёлкина"), ("ben@x.test", "Бен"))


def rows_of(content: bytes) -> list[tuple[str, ...]]:
    with reading(BytesIO(content)) as rows:
        return [row.cells for row in rows]


def lines_of(content: bytes) -> list[int]:
    with reading(BytesIO(content)) as rows:
        return [row.line for row in rows]


def refusal_of(content: bytes) -> Refusal:
    with pytest.raises(FileRefused) as caught:
        survey(BytesIO(content), first=50)
    return caught.value.refusal


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1251", "Windows-1251"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_the_same_however_it_is_written(
    encoding: str, name: str, separator: str, end: str
) -> None:
    content = end.join(separator.join(row) for row in TABLE).encode(encoding)
    assert rows_of(content) == list(TABLE)
    assert lines_of(content) == [1, 2, 3]
    assert survey(BytesIO(content), first=2).format.startswith(name)


def test_western_letters_are_not_taken_for_russian_ones() -> None:
    content = "name,email\nCafé Müller,anna@x.test\n".encode("cp1252")
    assert rows_of(content)[1] == ("Café Müller", "anna@x.test")


def test_a_few_lines_in_another_encoding_do_not_spoil_the_others() -> None:
    good = "\n".join(f"anna{n}@x.test;Анна" for n in range(20)).encode()
    content = good + b"\nben@x.test;" + "Бен".encode("cp1251") + b"\n"
    assert rows_of(content)[0] == ("anna0@x.test", "Анна")
    assert rows_of(content)[-1] == ("ben@x.test", "\ufffd" * 3)


def test_a_letter_that_lies_across_two_blocks_is_one_letter() -> None:
    line = b"a" * 1023 + b"\n"
    content = line * 255 + line[:-1] + "Ё\n".encode()
    assert content[256 * 1024 - 1 :] == "Ё\n".encode()
    assert rows_of(content)[-1][0].endswith("Ё")


def test_quotes_hold_separators_line_breaks_and_quotes() -> None:
    content = b'email,comment\nanna@x.test,"one, ""two""\r\nthree"\n\nben@x.test,last\n'
    assert rows_of(content)[1:] == [("anna@x.test", 'one, "two"\r\nthree'), ("ben@x.test", "last")]
    assert lines_of(content) == [1, 2, 5], "where a person finds it"


def test_the_line_that_names_the_separator_is_obeyed_and_left_out() -> None:
    content = b"sep=;\nemail;comment\nanna@x.test;a, b, c\n"
    assert rows_of(content) == [("email", "comment"), ("anna@x.test", "a, b, c")]
    assert lines_of(content) == [2, 3]


def test_commas_in_comments_do_not_make_the_separator() -> None:
    content = b"email;comment\na@x.test;one, two\nb@x.test;one, two, three\nc@x.test;four\n"
    assert rows_of(content)[1] == ("a@x.test", "one, two")


def test_one_column_needs_no_separator() -> None:
    assert rows_of(b"anna@x.test\nben@x.test") == [("anna@x.test",), ("ben@x.test",)]


def test_a_quote_that_nobody_closes_costs_no_more_than_the_lines_it_swallows() -> None:
    swallowed = b"".join(b"anna%d@x.test,Anna\n" % n for n in range(10_000))
    with reading(BytesIO(b'email,name\n"ben@x.test,Ben\n' + swallowed)) as rows:
        found = list(rows)
    assert [row.line for row in found if row.is_torn] == [2]
    assert found[-1].cells == ("anna9999@x.test", "Anna")


@pytest.mark.parametrize("content", [b"", b"\n\n\r\n", b" ,, ,\n", b"\xef\xbb\xbf"])
def test_nothing_in_it_is_said_to_be_nothing(content: bytes) -> None:
    assert refusal_of(content) == Refusal.EMPTY


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00",
        b"email,name\nanna\x00@x.test,Anna\n",
        b"\x7fELF\x02\x01\x01" + b"\x00" * 64,
        bytes(1000),
    ],
)
def test_what_is_no_text_is_refused(content: bytes) -> None:
    assert refusal_of(content) == Refusal.NOT_A_TABLE


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailing.importing.rows.MOST_BYTES", 100)
    assert refusal_of(b"x" * 101) == Refusal.TOO_LARGE


def test_too_many_rows_and_columns_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal_of(b"," * 200 + b"x\n") == Refusal.TOO_MANY_COLUMNS
    monkeypatch.setattr("mailing.importing.rows.MOST_ROWS", 3)
    assert survey(BytesIO(b"a,b\n" * 3), first=1).total == 3
    assert refusal_of(b"a,b\n" * 4) == Refusal.TOO_MANY_ROWS


def test_a_line_without_end_is_refused_and_not_held_in_memory() -> None:
    started = time.monotonic()
    assert refusal_of(b"x" * 20_000_000) == Refusal.LONG_LINE
    assert time.monotonic() - started < 5


def test_a_million_quotes_are_read_in_time() -> None:
    started = time.monotonic()
    rows_of(b'"' * 900_000 + b"\nanna@x.test,Anna\n")
    assert time.monotonic() - started < 5
