"""An operator's account, which must be able to log in."""

from __future__ import annotations

import getpass
import io
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import is_in, log_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

EMAIL = "root@people.test"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A person at a terminal who types these lines, then the password."""

    def sits_down(*lines: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        typed = iter(lines)

        def answer(prompt: str = "") -> str:
            meanwhile()
            return next(typed)

        monkeypatch.setattr("builtins.input", answer)
        monkeypatch.setattr(getpass, "getpass", lambda *_args: PASSWORD)
        call_command("createsuperuser", stdin=Terminal(), stdout=io.StringIO())

    return sits_down


def can_log_in() -> bool:
    browser = Client()
    log_in(browser, EMAIL)
    return is_in(browser)


def test_without_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command(
        "createsuperuser", interactive=False, email="Root@People.test", stdout=io.StringIO()
    )
    user = User.objects.get()
    assert (user.email, user.is_superuser, user.is_staff) == (EMAIL, True, True)
    assert can_log_in()


def test_without_questions_an_address_is_needed() -> None:
    with pytest.raises(CommandError, match="email"):
        call_command("createsuperuser", interactive=False)
    assert not User.objects.exists()


def test_at_a_terminal(operator: Callable[..., None]) -> None:
    operator(EMAIL)
    assert can_log_in()


def test_a_known_address_is_asked_for_again(operator: Callable[..., None], alice: User) -> None:
    operator("ALICE@people.test", EMAIL)
    assert can_log_in()
    assert EmailAddress.objects.filter(user=alice).count() == 1


def test_who_signs_up_meanwhile_is_not_confirmed(operator: Callable[..., None]) -> None:
    operator(EMAIL, meanwhile=lambda: User.objects.create_user("nora@people.test", PASSWORD))
    assert can_log_in()
    assert not EmailAddress.objects.filter(email="nora@people.test").exists()
