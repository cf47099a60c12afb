"""The typed readers: what they take, and that a refusal is one sentence without the value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from site_project.environment import Environment

NAME = "A_VARIABLE"
Set = Callable[[str], Environment]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Set:
    """Return the environment in which the variable has this value."""
    monkeypatch.setenv("ENV_FILE", str(tmp_path / ".env"))

    def give(value: str) -> Environment:
        monkeypatch.setenv(NAME, value)
        return Environment(tmp_path)

    return give


def refusal(read: Callable[[], Any]) -> str:
    with pytest.raises(ImproperlyConfigured) as refused:
        read()
    assert refused.value.__cause__ is None, "a cause would be shown, and it may hold the value"
    return str(refused.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Letters", "Letters"),
        ("  Letters ", "Letters"),
        ("", "the default"),
        (" ", "the default"),
        ("$dollar", "$dollar"),
        ("a#b=c d", "a#b=c d"),
    ],
)
def test_a_text_is_what_was_written_without_blanks_around_it(
    given: Set, value: str, text: str
) -> None:
    assert given(value).text(NAME, "the default") == text


def test_a_variable_that_is_not_set_has_its_default(tmp_path: Path) -> None:
    env = Environment(tmp_path)
    assert env.text("NOT_SET") == ""
    assert env.text("NOT_SET", "x") == "x"
    assert env.number("NOT_SET", 7) == 7
    assert env.flag("NOT_SET", default=True) is True
    assert env.words("NOT_SET") == []
    assert env.choice("NOT_SET", "en", ["en", "ru"]) == "en"
    assert env.database("NOT_SET", "sqlite:///x.db")["NAME"] == "x.db"


@pytest.mark.parametrize("value", ["", "  "])
def test_a_secret_has_no_default(given: Set, value: str) -> None:
    message = refusal(lambda: given(value).secret(NAME))
    assert message.startswith(f"{NAME} is not set.")


def test_a_secret_is_taken_as_it_is(given: Set) -> None:
    assert given("$s3cret$").secret(NAME) == "$s3cret$"


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        *((value, True) for value in ("on", "ON", "true", "True", "yes", "1")),
        *((value, False) for value in ("off", "false", "no", "0", "Off")),
    ],
)
@pytest.mark.parametrize("default", [True, False])
def test_a_flag_that_is_set_counts(given: Set, value: str, flag: bool, default: bool) -> None:
    assert given(value).flag(NAME, default=default) is flag


@pytest.mark.parametrize("default", [True, False])
def test_an_empty_flag_is_its_default(given: Set, default: bool) -> None:
    assert given("").flag(NAME, default=default) is default


@pytest.mark.parametrize("value", ["maybe", "2", "onn"])
def test_a_flag_is_nothing_else(given: Set, value: str) -> None:
    message = refusal(lambda: given(value).flag(NAME, default=False))
    assert message == f"{NAME} must be on or off, not {value!r}."


@pytest.mark.parametrize(("value", "number"), [("12", 12), (" 0 ", 0), ("", 5)])
def test_a_number(given: Set, value: str, number: int) -> None:
    assert given(value).number(NAME, 5) == number


@pytest.mark.parametrize("value", ["ten", "1.5", "0x10", "1 000"])
def test_a_number_is_whole(given: Set, value: str) -> None:
    message = refusal(lambda: given(value).number(NAME, 5))
    assert message == f"{NAME} is not a whole number. See .env.example."


@pytest.mark.parametrize(("value", "least"), [("-1", 0), ("1", 2)])
def test_a_number_has_a_least_value(given: Set, value: str, least: int) -> None:
    message = refusal(lambda: given(value).number(NAME, 5, at_least=least))
    assert message == f"{NAME} must be at least {least}, not {value}."


@pytest.mark.parametrize("value", ["ru", "RU"])
def test_a_choice_may_be_written_in_any_case(given: Set, value: str) -> None:
    assert given(value).choice(NAME, "en", ["en", "ru"]) == "ru"


def test_a_choice_is_one_of_those_offered(given: Set) -> None:
    message = refusal(lambda: given("de").choice(NAME, "en", ["en", "ru"]))
    assert message == f"{NAME} cannot be 'de'. See .env.example."


@pytest.mark.parametrize(
    ("value", "words"), [("a,b", ["a", "b"]), (" a , ,b,", ["a", "b"]), ("", []), (",", [])]
)
def test_words_are_separated_by_commas(given: Set, value: str, words: list[str]) -> None:
    assert given(value).words(NAME) == words


def test_a_relative_path_starts_at_the_folder_of_manage_py(given: Set, tmp_path: Path) -> None:
    assert given("var/x").path(NAME, "var") == tmp_path / "var/x"
    assert given("/srv/x").path(NAME, "var") == Path("/srv/x")
    assert given("").path(NAME, "var") == tmp_path / "var"


def test_urls_are_taken_apart(given: Set) -> None:
    database = given("postgres://me:p%40ss@db:5433/name").database(NAME, "")
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["USER"], database["PASSWORD"]) == ("me", "p@ss")
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db", 5433, "name")
    assert given("redis://cache:6379/1").cache(NAME, "")["LOCATION"] == "redis://cache:6379/1"
    mail = given("smtp+tls://me:p%23ss@mail:587").email(NAME, "")
    assert (mail["EMAIL_HOST"], mail["EMAIL_PORT"], mail["EMAIL_USE_TLS"]) == ("mail", 587, True)
    assert (mail["EMAIL_HOST_USER"], mail["EMAIL_HOST_PASSWORD"]) == ("me", "p#ss")


@pytest.mark.parametrize("kind", ["database", "cache", "email"])
@pytest.mark.parametrize(
    "value", ["nonsense", "foo://me:s3cret@host/x", "me:s3cret@host", "//me:s3cret@host"]
)
def test_a_wrong_url_is_refused_without_being_shown(
    given: Set, kind: str, value: str, recwarn: pytest.WarningsRecorder
) -> None:
    message = refusal(lambda: getattr(given(value), kind)(NAME, ""))
    assert message.startswith(f"{NAME} is not a ")
    assert message.endswith(". See .env.example.")
    shown = message + "".join(str(warning.message) for warning in recwarn)
    assert "s3cret" not in shown
    assert "nonsense" not in shown


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("database", "postgres://me:s3cret@host:port/x"),
        ("email", "smtp://me:s3cret@host:port"),
        ("email", "smtp://me:s3[cret@host"),
    ],
)
def test_a_url_with_a_wrong_part_is_refused_without_being_shown(
    given: Set, kind: str, value: str
) -> None:
    message = refusal(lambda: getattr(given(value), kind)(NAME, ""))
    assert "cret" not in message


def test_the_file_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "its.env"
    file.write_text("# a comment\nFROM_FILE=from the file\nFROM_BOTH=from the file\n")
    monkeypatch.setenv("ENV_FILE", str(file))
    monkeypatch.setenv("FROM_BOTH", "from the environment")
    monkeypatch.delenv("FROM_FILE", raising=False)
    env = Environment(tmp_path)
    assert env.text("FROM_FILE") == "from the file"
    assert env.text("FROM_BOTH") == "from the environment"
    monkeypatch.delenv("FROM_FILE")
