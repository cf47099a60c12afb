"""Accounts in a real browser: by keyboard, with hostile uploads, apps and passkeys."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.accounts import test_avatars as uploads
from tests.accounts.codes import app_code
from tests.browser.conftest import context_options, sign_in
from tests.browser.service import PASSWORD, Service
from tests.browser.test_pages import faults_of, overflow_of

Picture = Callable[[Page, str], None]

_numbers = itertools.count(1)

_PERSON = """
from accounts import roles
from accounts.models import User
from allauth.account.models import EmailAddress
user = User.objects.create_user({email!r}, {password!r}, first_name="Nora")
EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
roles.give(user, roles.USERS)
"""


@pytest.fixture
def person(service: Service) -> str:
    """Return the address of somebody new, with a confirmed address and nothing else."""
    email = f"person{next(_numbers)}@people.test"
    service.manage("shell", "-v0", "-c", _PERSON.format(email=email, password=PASSWORD))
    return email


def prove_again(page: Page) -> None:
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def log_out(page: Page, service: Service) -> None:
    page.goto(f"{service.site}/accounts/logout/")
    page.get_by_role("button", name="Log out").last.click()
    page.wait_for_url(f"{service.site}/")


# --- By keyboard alone ----------------------------------------------------------------------------


def tab_to(page: Page, selector: str) -> None:
    for _ in range(40):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{selector} has no visible focus"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached")


def test_signing_up_and_logging_in_need_no_mouse(
    honest_page: Page, service: Service, picture: Picture
) -> None:
    page, email = honest_page, "by.keyboard@people.test"
    page.goto(f"{service.site}/accounts/signup/")
    tab_to(page, "input[name=email]")
    page.keyboard.type(email)
    tab_to(page, "input[name=first_name]")
    page.keyboard.type("Nora")
    tab_to(page, "input[name=password1]")
    page.keyboard.type(PASSWORD + "-long")
    tab_to(page, "main form button[type=submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    expect(page.get_by_text(email, exact=True)).to_be_visible()
    waiting = page.get_by_role("button", name=re.compile(r"Send again in 0:\d\d"))
    expect(waiting).to_be_disabled()
    picture(page, "accounts-inbox")

    service.manage(
        "shell",
        "-v0",
        "-c",
        "from allauth.account.models import EmailAddress as E;"
        f"E.objects.filter(email={email!r}).update(verified=True)",
    )
    page.goto(f"{service.site}/accounts/login/")
    tab_to(page, "input[name=login]")
    page.keyboard.type(email)
    tab_to(page, "input[name=password]")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert").first
    expect(alert).to_be_visible()
    expect(alert).to_be_focused()
    tab_to(page, "input[name=password]")
    page.keyboard.type(PASSWORD + "-long")
    tab_to(page, "main form:last-of-type button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{service.site}/admin/")


# --- Uploads --------------------------------------------------------------------------------------


def test_a_profile_takes_pictures_and_nothing_else(
    honest_page: Page, service: Service, person: str, tmp_path: Path, picture: Picture
) -> None:
    page = honest_page
    sign_in(page, service, person)
    hostile = {
        "drawing.png": uploads.REFUSED["svg"],
        "huge.png": uploads.png_that_says(20_000, 20_000),
        "half.jpg": uploads.picture("JPEG", size=(900, 900))[:900],
        "script.gif": uploads.REFUSED["gif that is a script"],
        "long.png": uploads.picture() + b"\0" * 50 * 1024 * 1024,
    }
    for name, content in hostile.items():
        (tmp_path / name).write_bytes(content)
        page.goto(f"{service.site}/accounts/profile/")
        page.locator("input[name=avatar]").set_input_files(tmp_path / name)
        page.get_by_role("button", name="Save personal details").click()
        expect(page.locator("#id_avatar_error")).to_be_visible(timeout=30_000)
        expect(page).to_have_title(re.compile("^Error: "))
    picture(page, "accounts-hostile-upload")
    (tmp_path / "me.gif").write_bytes(uploads.picture("GIF", mode="P"))
    page.goto(f"{service.site}/accounts/profile/")
    page.locator("input[name=avatar]").set_input_files(tmp_path / "me.gif")
    page.get_by_role("button", name="Save personal details").click()
    shown = page.locator("img.avatar")
    expect(shown).to_have_attribute("src", re.compile(r"/media/avatars/[0-9a-f]{32}\.webp"))
    answer = page.request.get(service.site + str(shown.get_attribute("src")))
    (tmp_path / "back.webp").write_bytes(answer.body())
    assert Image.open(tmp_path / "back.webp").size == (256, 256)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


# --- The second step ------------------------------------------------------------------------------


def test_an_app_and_its_recovery_codes(
    honest_page: Page, service: Service, person: str, picture: Picture
) -> None:
    page = honest_page
    sign_in(page, service, person)
    page.goto(f"{service.site}/accounts/2fa/")
    page.get_by_role("link", name="Switch on the authenticator app").click()
    prove_again(page)
    expect(page.get_by_alt_text("QR code of the key below")).to_be_visible()
    picture(page, "accounts-app")
    secret = page.locator("code.key").inner_text()
    page.get_by_label("Code from the app").fill("000000")
    page.get_by_role("button", name="Switch on").click()
    expect(page.locator("#id_code_error")).to_be_visible()
    page.get_by_label("Code from the app").fill(app_code(secret))
    page.get_by_role("button", name="Switch on").click()
    expect(page.locator(".codes code")).to_have_count(10)
    codes = page.locator(".codes code").all_inner_texts()
    picture(page, "accounts-recovery-codes")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the codes").click()
    kept = Path(download.value.path()).read_text().split()
    assert kept[-10:] == codes

    log_out(page, service)
    sign_in(page, service, person)
    picture(page, "accounts-second-step")
    page.get_by_label("Code").fill(app_code(secret, 1))
    page.get_by_role("button", name="Log in").last.click()
    page.wait_for_url(f"{service.site}/admin/")
    log_out(page, service)
    sign_in(page, service, person)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Log in").last.click()
    page.wait_for_url(f"{service.site}/admin/")
    page.goto(f"{service.site}/accounts/2fa/recovery-codes/generate/")
    expect(page.get_by_role("heading", name="Is it still you?")).to_be_visible()


def add_authenticator(page: Page) -> None:
    """Plug in an authenticator that says yes to everything."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_logs_in_by_itself(
    honest_page: Page, service: Service, person: str, picture: Picture
) -> None:
    page = honest_page
    add_authenticator(page)
    sign_in(page, service, person)
    page.goto(f"{service.site}/accounts/2fa/webauthn/add/")
    prove_again(page)
    page.get_by_label("Name").fill("Laptop")
    picture(page, "accounts-add-passkey")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto(f"{service.site}/accounts/2fa/webauthn/")
    expect(page.locator("strong", has_text="Laptop")).to_be_visible()
    picture(page, "accounts-passkeys")

    log_out(page, service)
    page.goto(f"{service.site}/accounts/login/")
    picture(page, "accounts-login")
    page.get_by_role("button", name="Log in with a passkey").click()
    page.wait_for_url(f"{service.site}/admin/")

    log_out(page, service)
    sign_in(page, service, person)  # the password, and then the passkey as the second step
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{service.site}/admin/")

    page.goto(f"{service.site}/accounts/2fa/webauthn/")
    page.get_by_role("link", name="Remove Laptop").click()
    expect(page.get_by_role("heading", name="Is it still you?")).to_be_visible()
    prove_again(page)
    page.get_by_role("button", name="Remove Laptop").click()
    expect(page.get_by_text("You have none yet.")).to_be_visible()


