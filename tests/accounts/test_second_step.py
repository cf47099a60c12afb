"""Authenticator apps and recovery codes: switching on, logging in, switching off."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.blocking import set_active
from accounts.models import User
from accounts.second_step import MFAAdapter
from tests.accounts.codes import app_code
from tests.accounts.conftest import LOGIN, PostOffice, is_in, log_in, prove_again
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

ACTIVATE = "/accounts/2fa/totp/activate/"
DEACTIVATE = "/accounts/2fa/totp/deactivate/"
SECOND_STEP = "/accounts/2fa/authenticate/"
CODES = "/accounts/2fa/recovery-codes/"
OVERVIEW = "/accounts/2fa/"


def switch_on(browser: Client, email: str) -> tuple[str, list[str]]:
    """Log in, switch the app on, and return its key and the recovery codes."""
    log_in(browser, email)
    prove_again(browser)
    secret = browser.get(ACTIVATE).context["form"].secret
    answer = browser.post(ACTIVATE, {"code": app_code(secret)})
    assert answer["Location"] == CODES
    return secret, re.findall(r"<code>(\d{8})</code>", browser.get(CODES).text)


def test_nothing_changes_without_the_password_once_more(client: Client, alice: User) -> None:
    log_in(client, alice.email)
    for path in (ACTIVATE, "/accounts/2fa/webauthn/add/", CODES + "generate/"):
        for answer in (client.get(path), client.post(path, {"code": "123456"})):
            assert answer["Location"].startswith("/accounts/reauthenticate/?next="), path
    assert not Authenticator.objects.exists()


def test_the_app_is_asked_for_after_the_password(client: Client, alice: User) -> None:
    secret, codes = switch_on(client, alice.email)
    assert len(codes) == 10
    other = Client()
    assert log_in(other, alice.email)["Location"] == SECOND_STEP
    assert not is_in(other), "the password alone is not enough"
    wrong = other.post(SECOND_STEP, {"code": "000000"})
    assert wrong.status_code == 200
    assert 'id="id_code_error"' in wrong.text
    assert not is_in(other)
    assert other.post(SECOND_STEP, {"code": app_code(secret, 1)}).status_code == 302
    assert is_in(other)


def test_a_wrong_code_switches_nothing_on(client: Client, alice: User) -> None:
    log_in(client, alice.email)
    prove_again(client)
    secret = client.get(ACTIVATE).context["form"].secret
    for code in ("", "000000", "abcdef", app_code(secret, 10), "1" * 10_000, "\x00"):
        answer = client.post(ACTIVATE, {"code": code})
        assert answer.status_code == 200
        assert answer.context["form"].errors
    assert not Authenticator.objects.exists()


def test_a_code_works_once(client: Client, alice: User) -> None:
    secret, _codes = switch_on(client, alice.email)
    code = app_code(secret, 1)
    first, second = Client(), Client()
    log_in(first, alice.email)
    first.post(SECOND_STEP, {"code": code})
    log_in(second, alice.email)
    second.post(SECOND_STEP, {"code": code})
    assert is_in(first)
    assert not is_in(second)


def test_five_wrong_codes_close_the_door_for_a_while(client: Client, alice: User) -> None:
    secret, _codes = switch_on(client, alice.email)
    for _ in range(5):
        attacker = Client()
        log_in(attacker, alice.email)
        attacker.post(SECOND_STEP, {"code": "000000"})
    log_in(attacker, alice.email)
    answer = attacker.post(SECOND_STEP, {"code": app_code(secret, 1)})
    assert "Too many" in answer.text
    assert not is_in(attacker)


def test_recovery_codes_are_shown_once_and_work_once(client: Client, alice: User) -> None:
    _secret, codes = switch_on(client, alice.email)
    again = client.get(CODES)
    assert not any(code in again.text for code in codes)
    assert client.get(CODES + "download/").status_code == 403
    first, second = Client(), Client()
    log_in(first, alice.email)
    first.post(SECOND_STEP, {"code": codes[3]})
    assert is_in(first)
    log_in(second, alice.email)
    second.post(SECOND_STEP, {"code": codes[3]})
    assert not is_in(second)
    assert "9 codes are left" in client.get(OVERVIEW).text


def test_the_codes_can_be_downloaded_where_they_are_shown(client: Client, alice: User) -> None:
    log_in(client, alice.email)
    prove_again(client)
    secret = client.get(ACTIVATE).context["form"].secret
    client.post(ACTIVATE, {"code": app_code(secret)})
    page = client.get(CODES)
    codes = re.findall(r"<code>(\d{8})</code>", page.text)
    (link,) = re.findall(
        r'download="recovery-codes.txt" href="data:text/plain[^,]*,([^"]*)"', page.text
    )
    assert link.split("%0A")[1:-1] == codes
    assert "no-store" in page["Cache-Control"]


def test_new_codes_end_the_old_ones(client: Client, alice: User) -> None:
    _secret, old = switch_on(client, alice.email)
    client.post(CODES + "generate/")
    new = re.findall(r"<code>(\d{8})</code>", client.get(CODES).text)
    assert len(new) == 10
    assert not set(old) & set(new)
    other = Client()
    log_in(other, alice.email)
    other.post(SECOND_STEP, {"code": old[0]})
    assert not is_in(other)


def test_switching_off_is_told_by_mail(
    client: Client,
    alice: User,
    post_office: PostOffice,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        switch_on(client, alice.email)
    assert client.post(DEACTIVATE)["Location"] == OVERVIEW
    assert not Authenticator.objects.exists(), "codes without an app are of no use"
    subjects = [letter.subject for letter in post_office.deliver()]
    assert len(subjects) == 2
    assert "switched on" in subjects[0]
    assert "switched off" in subjects[1]
    other = Client()
    log_in(other, alice.email)
    assert is_in(other)


def test_a_new_password_alone_does_not_get_round_it(
    client: Client, alice: User, post_office: PostOffice
) -> None:
    switch_on(client, alice.email)
    thief = Client()
    thief.post("/accounts/password/reset/", {"email": alice.email})
    letter = post_office.deliver()[-1]
    form = thief.get(letter.link(), follow=True).redirect_chain[-1][0]
    new = "another-horse-battery"
    thief.post(form, {"password1": new, "password2": new})
    assert not is_in(thief)
    assert log_in(thief, alice.email, new)["Location"] == SECOND_STEP


def test_a_blocked_person_is_told_so_only_when_all_is_right(
    client: Client, alice: User, manager: User
) -> None:
    switch_on(client, alice.email)
    set_active(alice, active=False, by=manager)
    other = Client()
    assert "blocked" not in log_in(other, alice.email, "wrong").text
    answer = log_in(other, alice.email)
    assert answer["Location"] == "/accounts/inactive/"


def test_the_address_can_still_be_changed(client: Client, alice: User) -> None:
    switch_on(client, alice.email)
    answer = client.post("/accounts/email/", {"action_add": "", "email": "new@people.test"})
    assert answer.status_code == 302
    assert "new@people.test" in client.get("/accounts/email/").text


def test_another_person_is_not_touched(client: Client, alice: User, bob: User) -> None:
    switch_on(client, alice.email)
    of_bob = Client()
    log_in(of_bob, bob.email)
    assert is_in(of_bob)
    assert of_bob.post(DEACTIVATE).status_code == 404
    assert of_bob.get(CODES).status_code == 404


class TestAtRest:
    def test_no_secret_lies_open_in_the_database(self, client: Client, alice: User) -> None:
        secret, codes = switch_on(client, alice.email)
        stored = str(list(Authenticator.objects.values_list("data", flat=True)))
        assert secret not in stored
        assert not any(code in stored for code in codes)

    def test_a_former_key_still_reads(self, settings: Settings) -> None:
        encrypted = MFAAdapter().encrypt("JBSWY3DP")
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "quite another key, as after a rotation"
        assert MFAAdapter().decrypt(encrypted) == "JBSWY3DP"


def test_next_leads_nowhere_else(client: Client, alice: User) -> None:
    secret, _codes = switch_on(client, alice.email)
    other = Client()
    other.post(LOGIN, {"login": alice.email, "password": PASSWORD, "next": "https://evil.test/"})
    answer = other.post(SECOND_STEP, {"code": app_code(secret, 1), "next": "//evil.test/"})
    assert answer["Location"] == "/admin/"


def test_the_session_gets_a_new_key_with_the_second_step(client: Client, alice: User) -> None:
    secret, _codes = switch_on(client, alice.email)
    other = Client()
    log_in(other, alice.email)
    before = other.session.session_key
    other.post(SECOND_STEP, {"code": app_code(secret, 1)})
    assert other.session.session_key != before
    assert is_in(other)
