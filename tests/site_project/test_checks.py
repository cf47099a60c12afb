"""Every combination of settings that the system checks refuse or warn of, and its right form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

LONG_KEY = "not-the-one-of-the-example-and-longer-than-fifty-letters"
HOST = "smtp.example.com"
MAIL = "django.core.mail.backends"
CACHE = "django.core.cache.backends"

# id, what is wrong, what makes it right
TABLE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "E001",
        {"Q_CLUSTER": {"timeout": 660, "retry": 660}},
        {"Q_CLUSTER": {"timeout": 660, "retry": 661}},
    ),
    (
        "E002",
        {"EMAIL_BACKEND": f"{MAIL}.console.EmailBackend"},
        {"EMAIL_BACKEND": f"{MAIL}.smtp.EmailBackend"},
    ),
    ("E003", {"EMAIL_HOST": ""}, {"EMAIL_HOST": HOST}),
    ("E004", {"SENDER_ADDRESS": "letters"}, {"SENDER_ADDRESS": "letters@example.com"}),
    ("E004", {"SENDER_ADDRESS": "письма@example.com"}, {"SENDER_ADDRESS": "pisma@example.com"}),
    ("E005", {"SECRET_KEY": "short"}, {"SECRET_KEY": LONG_KEY}),
    ("E005", {"SECRET_KEY": f"insecure-{LONG_KEY}"}, {"SECRET_KEY": LONG_KEY}),
    ("E005", {"SECRET_KEY": "short"}, {"DEBUG": True}),
    ("E006", {"MAIL_CATCHER_DIR": Path("mail"), "EMAIL_HOST": HOST}, {"EMAIL_HOST": "127.0.0.1"}),
    ("E006", {"MAIL_CATCHER_DIR": Path("mail"), "EMAIL_HOST": HOST}, {"MAIL_CATCHER_DIR": None}),
    (
        "W001",
        {"Q_CLUSTER": {"timeout": 649, "retry": 720}},
        {"Q_CLUSTER": {"timeout": 650, "retry": 720}},
    ),
    (
        "W002",
        {"CACHES": {"default": {"BACKEND": f"{CACHE}.locmem.LocMemCache"}}},
        {"CACHES": {"default": {"BACKEND": f"{CACHE}.filebased.FileBasedCache", "LOCATION": "x"}}},
    ),
    ("W003", {"EMAIL_CONFIGURED": False}, {"EMAIL_CONFIGURED": True}),
    ("W003", {"EMAIL_CONFIGURED": False}, {"DEBUG": True}),
    ("W004", {"SENDER_ADDRESS": "noreply@localhost"}, {"SENDER_ADDRESS": "letters@example.com"}),
    ("W005", {"EMAIL_HOST": HOST, "EMAIL_HOST_USER": "me"}, {"EMAIL_USE_TLS": True}),
    ("W005", {"EMAIL_HOST": HOST, "EMAIL_HOST_USER": "me"}, {"EMAIL_USE_SSL": True}),
    ("W005", {"EMAIL_HOST": HOST, "EMAIL_HOST_USER": "me"}, {"EMAIL_HOST": "127.0.0.1"}),
    ("W005", {"EMAIL_HOST": HOST, "EMAIL_HOST_USER": "me"}, {"EMAIL_HOST_USER": ""}),
    ("W006", {"SITE_URL": "http://localhost:8000"}, {"SITE_URL": "https://mail.example.com"}),
    ("W007", {"SCHEDULER_INTERVAL": 3601}, {"SCHEDULER_INTERVAL": 3600}),
    ("W008", {"RETENTION_DAYS": 6}, {"RETENTION_DAYS": 7}),
    ("W008", {"RETENTION_DAYS": 6}, {"RETENTION_DAYS": 0}),
    ("W009", {"CONTACT_EMAIL": ""}, {"CONTACT_EMAIL": "help@example.com"}),
    ("W006", {"SITE_URL": "http://[::1]"}, {"SITE_URL": "https://mail.example.com"}),
]


def found() -> set[str]:
    messages = run_checks(tags=["mailing", "security"], include_deployment_checks=True)
    return {message.id.removeprefix("site_project.") for message in messages if message.id}


@pytest.fixture(autouse=True)
def a_good_site(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{MAIL}.smtp.EmailBackend"
    settings.MAIL_CATCHER_DIR = None
    settings.SITE_URL = "https://mail.example.com"
    settings.CONTACT_EMAIL = "help@example.com"


def test_a_good_site_has_nothing_to_report() -> None:
    assert [i for i in found() if not i.startswith("security.")] == []


@pytest.mark.parametrize(("number", "wrong", "right"), TABLE)
def test_a_wrong_combination_is_reported_and_its_right_form_is_not(
    settings: Settings, number: str, wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    for name, value in wrong.items():
        setattr(settings, name, value)
    assert number in found()
    for name, value in right.items():
        setattr(settings, name, value)
    assert number not in found()


def test_only_a_deployment_is_asked_for_its_address(settings: Settings) -> None:
    settings.SITE_URL = "http://localhost:8000"
    assert "site_project.W006" not in {m.id for m in run_checks(tags=["security"])}


def test_the_table_has_every_check() -> None:
    code = Path("site_project/checks.py").read_text()
    assert {row[0] for row in TABLE} == set(re.findall(r'id="site_project\.([EW]\d+)"', code))
