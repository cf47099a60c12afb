"""What a visitor downloads before a page can be read: little, and nothing from elsewhere."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from django.contrib.staticfiles import finders
from django.test import Client as Browser

from tests.blog.posts import make_post

pytestmark = pytest.mark.django_db

MOST_BYTES = 120 * 1024
PUBLIC = ("/", "/blog/", "/blog/dahlias/", "/accounts/login/", "/accounts/signup/", "/nowhere/")


def loaded(page: BeautifulSoup) -> list[str]:
    """Return the addresses of the style sheets and scripts of a page."""
    links = [str(link["href"]) for link in page.find_all("link", rel="stylesheet")]
    return links + [str(script["src"]) for script in page.find_all("script", src=True)]


@pytest.mark.parametrize("url", PUBLIC)
def test_style_sheets_and_scripts_stay_within_their_budget(client: Browser, url: str) -> None:
    make_post("Dahlias")
    files = loaded(BeautifulSoup(client.get(url).text, "lxml"))
    assert len(files) > 3
    weight = 0
    for file in files:
        assert file.startswith("/static/"), "from elsewhere"
        path = finders.find(file.removeprefix("/static/"))
        assert path is not None
        weight += len(gzip.compress(Path(path).read_bytes()))
    assert 5_000 < weight < MOST_BYTES


@pytest.mark.parametrize("url", PUBLIC)
def test_no_script_or_style_stands_in_the_page(client: Browser, url: str) -> None:
    """The policy would stop them; data for search engines and for scripts is neither."""
    make_post("Dahlias")
    page = BeautifulSoup(client.get(url).text, "lxml")
    assert page.find_all("style") == []
    assert page.find_all(style=True) == []
    inline = page.find_all("script", src=False)
    assert {script.get("type") for script in inline} <= {"application/ld+json", "application/json"}
