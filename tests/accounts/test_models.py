"""People and their addresses."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import AccountMail, User
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def test_an_address_is_once_whatever_its_letters() -> None:
    User.objects.create_user("nora@people.test")
    for email in ("nora@people.test", "NORA@people.test"):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create(email=email)
    assert User.objects.get_by_natural_key("Nora@People.test").email == "nora@people.test"


def test_an_address_is_kept_in_small_letters() -> None:
    assert User.objects.create_user("Nora@People.TEST").email == "nora@people.test"
    typed = User(email="Nora.Two@People.TEST", password="x")
    typed.full_clean()
    assert typed.email == "nora.two@people.test"


def test_a_person_needs_an_address() -> None:
    with pytest.raises(ValueError, match="address"):
        User.objects.create_user("")


def test_a_person_is_called_by_name_or_address() -> None:
    assert str(User(email="nora@people.test")) == "nora@people.test"
    assert str(User(email="nora@people.test", first_name="Nora", last_name="Quist")) == "Nora Quist"


@pytest.mark.parametrize("field", ["first_name", "middle_name", "last_name"])
@pytest.mark.parametrize("character", ["\n", "\r", "\x1b", "\x85", "\u2028", "\u202e", "\u2066"])
def test_names_hold_no_hidden_characters(field: str, character: str) -> None:
    user = User(email="nora@people.test", password="x", **{field: f"No{character}ra"})
    with pytest.raises(ValidationError) as refused:
        user.full_clean()
    assert list(refused.value.message_dict) == [field]


def test_names_of_all_the_world_are_names() -> None:
    names = {"first_name": "علی‌رضا", "middle_name": "D’Arcy-Łukasz", "last_name": "王 小明"}
    User(email="nora@people.test", password="x", **names).full_clean()


def test_a_mail_does_not_show_its_address_as_a_text() -> None:
    mail = AccountMail(pk=3, template="t", email="nora@people.test", created_at=NOW)
    assert str(mail) == "t #3"
