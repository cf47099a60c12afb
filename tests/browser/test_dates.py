"""The form of a mailing tells the next dates while one types."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.service import Service


@pytest.fixture
def form(honest_page: Page, service: Service) -> Page:
    sign_in(honest_page, service, "user@demo.test")
    honest_page.goto(f"{service.site}/admin/mailing/mailing/create/")
    return honest_page


def test_dates_follow_what_is_typed(form: Page, picture: Callable[[Page, str], None]) -> None:
    dates = form.locator("[data-ms-schedule-target=dates]")
    expect(dates).to_have_attribute("aria-live", "polite")
    expect(dates).to_contain_text("Once, on")
    form.get_by_label("Interval").select_option("every 2 weeks")
    form.get_by_label("Start").fill("2027-10-18T09:00")
    form.get_by_label("Mon", exact=True).check()
    form.get_by_label("Thu", exact=True).check()
    form.get_by_label("Number of dates").fill("4")
    expect(dates).to_contain_text(
        "Every 2 weeks on Mondays and Thursdays at 09:00 (Europe/London), "
        "from 18 October 2027, 4 times."
    )
    expect(dates.locator("li")).to_have_text(
        [
            "Mon 18 October 202709:00 UTC+1",
            "Thu 21 October 202709:00 UTC+1",
            "Mon 1 November 202709:00 UTC",
            "Thu 4 November 202709:00 UTC",
        ]
    )
    form.get_by_label("Letters leave from").fill("09:00")
    expect(dates).to_contain_text("Letters leave until: Give both times, or none.")
    form.get_by_label("Letters leave until").fill("18:00")
    expect(dates).to_contain_text("Letters leave between 09:00 and 18:00.")
    picture(form, "dates")


def test_what_does_not_belong_to_the_schedule_asks_the_server_nothing(form: Page) -> None:
    expect(form.locator("[data-ms-schedule-target=dates]")).to_contain_text("Once, on")
    asked: list[str] = []
    form.on("request", lambda request: asked.append(request.url))
    form.get_by_role("textbox", name="Name").fill("Spring news")
    form.wait_for_timeout(1000)
    assert [url for url in asked if "/dates/" in url] == []
