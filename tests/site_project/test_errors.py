"""The pages people see when something is wrong: both languages, right status, no details."""

from __future__ import annotations

import re

import pytest
from django.db import OperationalError, connection
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.site_project.failing_urls")]

HEADINGS = {
    "400": "This request came damaged",
    "403": "You may not open this page",
    "404": "Return to sender",
}


@pytest.fixture
def visitor() -> Client:
    """A browser that shows the page for 500 as a person would see it."""
    return Client(raise_request_exception=False)


def heading(page: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page)
    assert found, page
    return found[1]


@pytest.mark.parametrize("status", HEADINGS)
def test_an_error_page_speaks_the_language_of_its_reader(visitor: Client, status: str) -> None:
    english = visitor.get(f"/fail/{status}/", headers={"accept-language": "en"})
    russian = visitor.get(f"/fail/{status}/", headers={"accept-language": "ru"})
    assert english.status_code == russian.status_code == int(status)
    assert heading(english.text) == HEADINGS[status]
    assert '<html lang="en"' in english.text
    assert '<html lang="ru"' in russian.text
    assert re.search("[а-яё]", heading(russian.text)), "is the translation compiled?"
    assert "noindex" in english.text


def test_an_unknown_address_is_404_and_not_repeated(visitor: Client) -> None:
    page = visitor.get("/no-such-page/<script>alert(1)</script>/")
    assert page.status_code == 404
    assert "<script>alert" not in page.text


def test_a_host_that_is_not_ours_gets_a_page(visitor: Client) -> None:
    page = visitor.get("/", headers={"host": "evil.example"})
    assert page.status_code == 400
    assert heading(page.text) == HEADINGS["400"]
    assert "evil.example" not in page.text


def test_an_expired_form_says_so() -> None:
    page = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "x"})
    assert page.status_code == 403
    assert heading(page.text) == "This form has expired"


@pytest.mark.parametrize("language", ["en", "ru"])
def test_too_many_tries_are_answered_with_a_page(visitor: Client, language: str) -> None:
    headers = {"accept-language": language}
    for _try in range(40):
        page = visitor.post("/accounts/password/reset/", {"email": "x@x.test"}, headers=headers)
        if page.status_code == 429:
            break
    assert page.status_code == 429
    assert f'<html lang="{language}"' in page.text
    assert heading(page.text)


def test_a_fault_of_ours_is_told_in_both_languages_without_details(visitor: Client) -> None:
    page = visitor.get("/fail/500/")
    assert page.status_code == 500
    assert "Something broke on our side" in page.text
    assert "У нас что-то сломалось" in page.text
    assert "broken" not in page.text
    assert "Traceback" not in page.text


def test_the_page_for_a_fault_needs_no_database(visitor: Client) -> None:
    queries = 0

    def unreachable(*_args: object) -> None:
        nonlocal queries
        queries += 1
        raise OperationalError("the server has gone away")

    visitor.cookies["sessionid"] = "somebodys"
    with connection.execute_wrapper(unreachable):
        page = visitor.get("/fail/query/")
    assert page.status_code == 500
    assert queries == 1, "only the page that failed has asked"
    assert "Something broke on our side" in page.text
