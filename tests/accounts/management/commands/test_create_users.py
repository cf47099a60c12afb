"""The accounts of a first look around."""

from __future__ import annotations

import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests.accounts.conftest import is_in, log_in

pytestmark = pytest.mark.django_db

ROLES = {
    "admin@demo.test": set(),
    "manager@demo.test": {"Managers", "Users"},
    "blogger@demo.test": {"Bloggers"},
    "user@demo.test": {"Users"},
    "other@demo.test": {"Users"},
}


@pytest.fixture(autouse=True)
def development(settings: Settings) -> None:
    settings.DEBUG = True


def run(*options: str) -> str:
    out = io.StringIO()
    call_command("create_users", *options, stdout=out)
    return out.getvalue()


def everything() -> list[object]:
    users = User.objects.order_by("pk")
    addresses = [list(user.emailaddress_set.values()) for user in users]
    return [list(users.values()), addresses, [list(user.groups.values()) for user in users]]


def test_five_people_with_their_roles_can_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", "a-password-of-mine")
    printed = run()
    assert "a-password-of-mine" not in printed
    groups = {u.email: {g.name for g in u.groups.all()} for u in User.objects.all()}
    assert groups == ROLES
    assert [user.email for user in User.objects.filter(is_superuser=True)] == ["admin@demo.test"]
    for email in ROLES:
        assert email in printed
        browser = Client()
        log_in(browser, email, "a-password-of-mine")
        assert is_in(browser), email


def test_without_a_password_one_is_made_and_printed_once() -> None:
    printed = run()
    found = re.findall(r"Password of the new accounts: (\S+)", printed)
    assert len(found) == 1
    assert len(found[0]) >= 12
    browser = Client()
    log_in(browser, "user@demo.test", found[0])
    assert is_in(browser)


def test_a_second_run_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    before = everything()
    monkeypatch.setenv("DEMO_PASSWORD", "another-password")
    again = run()
    assert everything() == before
    assert "Password" not in again
    assert again.count("was there") == 5


def test_only_what_is_missing_is_made() -> None:
    run()
    User.objects.get(email="other@demo.test").delete()
    kept = User.objects.get(email="user@demo.test").password
    assert "Password of the new accounts" in run()
    assert User.objects.count() == 5
    assert User.objects.get(email="user@demo.test").password == kept


def test_a_public_site_gets_none_unless_forced(settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG is off"):
        run()
    assert not User.objects.exists()
    run("--force")
    assert User.objects.count() == 5
