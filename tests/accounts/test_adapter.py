"""Signing up."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from pytest_django import Settings

from accounts import roles
from accounts.models import AccountMail, User
from tests.accounts.conftest import (
    ADMIN,
    LOGIN,
    SIGN_UP,
    PostOffice,
    comparable,
    is_in,
    log_in,
    sign_up,
)
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def test_a_stranger_becomes_a_user(client: Client, post_office: PostOffice) -> None:
    answer = sign_up(client, "Nora@People.test", first_name="Nora", last_name="Quist")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/confirm-email/"
    assert client.get("/accounts/confirm-email/").status_code == 200
    assert not is_in(client)

    (letter,) = post_office.deliver()
    assert letter.to == "nora@people.test"
    page = client.get(letter.link())
    assert page.status_code == 200
    assert "nora@people.test" in page.text
    assert not EmailAddress.objects.get().verified, "looking must not confirm"
    client.post(letter.link())

    assert log_in(client, "nora@people.test")["Location"] == ADMIN
    assert is_in(client)
    user = User.objects.get()
    assert (user.email, user.first_name, user.last_name) == ("nora@people.test", "Nora", "Quist")
    assert [group.name for group in user.groups.all()] == [roles.USERS.name]
    assert not user.is_staff
    assert not user.is_superuser


def test_nobody_enters_with_an_address_that_is_not_confirmed(
    client: Client, post_office: PostOffice
) -> None:
    sign_up(client, "nora@people.test")
    other = Client()
    assert log_in(other, "nora@people.test")["Location"] == "/accounts/confirm-email/"
    assert other.get(ADMIN)["Location"] == f"{LOGIN}?next={ADMIN}"
    assert other.get("/accounts/profile/").status_code == 302
    assert "sessionid" not in other.cookies or "_auth_user_id" not in other.session


def test_the_link_works_once_and_only_unaltered(client: Client, post_office: PostOffice) -> None:
    sign_up(client, "nora@people.test")
    (letter,) = post_office.deliver()
    link = letter.link()
    swapped = "A" if link[-2] != "A" else "B"
    altered = link[:-2] + swapped + "/"
    assert "This link does not work" in Client().get(altered).text
    assert Client().post(altered).status_code == 404
    assert not EmailAddress.objects.get().verified
    assert Client().post(link).status_code == 302
    assert "This link does not work" in Client().get(link).text
    assert Client().post(link).status_code == 404


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"email": "nonsense"}, {"email"}),
        ({"email": ""}, {"email"}),
        ({"email": "nora@people.test\x00"}, {"email"}),
        ({"email": f"{'n' * 250}@people.test"}, {"email"}),
        ({"password1": ""}, {"password1"}),
        ({"password1": "short-one"}, {"password1"}),
        ({"password1": "nora.quist-people"}, {"password1"}),
        ({"password1": "837465918273645"}, {"password1"}),
        ({"password1": "qwerty123456"}, {"password1"}),
        ({"first_name": "N" * 151}, {"first_name"}),
        ({"first_name": "Nora\r\nBcc: all@people.test"}, {"first_name"}),
        ({"first_name": "aroN\u202e"}, {"first_name"}),
        ({"email": "nonsense", "password1": "short-one"}, {"email", "password1"}),
    ],
)
def test_wrong_data_is_answered_beside_the_field(
    client: Client, fields: dict[str, str], wrong: set[str]
) -> None:
    data = {
        "email": "nora.quist@people.test",
        "first_name": "Nora",
        "last_name": "O'Quist",
        "password1": PASSWORD,
        **fields,
    }
    answer = client.post(SIGN_UP, data)
    assert answer.status_code == 200
    assert not User.objects.exists()
    assert set(answer.context["form"].errors) == wrong
    for name in wrong:
        assert f'id="id_{name}_error"' in answer.text
    assert 'value="O&#x27;Quist"' in answer.text
    assert not data["password1"] or data["password1"] not in answer.text


def test_forged_fields_give_nothing(client: Client) -> None:
    sign_up(
        client,
        "nora@people.test",
        is_staff="on",
        is_superuser="on",
        groups=[1, 2, 3],
        verified="on",
        user_permissions=[1],
    )
    user = User.objects.get()
    assert not user.is_staff
    assert not user.is_superuser
    assert not user.user_permissions.exists()
    assert user.groups.get().name == roles.USERS.name
    assert not EmailAddress.objects.get().verified


def test_a_robot_that_fills_the_trap_gets_no_account(client: Client) -> None:
    answer = sign_up(client, "robot@people.test", website="http://spam.test")
    assert answer.status_code == 302
    assert not User.objects.exists()
    assert not AccountMail.objects.exists()


class TestClosed:
    @pytest.fixture(autouse=True)
    def closed(self, settings: Settings) -> None:
        settings.REGISTRATION_OPEN = False

    def test_the_page_says_so(self, client: Client) -> None:
        page = client.get(SIGN_UP)
        assert page.status_code == 200
        assert "Sign-up is closed" in page.text
        assert "password1" not in page.text

    def test_a_post_makes_no_account(self, client: Client) -> None:
        answer = sign_up(client, "nora@people.test")
        assert "Sign-up is closed" in answer.text
        assert not User.objects.exists()
        assert not AccountMail.objects.exists()

    def test_no_page_leads_there(self, client: Client) -> None:
        for path in ("/", LOGIN, "/blog/"):
            assert SIGN_UP not in client.get(path).text


def test_a_known_address_is_answered_like_an_unknown_one(
    alice: User, post_office: PostOffice
) -> None:
    answers = {}
    for email in (alice.email, "nobody@people.test"):
        browser = Client()
        answer = sign_up(browser, email)
        page = browser.get(answer["Location"])
        answers[email] = (
            answer.status_code,
            answer["Location"],
            sorted(browser.cookies),
            page.status_code,
            comparable(page.text, email),
        )
    assert answers[alice.email] == answers["nobody@people.test"]
    letters = {letter.to: letter for letter in post_office.deliver()}
    assert set(letters) == set(answers)
    assert "/confirm-email/" in letters["nobody@people.test"].link()
    assert letters[alice.email].link() == "/accounts/login/"
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_an_address_in_other_letters_is_the_same_address(
    alice: User, client: Client, post_office: PostOffice
) -> None:
    sign_up(client, "ALICE@People.Test")
    assert User.objects.get() == alice
    assert post_office.deliver()[0].to == alice.email


def test_the_letter_is_in_the_language_of_the_page(client: Client, post_office: PostOffice) -> None:
    client.post(
        SIGN_UP,
        {"email": "nora@people.test", "password1": PASSWORD},
        headers={"accept-language": "ru"},
    )
    (letter,) = post_office.deliver()
    assert '<html lang="ru">' in letter.body("html")


def test_letters_are_in_the_language_of_the_sign_up_ever_after(client: Client) -> None:
    client.post(
        SIGN_UP,
        {"email": "nora@people.test", "password1": PASSWORD},
        headers={"accept-language": "ru"},
    )
    assert User.objects.get().preferred_language == "ru"
