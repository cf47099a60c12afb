"""The page of statistics in a real browser: charts, their tables, the switch of the period."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import context_options, sign_in
from tests.browser.service import Service
from tests.browser.test_pages import faults_of, overflow_of

DRAWN = "canvas => window.Chart.getChart(canvas).data.datasets.map((set) => set.data)"
STATISTICS = "/admin/mailing/statistics/"


@pytest.fixture
def statistics(honest_page: Page, service: Service) -> Page:
    sign_in(honest_page, service, "user@demo.test")
    honest_page.goto(f"{service.site}{STATISTICS}")
    return honest_page


def drawn(page: Page, name: str) -> list[list[int]]:
    canvas = page.locator(f"canvas[data-ms-statistics-target={name}]")
    expect(canvas).to_be_visible()
    found: list[list[int]] = canvas.evaluate(DRAWN)
    return found


def test_charts_say_what_their_tables_say(statistics: Page) -> None:
    for name, heading in (("deliveries", "deliveries"), ("clients", "growth")):
        columns = drawn(statistics, name)
        section = statistics.locator(f"section[aria-labelledby={heading}]")
        section.locator("summary").click()
        rows = [
            [int(cell.replace(",", "")) for cell in row.locator("td").all_inner_texts()]
            for row in section.locator("tbody tr").all()
        ]
        assert [list(column) for column in zip(*rows, strict=True)] == columns
        assert any(any(column) for column in columns)


def test_the_period_is_switched_and_own_dates_are_checked(statistics: Page) -> None:
    expect(statistics.get_by_label("From")).to_be_hidden()
    statistics.get_by_label("Period").select_option("Last 7 days")
    statistics.get_by_role("button", name="Show").click()
    assert len(drawn(statistics, "clients")[0]) == 7
    statistics.get_by_label("Period").select_option("Own dates")
    statistics.get_by_label("From").fill("2026-10-02")
    statistics.get_by_label("To", exact=True).fill("2026-10-01")
    statistics.get_by_role("button", name="Show").click()
    expect(statistics.get_by_text("This is before the first day.")).to_be_visible()


def test_a_number_opens_its_rows(statistics: Page) -> None:
    tile = statistics.locator("[data-figure=permanent]")
    number = tile.inner_text()
    tile.click()
    expect(statistics.locator(".ms-foot").first).to_contain_text(f"{number} row")


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_use_it(
    browser: Browser,
    service: Service,
    picture: Callable[[Page, str], None],
    width: int,
    theme: str,
    language: str,
) -> None:
    context: Any = browser.new_context(
        **context_options(width=width, theme=theme, language=language)
    )
    page = context.new_page()
    sign_in(page, service, "user@demo.test")
    for name, url in (("statistics", STATISTICS), ("attempts", "/admin/mailing/attempt/")):
        page.goto(f"{service.site}{url}")
        page.wait_for_timeout(500)
        picture(page, f"{name}-{width}-{theme}-{language}")
        assert faults_of(page) == []
        assert overflow_of(page) <= 0
    context.close()
