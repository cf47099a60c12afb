from __future__ import annotations

import time

import pytest
from django.core.exceptions import ValidationError

from mailing.merge_fields import check_merge_fields, refuse_merge_fields, substitute

VALUES = {"first_name": "Anna", "middle_name": "", "last_name": "{{ email }}", "email": "a@x.de"}


def test_fields_are_replaced_once() -> None:
    assert substitute("{{ first_name }} {{last_name}}", VALUES) == "Anna {{ email }}"
    assert substitute("{{ middle_name|dear }}{{ middle_name }}!", VALUES) == "dear!"


@pytest.mark.parametrize(
    "text", ["", "plain", "{{ first_name }}", "{{full_name|dear friend}}", "a {b} {% c %} ${d}"]
)
def test_what_an_author_may_write(text: str) -> None:
    check_merge_fields(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ frist_name }}",
        "{{ unsubscribe_url }}",
        "{{ first_name",
        "first_name }}",
        "{{ first_name.__class__ }}",
        "{{ settings.SECRET_KEY }}",
        "{{7*7}}",
        "{{{{first_name}}}}",
        "{{ first_name|upper|x }}",
        "{{ }}",
    ],
)
def test_what_an_author_may_not_write(text: str) -> None:
    with pytest.raises(ValidationError):
        check_merge_fields(text)


def test_a_typing_error_gets_a_suggestion() -> None:
    with pytest.raises(ValidationError) as error:
        check_merge_fields("{{ frist_name }}")
    assert "{{ first_name }}" in error.value.messages[0]


@pytest.mark.parametrize(
    "address", ["https://x.test/{{ email }}", "https://x.test/%7b%7bemail%7d%7d", "}}"]
)
def test_a_web_address_holds_no_field(address: str) -> None:
    with pytest.raises(ValidationError):
        refuse_merge_fields(address)


@pytest.mark.parametrize("text", ["{{" * 500_000, "{{ a" * 250_000, "{{ a|" + "b" * 1_000_000])
def test_it_takes_linear_time(text: str) -> None:
    started = time.perf_counter()
    substitute(text, VALUES)
    assert time.perf_counter() - started < 0.5
