"""The form of a post: who writes takes pictures only from where they may choose."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from wagtail.test.utils.form_data import nested_form_data, rich_text, streamfield

from accounts.models import User
from blog.models import BlogIndexPage, BlogPage
from tests.blog.posts import BLOG, make_picture

pytestmark = pytest.mark.django_db


def typed(*blocks: tuple[str, Any], **fields: Any) -> dict[str, Any]:
    parts = blocks or (("text", rich_text("<p>Words</p>", features=["bold"])),)
    filled: dict[str, Any] = nested_form_data(
        {
            "title": "Dahlias",
            "slug": "dahlias",
            "intro": "All about them",
            "image": "",
            "language": "en",
            "date": "2026-11-23",
            "tags": "garden, red",
            "body": streamfield(list(parts)),
            "comments": {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0, "MAX_NUM_FORMS": 0},
            **fields,
        }
    )
    return filled


def picture_block(picture: Any) -> tuple[str, Any]:
    image = {"image": picture.pk, "alt_text": "Sea", "decorative": ""}
    return ("picture", {"picture": image, "caption": ""})


@pytest.fixture
def new() -> str:
    return f"/admin/pages/add/blog/blogpage/{BlogIndexPage.objects.get().pk}/"


@pytest.fixture
def bloggers(blogger: User, browse: Callable[..., Browser]) -> Browser:
    return browse(blogger)


def test_a_blogger_writes_a_draft(
    blogger: User, bloggers: Browser, new: str, client: Browser
) -> None:
    picture = make_picture(blogger)
    page = bloggers.post(new, typed(picture_block(picture), image=picture.pk))
    assert page.status_code == 302
    post = BlogPage.objects.get()
    draft = post.get_latest_revision_as_object()
    assert (post.live, post.owner, draft.image) == (False, blogger, picture)
    assert sorted(tag.name for tag in draft.tags.all()) == ["garden", "red"]
    assert client.get(BLOG + "dahlias/").status_code == 404


def test_a_blogger_cannot_publish(bloggers: Browser, new: str, client: Browser) -> None:
    bloggers.post(new, typed(**{"action-publish": "on"}))
    assert not BlogPage.objects.filter(live=True).exists()
    assert client.get(BLOG + "dahlias/").status_code == 404


def test_a_manager_approves_what_a_blogger_submits(
    bloggers: Browser,
    manager: User,
    browse: Callable[..., Browser],
    new: str,
    client: Browser,
) -> None:
    bloggers.post(new, typed(**{"action-submit": "on"}))
    post = BlogPage.objects.get()
    state = post.current_workflow_task_state
    assert state is not None
    assert not post.live
    approve = f"/admin/pages/workflow/action/{post.pk}/approve/{state.pk}/"
    bloggers.post(approve)
    assert not BlogPage.objects.get().live, "nobody approves the own post"
    assert browse(manager).post(approve).status_code == 302
    assert client.get(BLOG + "dahlias/").status_code == 200


def test_anothers_picture_is_an_error_at_the_field(
    alice: User, bloggers: Browser, new: str
) -> None:
    letters = make_picture(alice, "Letters", "Secret")
    page = bloggers.post(new, typed(image=letters.pk))
    assert page.status_code == 200
    assert "image" in page.context["form"].errors
    assert "Secret" not in page.text
    assert not BlogPage.objects.exists()


def test_anothers_picture_in_the_body_is_refused(alice: User, bloggers: Browser, new: str) -> None:
    letters = make_picture(alice, "Letters", "Secret")
    page = bloggers.post(new, typed(picture_block(letters), **{"action-submit": "on"}))
    assert page.status_code == 200
    assert "body" in page.context["form"].errors
    assert "Secret" not in page.text
    assert not BlogPage.objects.exists()


def test_a_draft_with_anothers_picture_is_kept_without_it(
    alice: User, bloggers: Browser, new: str
) -> None:
    """Wagtail saves drafts that lack what is required; they can still be looked at."""
    letters = make_picture(alice, "Letters", "Secret")
    page = bloggers.post(new, typed(picture_block(letters)), follow=True)
    assert "Secret" not in page.text
    post = BlogPage.objects.get()
    (block,) = post.get_latest_revision_as_object().body.raw_data
    assert block["value"]["picture"]["image"] is None
    preview = bloggers.get(f"/admin/pages/{post.pk}/view_draft/")
    assert preview.status_code == 200


def test_a_text_from_elsewhere_keeps_only_what_the_editor_offers(
    manager: User, browse: Callable[..., Browser], new: str, client: Browser
) -> None:
    """Someone who does not use the editor can post anything in its format."""
    content = {
        "blocks": [
            {
                "key": "a",
                "type": "unstyled",
                "text": "<script>x()</script> here",
                "depth": 0,
                "inlineStyleRanges": [],
                "entityRanges": [{"offset": 21, "length": 4, "key": 0}],
            }
        ],
        "entityMap": {
            "0": {"type": "LINK", "mutability": "MUTABLE", "data": {"url": "javascript:x()"}}
        },
    }
    text = ("text", json.dumps(content))
    page = browse(manager).post(new, typed(text, **{"action-publish": "on"}))
    assert page.status_code == 302
    shown = client.get(BLOG + "dahlias/").text
    assert "<script>x()" not in shown
    assert "&lt;script&gt;x()" in shown
    assert "javascript:" not in shown


@pytest.mark.parametrize("number", ["987654321", "9" * 30, "x"])
def test_a_picture_that_is_not_there_is_an_error(bloggers: Browser, new: str, number: str) -> None:
    page = bloggers.post(new, typed(image=number))
    assert page.status_code == 200
    assert "image" in page.context["form"].errors


@pytest.mark.parametrize("field", ["title", "intro", "date"])
def test_what_every_post_needs(bloggers: Browser, new: str, field: str) -> None:
    page = bloggers.post(new, typed(**{field: "", "action-submit": "on"}))
    assert page.status_code == 200
    assert field in page.context["form"].errors


def test_only_those_who_write_find_the_form(
    alice: User, browse: Callable[..., Browser], new: str
) -> None:
    for browser in (browse(alice), browse()):
        assert browser.post(new, typed()).status_code in {302, 403, 404}
    assert not BlogPage.objects.exists()
