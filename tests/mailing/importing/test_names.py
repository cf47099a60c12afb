"""Full names, taken apart."""

from __future__ import annotations

import pytest

from mailing.importing.names import split_name


@pytest.mark.parametrize(
    ("text", "surname_first", "parts"),
    [
        ("", False, ("", "", "")),
        ("Anna", False, ("Anna", "", "")),
        ("Anna", True, ("Anna", "", "")),
        ("Anna Smith", False, ("Anna", "", "Smith")),
        ("Anna  Maria von Smith", False, ("Anna", "Maria von", "Smith")),
        ("Ёлкина Анна Петровна", True, ("Анна", "Петровна", "Ёлкина")),
        ("Ёлкина Анна", True, ("Анна", "", "Ёлкина")),
        ("van der Berg, Anna Maria", False, ("Anna", "Maria", "van der Berg")),
        ("Smith,", False, ("Smith", "", "")),
        (", ,", False, ("", "", "")),
    ],
)
def test_a_name_has_three_parts(text: str, surname_first: bool, parts: tuple[str, ...]) -> None:
    assert split_name(text, surname_first=surname_first) == parts
