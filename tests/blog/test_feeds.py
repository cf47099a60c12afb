"""RSS and Atom: the newest readable posts, at public addresses."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from blog.models import BlogIndexPage
from tests.blog.posts import hide, make_post

pytestmark = pytest.mark.django_db

RSS, ATOM = "/feed/rss/", "/feed/atom/"
FEEDS = pytest.mark.parametrize(("feed", "item"), [(RSS, "item"), (ATOM, "entry")])


def entries(client: Browser, feed: str, item: str) -> list[Tag]:
    answer = client.get(feed)
    assert answer.status_code == 200
    assert ("rss" if feed == RSS else "atom") in answer["Content-Type"]
    return BeautifulSoup(answer.text, "xml").find_all(item)


def title(entry: Tag) -> str:
    found = entry.find("title")
    assert found is not None
    return found.get_text()


@FEEDS
def test_the_newest_come_first(client: Browser, feed: str, item: str) -> None:
    for number in range(1, 26):
        make_post(f"Post {number}", date=date(2026, 1, 1) + timedelta(days=number))
    titles = [title(entry) for entry in entries(client, feed, item)]
    assert titles == [f"Post {number}" for number in range(25, 5, -1)]


@FEEDS
def test_drafts_and_hidden_posts_are_left_out(client: Browser, feed: str, item: str) -> None:
    make_post("Public & <open>")
    make_post("Draft", live=False)
    hide(make_post("Hidden"))
    assert [title(entry) for entry in entries(client, feed, item)] == ["Public & <open>"]


@FEEDS
def test_addresses_are_the_public_ones_whatever_host_was_asked(
    client: Browser, settings: Any, feed: str, item: str
) -> None:
    settings.SITE_URL = "https://mail.example.org"
    post = make_post("Dahlias", first_published_at=timezone.now())
    text = client.get(feed).text
    assert f"https://mail.example.org{post.url}" in text
    assert f"https://mail.example.org{feed}" in text
    assert "testserver" not in text


@FEEDS
def test_an_entry_says_what_a_reader_wants_to_know(
    client: Browser, blogger: User, feed: str, item: str
) -> None:
    make_post("Dahlias", owner=blogger, tags=("garden",), first_published_at=timezone.now())
    (entry,) = entries(client, feed, item)
    text = str(entry)
    for words in ("About Dahlias", "Blogger", "garden", str(timezone.now().year)):
        assert words in text
    assert blogger.email not in text


@FEEDS
def test_many_posts_take_as_many_queries_as_one(
    client: Browser, blogger: User, feed: str, item: str
) -> None:
    make_post(owner=blogger, tags=("garden",))
    client.get(feed)
    with CaptureQueriesContext(connection) as few:
        client.get(feed)
    for _ in range(5):
        make_post(owner=blogger, tags=("garden",))
    with CaptureQueriesContext(connection) as many:
        assert len(entries(client, feed, item)) == 6
    assert len(many) == len(few)


@FEEDS
def test_without_posts_or_blog_a_feed_is_empty(client: Browser, feed: str, item: str) -> None:
    assert entries(client, feed, item) == []
    make_post()
    BlogIndexPage.objects.update(live=False)
    assert entries(client, feed, item) == []


def test_pages_say_where_the_feeds_are(client: Browser) -> None:
    page = client.get("/").text
    for feed in (RSS, ATOM):
        assert f'href="{feed}"' in page
