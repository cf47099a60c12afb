from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from mailing.addresses import parse_address, refuse_hidden_characters, wire_address


@pytest.mark.parametrize(
    ("typed", "email", "normalized"),
    [
        ("  Anna.Lee@Example.COM ", "Anna.Lee@example.com", "anna.lee@example.com"),
        ("a@faß.de", "a@faß.de", "a@xn--fa-hia.de"),
        ("почта@пример.рф", "почта@пример.рф", "почта@xn--e1afmkfd.xn--p1ai"),
        ("jo\u0308rg@x.de", "jörg@x.de", "jörg@x.de"),
        ("a+tag@x.de", "a+tag@x.de", "a+tag@x.de"),
    ],
)
def test_an_address_is_kept_as_typed_and_compared_normalised(
    typed: str, email: str, normalized: str
) -> None:
    address = parse_address(typed)
    assert (address.email, address.normalized) == (email, normalized)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "anna",
        "anna@",
        "@x.de",
        "anna@x",
        "a b@x.de",
        "a@x..de",
        "a@x.de\r\nBcc: b@x.de",
        "a@x.de\x00",
        "Anna <a@x.de>",
        "a@[127.0.0.1]",
        "a@x.invalid",
        f"{'a' * 65}@x.de",
        f"a@{'x' * 64}.de",
    ],
)
def test_what_cannot_be_mailed_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        parse_address(typed)


def test_the_wire_has_the_domain_in_ascii_and_the_local_part_as_typed() -> None:
    address = parse_address("Jörg@faß.de")
    assert wire_address(address.email, address.normalized) == "Jörg@xn--fa-hia.de"


@pytest.mark.parametrize("value", ["a\nb", "a\r", "\x00", "\u2028", "\u202eabc", "\x85"])
def test_hidden_characters_are_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        refuse_hidden_characters(value)


def test_ordinary_names_pass() -> None:
    for value in ("Ёлкина, А.", "O’Brien", "日本", "a\u00adb", ""):
        refuse_hidden_characters(value)
