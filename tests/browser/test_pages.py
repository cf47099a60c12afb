"""Every kind of page as people see it: accessible, within its width, without script errors."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import context_options, sign_in
from tests.browser.service import Service

PUBLIC = ("/", "/blog/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/")
SCREENS = (
    "/accounts/profile/",
    "/admin/",
    "/admin/mailing/mailing/",
    "/admin/mailing/mailing/create/",
    "/admin/mailing/message/",
    "/admin/mailing/client/",
    "/admin/mailing/client/create/",
    "/admin/mailing/clientlist/",
    "/admin/mailing/attempt/",
)


def faults_of(page: Page) -> list[str]:
    results = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert results.response["passes"], "the rules were not run"
    return [
        f"{violation['id']}: {node['target']}"
        for violation in results.response["violations"]
        for node in violation["nodes"]
    ]


def overflow_of(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return width


def look_at(page: Page, service: Service, paths: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(f"{page.url} {error}"))
    for path in paths:
        page.goto(service.site + path)
        page.wait_for_load_state("networkidle")
        found += [f"{path} {fault}" for fault in faults_of(page)]
        if (wider := overflow_of(page)) > 0:
            found.append(f"{path} is {wider} px too wide")
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "language"), [(1280, "en"), (390, "ru")])
def test_pages_are_accessible_and_fit(
    browser: Browser, service: Service, theme: str, width: int, language: str
) -> None:
    options: dict[str, Any] = context_options(width=width, theme=theme, language=language)
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(20_000)
    found = look_at(page, service, PUBLIC)
    sign_in(page, service, "user@demo.test")
    found += look_at(page, service, SCREENS)
    context.close()
    assert found == []
