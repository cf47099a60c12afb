"""What the forms say when something is saved, refused or deleted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from accounts.models import User
from mailing.models import Message
from tests.factories import make_client, make_list, make_mailing, make_message
from tests.mailing.admin.screens import notices, submit, url_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


@pytest.mark.parametrize(
    ("model", "typed", "sentence"),
    [
        ("client", {"email": "none"}, "The client was not added. Correct what is marked below."),
        ("clientlist", {"name": ""}, "The list was not made. Correct what is marked below."),
        ("mailing", {"name": ""}, "The mailing was not set up. Correct what is marked below."),
    ],
)
def test_what_is_refused_is_told_in_a_whole_sentence(
    alices: Browser, model: str, typed: dict[str, str], sentence: str
) -> None:
    assert sentence in notices(submit(alices, url_of(model, "create"), typed))


def test_what_is_saved_is_told_in_a_whole_sentence(alice: User, alices: Browser) -> None:
    submit(alices, url_of("client", "create"), {"email": "anna@x.test"})
    assert "The client “anna@x.test” is added." in notices(alices.get(url_of("client")))
    chosen = make_list(alice, name="Friends")
    submit(alices, url_of("clientlist", "edit", chosen.pk), {"name": "Best friends"})
    assert "The list “Best friends” is saved." in notices(alices.get(url_of("clientlist")))


def test_what_is_deleted_is_told_in_a_whole_sentence(alice: User, alices: Browser) -> None:
    for model, row, sentence in (
        ("client", make_client(alice, "anna@x.test"), "The client “anna@x.test” is deleted."),
        ("message", make_message(alice, subject="News"), "The message “News” is deleted."),
        ("mailing", make_mailing(alice, name="Notes"), "The mailing “Notes” is deleted."),
    ):
        alices.post(url_of(model, "delete", row.pk))
        assert sentence in notices(alices.get(url_of(model)))


def test_what_is_in_use_says_by_what_and_stays(alice: User, alices: Browser) -> None:
    mailing = make_mailing(alice, name="Notes")
    assert mailing.message is not None
    page = alices.post(url_of("message", "delete", mailing.message.pk))
    assert "It is still used by" in page.text
    assert "Notes" in page.text
    assert Message.objects.exists()
