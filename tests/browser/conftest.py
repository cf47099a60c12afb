"""A real browser (Chromium of the system) on a real installation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.service import PASSWORD, Service, free_port

ARTEFACTS = Path("artefacts/browser")
CHROMIUM = "/usr/bin/chromium"
expect.set_options(timeout=15_000)  # two cores, shared with a cluster and a web server


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": quiet}


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service"), free_port(), free_port())
    together = service.start()
    yield service
    together.stop()


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keep a screenshot for those who read the artefacts of a run."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> None:
        page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True, animations="disabled")

    return take


@pytest.fixture
def honest_page(page: Page) -> Iterator[Page]:
    """A page on which no script may fail and no policy may be broken."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda message: faults.append(message.text) if message.type == "error" else None,
    )
    page.set_default_timeout(30_000)  # an answer may take that beside other tests
    yield page
    assert faults == []


def sign_in(page: Page, service: Service, email: str, password: str = PASSWORD) -> None:
    page.goto(f"{service.site}/accounts/login/")
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=password]").fill(password)
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url(lambda url: "/login/" not in url)


def context_options(*, width: int, theme: str, language: str) -> dict[str, Any]:
    return {
        "viewport": {"width": width, "height": 900},
        "color_scheme": theme,
        "locale": {"en": "en-GB", "ru": "ru-RU"}[language],
    }


__all__ = ["BrowserContext", "context_options", "sign_in"]
