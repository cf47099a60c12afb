"""The Content-Security-Policy of each kind of page, and what is made of errors nobody catches."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from accounts.models import User
from site_project.middleware import ADMIN, MEDIA, STRICT

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.site_project.failing_urls")]

Browse = Callable[..., Client]


def policy(response: object) -> dict[str, str]:
    """Return the directives by name."""
    header: str = response["Content-Security-Policy"]  # type: ignore[index]
    return dict(part.strip().split(" ", 1) for part in header.split(";"))


@pytest.mark.parametrize(
    "path", ["/", "/accounts/login/", "/accounts/signup/", "/mail/", "/no-such-page/", "/fail/500/"]
)
def test_a_public_page_runs_nothing_that_stands_in_it(path: str) -> None:
    page = Client(raise_request_exception=False).get(path)
    directives = policy(page)
    assert directives["default-src"] == "'self'"
    assert directives["script-src"] == directives["style-src"] == "'self'"
    assert directives["object-src"] == "'none'"
    assert directives["base-uri"] == directives["form-action"] == "'self'"
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "<script>" not in page.text
    assert " style=" not in page.text
    assert " onclick=" not in page.text


def test_the_admin_may_run_what_wagtail_writes_into_its_pages(
    manager: User, browse: Browse
) -> None:
    page = browse(manager).get("/admin/")
    assert page.status_code == 200
    assert page["Content-Security-Policy"] == ADMIN
    assert policy(page)["object-src"] == "'none'"


def test_an_uploaded_file_may_do_nothing(client: Client) -> None:
    assert client.get("/media/letters/x.svg")["Content-Security-Policy"] == MEDIA


def test_a_path_that_only_looks_like_the_admin_is_strict(client: Client) -> None:
    assert client.get("/administration/")["Content-Security-Policy"] == STRICT


def test_a_view_may_have_a_policy_of_its_own(client: Client) -> None:
    assert client.get("/fail/policy/")["Content-Security-Policy"] == "sandbox"


def test_a_form_without_its_fields_is_a_bad_request(client: Client) -> None:
    page = client.post("/fail/field/", {})
    assert page.status_code == 400
    assert "This request came damaged" in page.text


def test_what_is_in_use_stays_and_its_page_is_shown_again(client: Client) -> None:
    page = client.post("/fail/protected/?page=2")
    assert (page.status_code, page["Location"]) == (302, "/fail/protected/?page=2")
    (message,) = get_messages(page.wsgi_request)
    assert str(message) == "It is in use and cannot be deleted."


def test_other_errors_pass(client: Client) -> None:
    with pytest.raises(RuntimeError, match="broken"):
        client.get("/fail/500/")
