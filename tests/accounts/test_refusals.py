"""Fingerprints of addresses."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from accounts import refusals
from accounts.models import KeptRefusal
from tests.factories import NOW

pytestmark = pytest.mark.django_db

OWNER = "alice@people.test"
ROSE = ("rose@clients.test", "unsubscribed", NOW)


def test_an_address_is_recognised_for_its_owner_only() -> None:
    refusals.keep(OWNER, [ROSE])
    refusals.keep(OWNER, [ROSE])
    asked = ["lily@clients.test", "rose@clients.test"]
    assert refusals.any_kept(OWNER)
    assert not refusals.any_kept("bob@people.test")
    assert refusals.take("bob@people.test", asked) == []
    assert refusals.take(OWNER, asked) == [ROSE]
    assert refusals.take(OWNER, asked) == [], "what is taken is with the owner again"
    assert not refusals.any_kept(OWNER)


def test_no_address_is_in_it(settings: Settings) -> None:
    refusals.keep(OWNER, [ROSE])
    row = str(KeptRefusal.objects.values().get())
    assert "rose" not in row
    assert "alice" not in row


def test_without_the_key_it_says_nothing(settings: Settings) -> None:
    refusals.keep(OWNER, [ROSE])
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another key"
    assert refusals.take(OWNER, [ROSE[0]]) == []
    settings.SECRET_KEY_FALLBACKS = [former]
    assert refusals.take(OWNER, [ROSE[0]]) == [ROSE]
