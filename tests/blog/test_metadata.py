"""What search engines and messengers are told about a post."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import User
from blog.models import BlogPage
from tests.blog.posts import BLOG, make_picture, make_post

pytestmark = pytest.mark.django_db


def soup(client: Browser, url: str) -> BeautifulSoup:
    return BeautifulSoup(client.get(url).text, "lxml")


def structured(page: BeautifulSoup) -> dict[str, Any]:
    (block,) = page.find_all("script", type="application/ld+json")
    return dict(json.loads(block.get_text()))


def properties(page: BeautifulSoup) -> dict[str, str]:
    tags = page.find_all("meta", property=True)
    return {str(tag["property"]): str(tag["content"]) for tag in tags}


@pytest.fixture
def post(blogger: User, settings: Any) -> BlogPage:
    settings.SITE_URL = "https://mail.example.org"
    return make_post(
        "Dahlias",
        owner=blogger,
        image=make_picture(blogger),
        tags=("garden",),
        language="ru",
        last_published_at=timezone.now(),
    )


def test_a_post_is_described_to_search_engines(client: Browser, post: BlogPage) -> None:
    data = structured(soup(client, post.url))
    assert data["@type"] == "BlogPosting"
    assert data["headline"] == "Dahlias"
    assert data["author"] == {"@type": "Person", "name": "Blogger"}
    assert data["inLanguage"] == "ru"
    assert data["keywords"] == ["garden"]
    assert data["url"] == f"https://mail.example.org{post.url}"
    assert data["image"][0].startswith("https://mail.example.org/media/")
    assert data["datePublished"] == post.date.isoformat()
    assert data["dateModified"]


def test_no_title_can_leave_its_place(client: Browser) -> None:
    hostile = "</script><script>x()</script> & <!--"
    post = make_post(hostile, slug="hostile")
    page = client.get(post.url)
    assert "<script>x()" not in page.text
    assert structured(BeautifulSoup(page.text, "lxml"))["headline"] == hostile


def test_a_post_is_shown_in_messengers(client: Browser, post: BlogPage) -> None:
    found = properties(soup(client, post.url))
    assert found["og:type"] == "article"
    assert found["og:title"] == "Dahlias"
    assert found["og:description"] == "About Dahlias"
    assert found["og:url"] == f"https://mail.example.org{post.url}"
    assert found["og:image"].startswith("https://mail.example.org/media/")
    assert found["og:image"].endswith((".jpg", ".jpeg"))
    assert found["og:locale"] == "ru"
    assert found["article:tag"] == "garden"


@pytest.mark.parametrize("url", ["/", BLOG])
def test_other_pages_too(client: Browser, url: str) -> None:
    found = properties(soup(client, url))
    assert found["og:type"] == "website"
    assert found["og:title"]
    assert found["og:url"].endswith(url)


def test_without_author_and_picture_the_service_stands_for_both(client: Browser) -> None:
    page = soup(client, make_post().url)
    data = structured(page)
    assert data["author"]["@type"] == "Organization"
    assert "image" not in data
    assert "og:image" not in properties(page)


def test_a_post_says_in_which_language_it_is(client: Browser) -> None:
    russian = make_post("Георгины", slug="dahlias", language="ru")
    english = make_post("Roses", language="en")
    page = soup(client, russian.url)
    for name in ("h1", ".prose", ".lead"):
        (part,) = page.select(f"article {name}")
        assert part["lang"] == "ru"
    assert page.html is not None
    assert page.html["lang"] == "en"
    assert "Russian" in page.select("article .meta")[0].get_text()
    assert "English" not in soup(client, english.url).select("article .meta")[0].get_text()
    cards = {a.get_text(): a["lang"] for a in soup(client, BLOG).select(".post-card h2 a")}
    assert cards == {"Георгины": "ru", "Roses": "en"}
