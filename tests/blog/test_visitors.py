from __future__ import annotations

import pytest
from django.test import RequestFactory

from blog.visitors import is_person
from tests.blog.posts import BROWSER

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize("agent", [BROWSER["User-Agent"], CHROME, IPHONE])
def test_a_browser_is_a_person(agent: str) -> None:
    assert is_person(RequestFactory().get("/", headers={"User-Agent": agent}))


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; YandexBot/3.0)",
        "Baiduspider",
        "Mozilla/5.0 (compatible; Yahoo! Slurp)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "curl/8.5.0",
        "Wget/1.21",
        "python-requests/2.32",
        "Go-http-client/2.0",
        "UptimeMonitor",
    ],
)
def test_what_says_that_it_is_a_program_is_none(agent: str) -> None:
    assert not is_person(RequestFactory().get("/", headers={"User-Agent": agent}))


def test_without_a_name_it_is_none() -> None:
    assert not is_person(RequestFactory().get("/"))


@pytest.mark.parametrize("method", ["head", "post", "options"])
def test_only_a_get_is_a_view(method: str) -> None:
    request = getattr(RequestFactory(), method)("/", headers=BROWSER)
    assert not is_person(request)


@pytest.mark.parametrize(
    ("purpose", "counts"), [("prefetch", False), ("prefetch;prerender", False), ("", True)]
)
def test_a_page_fetched_ahead_is_not_read_yet(purpose: str, counts: bool) -> None:
    headers = {**BROWSER, "Sec-Purpose": purpose}
    assert is_person(RequestFactory().get("/", headers=headers)) is counts
