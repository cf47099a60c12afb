"""Every screen that each role can reach by clicking: it opens, fits, breaks no rule of axe.

Starts at the home of the admin and follows links, one of each kind of address, so a new screen is
looked at without being named here. The pictures are in `artefacts/browser/`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import Browser, Page

from tests.browser.conftest import context_options, sign_in
from tests.browser.service import Service
from tests.browser.test_pages import faults_of, overflow_of

_OURS = re.compile(r"/admin/$|/admin/(mailing|accounts|users|statistics|log)|/accounts/profile/")
_NOT_FOLLOWED = re.compile(r"logout|[?&]export=|/faults/")
_MOST_SCREENS = 60


def kind_of(address: str) -> str | None:
    """Return what is the same for two addresses of one screen; None for what is not a screen."""
    if _NOT_FOLLOWED.search(address) or not _OURS.match(urlsplit(address).path):
        return None
    try:
        return str(resolve(urlsplit(address).path).view_name)
    except Resolver404:
        return None


def links_of(page: Page) -> list[str]:
    links: list[str] = page.eval_on_selector_all("a[href]", "links => links.map(a => a.href)")
    return links


def walk(page: Page, service: Service, take: Callable[[Page, str], None], name: str) -> list[str]:
    """Open one screen of each kind; return what is wrong with them."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(f"{page.url} {error}"))
    seen: set[str] = set()
    waiting = deque([f"{service.site}/admin/"])
    while waiting and len(seen) < _MOST_SCREENS:
        address = waiting.popleft()
        kind = kind_of(address)
        if kind is None or kind in seen:
            continue
        seen.add(kind)
        answer = page.goto(address)
        page.wait_for_load_state("networkidle")
        if answer is None or not answer.ok:
            found.append(f"{address} answers {answer and answer.status}")
            continue
        found += [f"{address} {fault}" for fault in faults_of(page)]
        if (wider := overflow_of(page)) > 0:
            found.append(f"{address} is {wider} px too wide")
        take(page, f"{name}-{kind.replace(':', '_')}")
        waiting += [link for link in links_of(page) if link.startswith(service.site)]
    return found


_WIDE, _NARROW = (1280, "light", "en"), (390, "dark", "ru")


@pytest.mark.parametrize(
    ("role", "width", "theme", "language"),
    [
        ("user", *_WIDE),
        ("user", *_NARROW),
        ("manager", *_WIDE),
        ("manager", *_NARROW),
        ("blogger", *_NARROW),
        ("admin", *_WIDE),
    ],
)
def test_each_role_finds_every_screen_in_order(
    browser: Browser,
    service: Service,
    picture: Callable[[Page, str], None],
    role: str,
    width: int,
    theme: str,
    language: str,
) -> None:
    context = browser.new_context(**context_options(width=width, theme=theme, language=language))
    page = context.new_page()
    page.set_default_timeout(20_000)
    sign_in(page, service, f"{role}@demo.test")
    found = walk(page, service, picture, f"{role}-{width}-{theme}-{language}")
    context.close()
    assert not found, "\n".join(found)
