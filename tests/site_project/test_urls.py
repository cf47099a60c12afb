"""What answers where, also with settings that add pages or take them away."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve
from pytest_django import Settings

from site_project import urls

pytestmark = pytest.mark.django_db


def routes(patterns: list[URLPattern | URLResolver]) -> set[str]:
    return {str(pattern.pattern) for pattern in patterns}


@pytest.mark.parametrize("path", ["/admin/login/", "/_util/login/"])
def test_there_is_one_login(client: Client, path: str) -> None:
    answer = client.get(f"{path}?next=/admin/images/")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=/admin/images/"


def test_a_visitor_of_the_admin_is_sent_to_it(client: Client) -> None:
    assert client.get("/admin/")["Location"] == "/accounts/login/?next=/admin/"


@pytest.mark.parametrize("path", ["/admin/password_reset/", "/documents/1/x.pdf", "/django-admin/"])
def test_what_others_bring_along_is_not_there(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in {302, 404}
    assert answer.get("Location", "/accounts/login/").startswith("/accounts/login/")


def test_the_front_page_answers(client: Client) -> None:
    assert client.get("/").status_code == 200


def test_media_are_served_and_nothing_else_of_the_disk(client: Client, settings: Settings) -> None:
    media = Path(settings.MEDIA_ROOT)
    media.mkdir(parents=True, exist_ok=True)
    (media / "rose.txt").write_text("a rose")
    assert b"".join(client.get("/media/rose.txt").streaming_content) == b"a rose"
    for path in ("../db.sqlite3", "..%2fdb.sqlite3", "%2e%2e/db.sqlite3", "/etc/passwd", ""):
        assert client.get(f"/media/{path}").status_code in {400, 404}


def test_the_mail_catcher_and_media_exist_only_where_they_are_wanted(settings: Settings) -> None:
    assert {"mail/", "^media/(?P<path>.*)$"} <= routes(urls.urlpatterns)
    settings.MAIL_CATCHER_DIR = None
    settings.SERVE_MEDIA = False
    without = routes(runpy.run_path(urls.__file__)["urlpatterns"])
    assert not {route for route in without if route.startswith(("mail/", "^media/"))}


def test_our_screens_stand_before_those_of_wagtail() -> None:
    for path in ("/admin/account/", "/admin/reports/site-history/"):
        assert resolve(path).func.__module__ in {"accounts.views", "wagtail.admin.auth"}
    with pytest.raises(Resolver404):
        resolve("/no//such")
    assert get_resolver().resolve_error_handler(404).__module__ == "site_project.errors"
