"""A person without any role: told what has happened, with ways out that work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser

from accounts import roles
from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["nothing", "may only enter"])
def nobody(request: pytest.FixtureRequest, make_user: Callable[..., User]) -> User:
    user = make_user("nobody")
    if request.param == "may only enter":
        user.user_permissions.add(Permission.objects.get(codename="access_admin"))
    return user


def test_the_admin_says_what_is_wrong_and_whom_to_ask(
    nobody: User, browse: Callable[..., Browser]
) -> None:
    page = browse(nobody).get("/admin/")
    assert page.status_code == 403
    for words in ("Your account has no role", nobody.email, "Write to the managers"):
        assert words in page.text


def test_language_and_log_out_work(nobody: User, browse: Callable[..., Browser]) -> None:
    browser = browse(nobody)
    page = browser.get("/admin/")
    assert 'action="/accounts/language/"' in page.text
    assert (
        browser.post("/accounts/language/", {"language": "ru", "next": "/admin/"}).status_code
        == 302
    )
    assert 'lang="ru"' in browser.get("/admin/").text
    browser.post("/accounts/logout/")
    assert "_auth_user_id" not in browser.session


@pytest.mark.parametrize("role", roles.ROLES, ids=lambda role: role.name)
def test_every_role_gets_its_front_page(
    role: roles.Role, make_user: Callable[..., User], browse: Callable[..., Browser]
) -> None:
    page = browse(make_user("somebody", role)).get("/admin/")
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]


def test_the_anonymous_are_sent_to_the_log_in(client: Browser) -> None:
    page = client.get("/admin/")
    assert page.status_code == 302
    assert page["Location"].startswith("/accounts/login/")