# --- Every page -----------------------------------------------------------------------------------

STRANGERS: tuple[str, ...] = (
    "login/",
    "signup/",
    "password/reset/",
    "password/reset/done/",
    "confirm-email/",
    "inactive/",
    "password/reset/key/1-forged/",
    "confirm-email/forged/",
)
PEOPLES: tuple[str, ...] = (
    "profile/",
    "email/",
    "password/change/",
    "logout/",
    "sessions/",
    "2fa/",
    "2fa/webauthn/",
    "reauthenticate/",
)
PROVEN: tuple[str, ...] = ("2fa/totp/activate/", "2fa/webauthn/add/", "data/", "delete/")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "language"), [(1280, "ru"), (320, "en"), (320, "ru")])
def test_every_page_is_accessible_and_fits(
    browser: Browser, service: Service, person: str, theme: str, width: int, language: str
) -> None:
    context = browser.new_context(**context_options(width=width, theme=theme, language=language))
    page = context.new_page()
    page.set_default_timeout(20_000)
    found = look_at(page, service, STRANGERS)
    sign_in(page, service, person)
    found += look_at(page, service, PEOPLES)
    page.goto(f"{service.site}/accounts/delete/")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").click()
    found += look_at(page, service, PROVEN)
    context.close()
    assert found == []


def look_at(page: Page, service: Service, paths: tuple[str, ...]) -> list[str]:
    found = []
    for path in paths:
        page.goto(f"{service.site}/accounts/{path}")
        assert path in page.url
        found += [f"{path} {fault}" for fault in faults_of(page)]
        if (wider := overflow_of(page)) > 0:
            found.append(f"{path} is {wider} px too wide")
    return found
