"""Acting on many clients, and choosing by typing, as people do it in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import context_options, sign_in
from tests.browser.service import Service
from tests.browser.test_pages import look_at

LISTS = "/admin/mailing/clientlist/"
CLIENTS = "/admin/mailing/client/"
NEW_CLIENT = "/admin/mailing/client/create/"
NEW_MAILING = "/admin/mailing/mailing/create/"


def test_all_that_match_are_tagged(
    honest_page: Page, service: Service, picture: Callable[[Page, str], None]
) -> None:
    page = honest_page
    sign_in(page, service, "user@demo.test")
    page.goto(f"{service.site}{CLIENTS}?q=an")
    rows = page.locator("input[name=chosen]")
    page.get_by_label("All on this page").check()
    expect(page.locator(".ms-bulk [role=status]")).to_have_text(f"Chosen: {rows.count()}")
    page.get_by_label("All that match:").check()
    expect(rows.first).to_be_disabled()
    picture(page, "clients-all-chosen")
    page.get_by_label("What to do").select_option("tag")
    page.get_by_role("button", name="Go on").click()
    number = page.locator(".ms-sentence").inner_text()
    expect(page.get_by_text("Tags that they have already are kept.")).to_be_visible()
    page.get_by_role("combobox", name="Tags").fill("browser")
    page.get_by_role("combobox", name="Tags").press("Enter")
    picture(page, "clients-confirm")
    page.get_by_role("button", name="Put tags on").click()
    message = page.locator(".messages")
    expect(message).to_contain_text(f"{number} were tagged.")
    assert "q=an" in page.url
    page.goto(f"{service.site}{CLIENTS}")
    page.locator("summary", has_text="Tag").click()
    page.locator(".ms-filter[open] a", has_text="browser").click()
    expect(page.locator(".ms-pill")).to_contain_text("Tag: browser")
    expect(page.locator(".ms-foot").first).to_contain_text(re.sub(r"\D", "", number)[:1])
    page.locator(".ms-pill").click()
    expect(page.locator(".ms-pill")).to_have_count(0)


def test_lists_and_tags_are_chosen_by_keyboard(
    honest_page: Page, service: Service, picture: Callable[[Page, str], None]
) -> None:
    page = honest_page
    sign_in(page, service, "user@demo.test")
    page.goto(service.site + NEW_CLIENT)
    page.locator("#id_email").fill("keyboard@clients.test")
    lists = page.get_by_role("combobox", name="Client lists")
    lists.press("ArrowDown")
    first = page.locator("#id_lists-options [role=option]").first
    expect(first).to_have_attribute("aria-selected", "true")
    name = first.inner_text()
    picture(page, "chips-by-keyboard")
    lists.press("Enter")
    chips = page.locator(".ms-choice", has=lists).locator(".ms-choice-chosen li")
    expect(chips).to_have_count(1)
    expect(chips).to_contain_text(name)
    lists.press("Backspace")
    expect(chips).to_have_count(0)
    lists.press("ArrowDown")
    expect(first).to_be_visible()
    lists.press("Enter")
    expect(chips).to_have_count(1)
    tags = page.get_by_role("combobox", name="Tags")
    tags.type("one, two")
    tags.press("Enter")
    page.locator(".footer button[type=submit]").click()
    page.wait_for_url(f"{service.site}{CLIENTS}")
    page.goto(f"{service.site}{CLIENTS}?q=keyboard")
    row = page.locator("tbody tr").first
    expect(row).to_contain_text(name)
    expect(row).to_contain_text("one, two")


def test_the_number_of_recipients_follows_the_choice(honest_page: Page, service: Service) -> None:
    page = honest_page
    sign_in(page, service, "user@demo.test")
    page.goto(service.site + NEW_MAILING)
    figures = page.locator("[data-ms-reach-target=figures]")
    expect(figures).to_contain_text("Choose lists or single clients")
    lists = page.get_by_role("combobox", name="Client lists")
    lists.press("ArrowDown")
    expect(page.locator("#id_lists-options [role=option]").first).to_be_visible()
    lists.press("Enter")
    expect(figures).to_contain_text("will get it")
    lists.press("Backspace")
    expect(figures).to_contain_text("Choose lists or single clients")


def test_without_scripts_the_same_can_be_done(browser: Browser, service: Service) -> None:
    context = browser.new_context(
        **context_options(width=1280, theme="light", language="en"), java_script_enabled=False
    )
    page = context.new_page()
    sign_in(page, service, "user@demo.test")
    page.goto(service.site + CLIENTS)
    page.locator("input[name=chosen]").first.check()
    page.get_by_label("What to do").select_option("add")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".ms-sentence")).to_have_text("1 client")
    page.locator("select[name=lists]").select_option(index=0)
    page.get_by_role("button", name="Add to the list").click()
    expect(page.locator(".messages")).to_contain_text(
        re.compile("added to the list|was so already")
    )
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "language"), [(1280, "en"), (390, "ru")])
def test_screens_of_clients_are_accessible_and_fit(
    browser: Browser, service: Service, theme: str, width: int, language: str
) -> None:
    options: dict[str, Any] = context_options(width=width, theme=theme, language=language)
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(20_000)
    sign_in(page, service, "user@demo.test")
    page.goto(service.site + CLIENTS)
    client = page.locator("td.field-email a").first.get_attribute("href") or ""
    page.goto(service.site + LISTS)
    client_list = page.locator("td.field-name a").first.get_attribute("href") or ""
    paths = (
        client,
        client_list,
        LISTS,
        NEW_CLIENT,
        NEW_MAILING,
        f"{CLIENTS}?q=an&status=active",
        f"{CLIENTS}bulk/?do=add&all=1",
        f"{CLIENTS}bulk/?do=delete&all=1&q=an",
    )
    found = look_at(page, service, paths)
    context.close()
    assert found == []
