"""What programs that read the site are told."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client as Browser

from tests.blog.posts import hide, make_post

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def public_address(settings: Any) -> None:
    settings.SITE_URL = "https://mail.example.org"


def test_the_sitemap_lists_what_everybody_may_read(client: Browser) -> None:
    make_post("Public").save_revision().publish()
    make_post("Draft", live=False)
    hide(make_post("Hidden"))
    answer = client.get("/sitemap.xml")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/xml"
    locations = [loc.get_text() for loc in BeautifulSoup(answer.text, "xml").find_all("loc")]
    assert locations == [
        "https://mail.example.org/",
        "https://mail.example.org/blog/",
        "https://mail.example.org/blog/public/",
    ]
    assert "<lastmod>" in answer.text


def test_robots_are_told_where_it_is_and_what_is_private(client: Browser) -> None:
    answer = client.get("/robots.txt")
    assert answer["Content-Type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert "User-agent: *" in lines
    assert "Disallow: /admin/" in lines
    assert "Disallow: /" not in lines
    assert "Sitemap: https://mail.example.org/sitemap.xml" in lines
