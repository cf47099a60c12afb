"""Takes the pictures of the product that the front page shows, from the sample data.

In each language and theme, into site_project/static/img/shots/. Run it when the screens change.

    python -m bench.screenshots
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Browser, FloatRect, Locator, Page, sync_playwright

from bench.showcase import showcase
from tests.browser.conftest import CHROMIUM, context_options, sign_in
from tests.browser.service import Service

SHOTS = Path("site_project/static/img/shots")
WINDOW, SHARPNESS = 1100, 1.5
WIDTH, HEIGHT = 760, 500  # as PRODUCT_PICTURE_SIZE of the template tags says
MARGIN = 10
DATES_ABOVE = 155
"""As much as the fields for the hours take, which stand above the dates."""
PREVIEW = (1200, 630)
"""What messengers show beside a link to the front page."""

ON_THE_WAY = 0.45
LONGEST_WAIT = 120.0


class Person(NamedTuple):
    """Whose screens are shown, and the names of the things on them."""

    email: str
    sending: str
    weekly: str
    monthly: str
    message: str


PEOPLE = {
    "en": Person(
        "user@demo.test",
        sending="Weekly garden notes",
        weekly="Weekly garden notes",
        monthly="Course calendar",
        message="Lift the last dahlias",
    ),
    "ru": Person(
        "other@demo.test",
        sending="Новые поступления",
        weekly="Книги недели",
        monthly="Афиша вечеров",
        message="Новые поступления",
    ),
}


def main() -> int:
    SHOTS.mkdir(parents=True, exist_ok=True)
    with showcase() as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for language in PEOPLE:
            take_all(browser, service, language)
        browser.close()
    total = sum(path.stat().st_size for path in SHOTS.iterdir())
    print(f"{len(list(SHOTS.iterdir()))} pictures, {total // 1024} KB")
    return 0


def take_all(browser: Browser, service: Service, language: str) -> None:
    person = PEOPLE[language]
    options = context_options(width=WINDOW, theme="light", language=language)
    page = browser.new_page(**options, device_scale_factor=SHARPNESS)
    sign_in(page, service, person.email)
    mailings, messages = (f"{service.site}/admin/mailing/{n}/" for n in ("mailing", "message"))
    follow(page, mailings, person.sending)
    wait_until_on_the_way(page)
    take(page, f"sending-{language}", lambda: page.locator(".ms-sentence"))
    preview(page, f"preview-{language}")
    follow(page, mailings, person.weekly)
    take(page, f"results-{language}", lambda: page.locator("[data-ms-part=runs]"))
    follow(page, mailings, person.monthly)
    page.goto(page.url.replace("/inspect/", "/edit/"))
    take(page, f"dates-{language}", lambda: page.locator(".ms-dates"), above=DATES_ABOVE)
    follow(page, messages, person.message)
    page.goto(page.url.replace("/edit/", "/inspect/"))
    take(page, f"message-{language}", lambda: page.locator(".ms-preview"))
    page.context.close()


def wait_until_on_the_way(page: Page) -> None:
    bar = page.get_by_role("progressbar").first
    until = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < until:
        now, most = (int(bar.get_attribute(f"aria-value{end}") or 0) for end in ("now", "max"))
        if now > ON_THE_WAY * most:
            return
        page.wait_for_timeout(500)
    raise TimeoutError("the letters do not leave")


def follow(page: Page, address: str, name: str) -> None:
    """Open the thing of that name in a list."""
    page.goto(address)
    rows = page.get_by_role("main").locator("tbody a")
    rows.filter(has_text=name).first.click()
    page.wait_for_load_state("networkidle")


def take(page: Page, name: str, part: Callable[[], Locator], *, above: int = MARGIN) -> None:
    """Take the picture that begins so many pixels above a part of the page; in each theme."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        height = page.evaluate("document.querySelector('#main').scrollHeight + 80")
        page.set_viewport_size({"width": WINDOW, "height": max(900, height)})
        page.wait_for_timeout(400)
        box = part().bounding_box()
        assert box is not None, name
        middle = box["x"] + box["width"] / 2
        clip: FloatRect = {
            "x": middle - WIDTH / 2,
            "y": box["y"] - above,
            "width": WIDTH,
            "height": HEIGHT,
        }
        shot = Image.open(BytesIO(page.screenshot(clip=clip, animations="disabled")))
        shot.convert("RGB").save(SHOTS / f"{name}-{theme}.webp", quality=80, method=6)


def preview(page: Page, name: str) -> None:
    page.emulate_media(color_scheme="light")
    width, height = PREVIEW
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(400)
    shot = Image.open(BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    shot.resize(PREVIEW, Image.Resampling.LANCZOS).save(SHOTS / f"{name}.jpg", quality=82)


if __name__ == "__main__":
    sys.exit(main())
