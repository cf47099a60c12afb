"""One way in, for the site and for the admin."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts import roles
from accounts.models import AccountMail, User
from tests.accounts.conftest import ADMIN, LOGIN, RESET, SIGN_UP, comparable, is_in, log_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

MakeUser = Callable[..., User]
Browse = Callable[..., Client]


@pytest.mark.parametrize("email", ["alice@people.test", "Alice@People.TEST", " alice@people.test "])
def test_an_address_in_any_letters(client: Client, alice: User, email: str) -> None:
    assert log_in(client, email)["Location"] == ADMIN
    assert is_in(client)
    assert client.get("/accounts/profile/").status_code == 200


def test_an_address_that_an_administrator_typed_in_capitals(
    admin: User, browse: Browse, client: Client
) -> None:
    answer = browse(admin).post(
        "/admin/users/new/",
        {"email": "Nora@People.test", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert answer.status_code == 302
    user = User.objects.get(email__iexact="nora@people.test")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    assert log_in(client, "nora@people.test").status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("alice@people.test", "wrong"),
        ("alice@people.test", ""),
        ("nobody@people.test", PASSWORD),
        ("nonsense", PASSWORD),
        ("", PASSWORD),
        ("alice@people.test\x00", PASSWORD),
        ("a" * 10_000, PASSWORD),
    ],
)
def test_wrong_data_keeps_out(client: Client, alice: User, email: str, password: str) -> None:
    answer = log_in(client, email, password)
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert 'role="alert"' in answer.text
    assert not is_in(client)


def test_a_wrong_password_is_answered_like_an_unknown_address(alice: User) -> None:
    answers = {
        email: comparable(log_in(Client(), email, "wrong-password-here").text, email)
        for email in (alice.email, "nobody@people.test")
    }
    assert answers[alice.email] == answers["nobody@people.test"]


def test_the_page_asked_for_comes_after_the_login(client: Client, alice: User) -> None:
    asked = client.get("/admin/pages/?p=2")
    assert asked["Location"] == f"{LOGIN}?next=/admin/pages/%3Fp%3D2"
    page = client.get(asked["Location"])
    answer = client.post(
        LOGIN,
        {"login": alice.email, "password": PASSWORD, "next": page.context["redirect_field_value"]},
    )
    assert answer["Location"] == "/admin/pages/?p=2"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/",
        "//evil.test/",
        "///evil.test",
        "\\\\evil.test",
        "/\\evil.test",
        "javascript:alert(1)",
        "http:evil.test",
        " //evil.test",
        "http://testserver@evil.test/",
        "http://testserver.evil.test/",
    ],
)
def test_nobody_is_sent_to_another_site(client: Client, alice: User, target: str) -> None:
    answer = client.post(LOGIN, {"login": alice.email, "password": PASSWORD, "next": target})
    assert answer["Location"] == ADMIN


@pytest.mark.parametrize("path", ["/admin/login/", "/_util/login/"])
def test_the_log_in_pages_of_wagtail_lead_to_the_one_page(
    client: Client, alice: User, path: str
) -> None:
    assert client.get(path, {"next": "/blog/"})["Location"] == f"{LOGIN}?next=%2Fblog%2F"
    client.post(path, {"username": alice.email, "password": PASSWORD})
    assert not is_in(client)


@pytest.mark.parametrize("path", ["/admin/login/", "/_util/login/"])
def test_no_way_round_the_confirmation_of_the_address(
    client: Client, alice: User, path: str
) -> None:
    EmailAddress.objects.update(verified=False)
    client.post(path, {"username": alice.email, "password": PASSWORD})
    assert not is_in(client)


@pytest.mark.parametrize("path", ["/admin/password_reset/", "/admin/account/change_password/"])
def test_the_password_pages_of_wagtail_are_gone(
    client: Client, alice: User, path: str, browse: Browse
) -> None:
    for browser in (client, browse(alice)):
        assert browser.get(path).status_code in {302, 404}
        assert browser.post(path, {"email": alice.email}).status_code in {302, 403, 404}
    assert not AccountMail.objects.exists()


def test_the_account_page_of_wagtail_is_the_profile(alice: User, browse: Browse) -> None:
    assert browse(alice).get("/admin/account/")["Location"] == reverse("account_profile")


def test_a_person_without_a_role_is_not_sent_to_and_fro(
    make_user: MakeUser, client: Client
) -> None:
    make_user("nora")
    assert log_in(client, "nora@people.test").status_code == 302
    page = client.get(ADMIN)
    assert page.status_code == 403
    assert "/accounts/profile/" in page.text
    assert client.get("/accounts/profile/").status_code == 200


@pytest.mark.parametrize("role", roles.ROLES, ids=lambda role: role.name)
def test_every_role_enters_the_admin(make_user: MakeUser, client: Client, role: roles.Role) -> None:
    make_user("nora", role)
    assert log_in(client, "nora@people.test")["Location"] == ADMIN
    assert is_in(client)


def test_only_a_post_logs_out(client: Client, alice: User) -> None:
    log_in(client, alice.email)
    assert client.get("/accounts/logout/").status_code == 200
    assert is_in(client)
    assert client.post("/accounts/logout/")["Location"] == "/"
    assert not is_in(client)


def test_logging_out_of_the_admin_logs_out_of_the_site(client: Client, alice: User) -> None:
    log_in(client, alice.email)
    assert client.get("/admin/logout/").status_code == 405
    client.post("/admin/logout/")
    assert client.get("/accounts/profile/").status_code == 302


def test_the_session_gets_a_new_key(client: Client, alice: User) -> None:
    client.get(LOGIN)
    session = client.session
    session["left by"] = "an attacker"
    session.save()
    before = client.cookies["sessionid"].value
    log_in(client, alice.email)
    assert client.cookies["sessionid"].value != before
    assert client.cookies["sessionid"]["httponly"]
    assert client.cookies["sessionid"]["samesite"] == "Lax"


def test_a_form_from_elsewhere_is_refused(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    for path in (LOGIN, SIGN_UP, RESET):
        assert browser.post(path, {"login": alice.email, "password": PASSWORD}).status_code == 403


# --- Too many tries -------------------------------------------------------------------------------


def test_five_wrong_passwords_close_the_door_for_a_while(alice: User) -> None:
    for _ in range(5):
        log_in(Client(), alice.email, "wrong")
    browser = Client()
    answer = log_in(browser, alice.email)
    assert answer.status_code == 200
    assert "Too many failed login attempts" in answer.text
    assert not is_in(browser)


def test_a_success_in_between_does_not_start_the_count_anew_for_others(
    alice: User, bob: User
) -> None:
    """An attacker with an account of the own must not get tries at others' by using it."""
    for _ in range(2):
        for _ in range(4):
            log_in(Client(), alice.email, "wrong")
        assert log_in(Client(), bob.email).status_code == 302
    assert "Too many failed login attempts" in log_in(Client(), alice.email).text


def test_many_addresses_from_one_place(alice: User) -> None:
    """`X-Forwarded-For` is anybody's invention unless there is a proxy."""
    for number in range(10):
        browser = Client(headers={"x-forwarded-for": f"192.0.2.{number}"})
        log_in(browser, f"person{number}@people.test", "wrong")
    browser = Client(headers={"x-forwarded-for": "198.51.100.1"})
    assert "Too many failed login attempts" in log_in(browser, alice.email).text


def test_behind_a_proxy_each_place_counts_alone(settings: Settings, alice: User) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(10):
        browser = Client(headers={"x-forwarded-for": "203.0.113.9, 192.0.2.1"})
        log_in(browser, f"person{number}@people.test", "wrong")
    other = Client(headers={"x-forwarded-for": "192.0.2.1, 198.51.100.1"})
    assert log_in(other, alice.email).status_code == 302


def test_too_many_forms_get_a_page_that_says_so() -> None:
    answers = [Client().post(SIGN_UP, {"email": "nonsense"}) for _ in range(21)]
    assert [answer.status_code for answer in answers[:20]] == [200] * 20
    assert answers[20].status_code == 429
    assert "Too many tries" in answers[20].text
