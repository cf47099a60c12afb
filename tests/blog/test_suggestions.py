"""What a reader of a post that is gone finds instead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client as Browser
from django.utils.translation import override
from pytest_django import DjangoCaptureOnCommitCallbacks
from wagtail.contrib.redirects.models import Redirect

from accounts.models import User
from blog.models import BlogIndexPage
from blog.suggestions import instead_of
from tests.blog.posts import hide, make_post

pytestmark = pytest.mark.django_db


def titles(path: str) -> list[str]:
    return [post.title for post in instead_of(path)]


def test_posts_with_its_words_come_first_then_the_newest() -> None:
    for day, title in enumerate(("Lifting dahlias", "Roses", "Beans", "Red dahlias"), start=1):
        make_post(title, date=date(2026, 11, day))
    make_post("News", date=date(2026, 11, 30))
    assert titles("/blog/dahlias-in-winter/") == ["Red dahlias", "Lifting dahlias", "News"]
    assert titles("/blog/%D0%B5/") == ["News", "Red dahlias", "Beans"]


def test_among_equals_those_in_the_language_of_the_reader_come_first() -> None:
    for number in range(3):
        make_post(f"Roses {number}", language="en", date=date(2026, 11, 10 + number))
    make_post("Розы", slug="rozy", language="ru", date=date(2026, 11, 1))
    with override("ru"):
        assert titles("/blog/gone/") == ["Розы", "Roses 2", "Roses 1"]
        assert titles("/blog/roses-2/")[0] == "Roses 2"
    assert "Розы" not in titles("/blog/gone/")


def test_only_below_the_blog() -> None:
    make_post()
    assert titles("/nowhere/") == titles("/admin/x/") == []
    BlogIndexPage.objects.update(live=False)
    assert titles("/blog/x/") == []


def test_what_is_not_public_is_not_suggested() -> None:
    make_post("Draft", live=False)
    hide(make_post("Hidden"))
    assert titles("/blog/draft/") == titles("/blog/hidden/") == []


def test_a_reader_of_a_post_that_was_taken_down_finds_others(
    client: Browser, manager: User, browse: Callable[..., Browser]
) -> None:
    post = make_post("Dahlias")
    make_post("Red dahlias")
    browse(manager).post(f"/admin/pages/{post.pk}/unpublish/")
    page = client.get(post.url)
    assert page.status_code == 404
    assert "Perhaps one of these" in page.text
    assert "Red dahlias" in page.text
    assert "About Dahlias" not in page.text
    # A draft is answered like what never was.
    never = client.get("/blog/dahlias-never/").text.replace("dahlias-never", "dahlias")
    assert page.text == never


def test_a_renamed_post_is_found_at_its_old_address(
    client: Browser, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    post = make_post("Dahlias")
    old = post.url
    post.slug = "red-dahlias"
    with django_capture_on_commit_callbacks(execute=True):
        post.save_revision().publish()
    answer = client.get(old + "?utm_source=x")
    assert answer.status_code == 301
    assert answer["Location"] == "/blog/red-dahlias/"
    assert client.get(answer["Location"]).status_code == 200
    post.delete()
    assert not Redirect.objects.exists()
    assert client.get(old).status_code == 404


@pytest.mark.parametrize("path", ["/blog/%00/", "/blog/%FF%FE/", "/blog/" + "x" * 3000 + "/"])
def test_a_strange_address_is_no_error(client: Browser, path: str) -> None:
    make_post()
    assert client.get(path).status_code == 404
