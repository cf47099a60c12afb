"""Every page and mail of allauth that can be reached is in the site's design."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import allauth
import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.test.signals import template_rendered

from accounts.models import User
from tests.accounts.codes import app_code
from tests.accounts.conftest import log_in, prove_again, sign_up
from tests.accounts.test_passkeys import make_passkey

pytestmark = pytest.mark.django_db

STOCK = Path(allauth.__file__).parent / "templates"
LAYOUTS = {
    "account/base_entrance.html",
    "account/base_manage.html",
    "mfa/base_entrance.html",
    "mfa/base_manage.html",
    "usersessions/base_manage.html",
    "account/base_manage_email.html",
    "account/base_manage_password.html",
    "account/base_reauthenticate.html",
}
"""They only lead to our layouts, or have all their blocks filled by ours."""


@pytest.fixture
def stock_templates() -> Iterator[Callable[[], set[str]]]:
    seen: set[str] = set()

    def note(template: object, **_kwargs: object) -> None:
        origin = getattr(getattr(template, "origin", None), "name", "")
        if str(origin).startswith(str(STOCK)):
            seen.add(str(getattr(template, "name", "")))

    template_rendered.connect(note, weak=False, dispatch_uid="stock")
    yield lambda: seen - LAYOUTS
    template_rendered.disconnect(dispatch_uid="stock")


def is_ours(answer: HttpResponse) -> bool:
    return (
        answer.status_code == 200
        and 'class="skip"' in answer.text
        and 'class="site-header"' in answer.text
        and 'class="site-footer"' in answer.text
    )


def test_what_strangers_see(stock_templates: Callable[[], set[str]]) -> None:
    sign_up(Client(), "nora@people.test")
    key = EmailConfirmationHMAC(EmailAddress.objects.get()).key
    for path in (
        "login/",
        "signup/",
        "inactive/",
        "confirm-email/",
        f"confirm-email/{key}/",
        "confirm-email/forged/",
        "password/reset/",
        "password/reset/done/",
        "password/reset/key/1-forged/",
        "password/reset/key/done/",
    ):
        assert is_ours(Client().get(f"/accounts/{path}")), path
    assert stock_templates() == set()


def test_what_people_see(alice: User, stock_templates: Callable[[], set[str]]) -> None:
    browser = Client()
    log_in(browser, alice.email)
    assert is_ours(browser.get("/accounts/reauthenticate/"))
    prove_again(browser)
    secret = browser.get("/accounts/2fa/totp/activate/").context["form"].secret
    assert is_ours(browser.get("/accounts/2fa/totp/activate/"))
    secret = browser.get("/accounts/2fa/totp/activate/").context["form"].secret
    browser.post("/accounts/2fa/totp/activate/", {"code": app_code(secret)})
    passkey = make_passkey(alice)
    for path in (
        "email/",
        "logout/",
        "password/change/",
        "profile/",
        "sessions/",
        "2fa/",
        "2fa/totp/deactivate/",
        "2fa/recovery-codes/",
        "2fa/recovery-codes/",  # the second time without the codes
        "2fa/recovery-codes/generate/",
        "2fa/reauthenticate/",
        "2fa/webauthn/",
        f"2fa/webauthn/keys/{passkey.pk}/edit/",
        f"2fa/webauthn/keys/{passkey.pk}/remove/",
    ):
        assert is_ours(browser.get(f"/accounts/{path}")), path
    passkey.delete()
    assert is_ours(browser.get("/accounts/2fa/webauthn/add/"))
    other = Client()
    log_in(other, alice.email)
    assert is_ours(other.get("/accounts/2fa/authenticate/"))
    assert Authenticator.objects.filter(user=alice).count() == 2
    assert stock_templates() == set()


@pytest.mark.parametrize("app", ["account", "mfa"])
def test_every_mail_has_our_letter(app: str) -> None:
    """Also those that cannot be reached today: a setting may let them out tomorrow."""
    ours = settings.BASE_DIR / "templates"
    unreached = {"login_code", "password_reset_code", "email_confirmation_signup_code"}
    for stock in (STOCK / app / "email").glob("*_message.txt"):
        name = stock.name.removesuffix("_message.txt")
        if name in unreached or name.startswith("base"):
            continue
        for suffix in ("subject.txt", "message.txt", "message.html"):
            assert (ours / app / "email" / f"{name}_{suffix}").exists(), f"{name}_{suffix}"
