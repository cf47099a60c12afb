"""What the service is for, done by hand: from registration to a logged attempt, and out again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.service import Service

ADDRESS, SECRET = "nora.field@people.test", "seven green lanterns"
CLIENT = "iris.vale@clients.test"
Picture = Callable[[Page, str], None]


def test_from_registration_to_a_logged_attempt(
    honest_page: Page, service: Service, picture: Picture
) -> None:
    page = honest_page
    sign_up(page, service, picture)
    confirm_by_the_mailed_link(page, service, picture)
    sign_in(page, service, ADDRESS, SECRET)
    add_a_client(page, service, picture)
    write_a_message(page, service, picture)
    schedule_a_mailing(page, service, picture)
    watch_it_arrive(page, service, picture)
    read_the_letter_and_unsubscribe(page, service, picture)


def sign_up(page: Page, service: Service, picture: Picture) -> None:
    page.goto(service.site)
    picture(page, "01-home")
    page.get_by_role("link", name="Create an account").first.click()
    page.get_by_label("E-mail address").fill(ADDRESS)
    page.get_by_label("First name").fill("Nora")
    page.get_by_label("Last name").fill("Field")
    page.locator("input[name=password1]").fill(SECRET)
    picture(page, "02-sign-up")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    picture(page, "03-check-your-inbox")


def confirm_by_the_mailed_link(page: Page, service: Service, picture: Picture) -> None:
    letter = open_caught_letter(page, service, ADDRESS)
    picture(page, "04-confirmation-letter")
    with page.context.expect_page() as opened:
        letter.get_by_role("link", name=re.compile("Confirm")).first.click()
    confirmation = opened.value
    confirmation.get_by_role("button", name="Yes, confirm this address").click()
    confirmation.wait_for_load_state()
    picture(confirmation, "05-confirmed")
    confirmation.close()


def add_a_client(page: Page, service: Service, picture: Picture) -> None:
    page.goto(f"{service.site}/admin/")
    picture(page, "06-overview-of-a-newcomer")
    page.get_by_role("link", name="Add a client").click()
    field(page, "E-mail address").fill("iris.vale@@clients.test")
    field(page, "First name").fill("Iris")
    save(page)
    expect(page.locator(".w-field__errors").first).to_contain_text("@")
    expect(field(page, "First name")).to_have_value("Iris")
    picture(page, "07-client-with-a-wrong-address")
    field(page, "E-mail address").fill(CLIENT)
    save(page)
    expect(page.get_by_role("link", name=CLIENT)).to_be_visible()
    picture(page, "08-clients")


def write_a_message(page: Page, service: Service, picture: Picture) -> None:
    page.goto(f"{service.site}/admin/mailing/message/create/")
    field(page, "Subject").fill("The lanterns are lit")
    field(page, "Preheader").fill("From dusk, all along the canal")
    page.get_by_role("button", name="Insert a block").first.click()
    page.get_by_role("option", name="Text").click()
    editor = page.locator(".public-DraftEditor-content")
    editor.click()
    page.keyboard.type("Dear {{ first_name|friend }}, come and see them before Sunday.")
    # The editor hands over what is typed a quarter of a second later.
    expect(page.locator("[name=body-0-value]")).to_have_value(re.compile("before Sunday"))
    picture(page, "09-message")
    save(page)
    page.get_by_role("link", name="The lanterns are lit").click()
    letter = page.frame_locator("iframe").first
    expect(letter.get_by_text("come and see them before Sunday")).to_be_visible()
    picture(page, "10-letter-preview")


def schedule_a_mailing(page: Page, service: Service, picture: Picture) -> None:
    page.goto(f"{service.site}/admin/mailing/mailing/create/")
    field(page, "Name").fill("Lantern walk")
    field(page, "Message").select_option(label="The lanterns are lit")
    field(page, "Clients").fill("iris")
    page.get_by_role("option", name=re.compile("iris", re.IGNORECASE)).click()
    soon = datetime.now(UTC) + timedelta(seconds=75)
    field(page, "Start").fill(f"{soon:%Y-%m-%dT%H:%M}")
    picture(page, "11-mailing")
    save(page)
    page.get_by_role("link", name="Lantern walk").click()
    picture(page, "12-mailing-created")
    page.get_by_role("main").get_by_role("link", name="Start").click()
    picture(page, "13-start")
    page.get_by_role("main").get_by_role("button", name="Start").click()
    expect(page.locator("[data-ms-part=actions]")).to_contain_text("Scheduled")


def watch_it_arrive(page: Page, service: Service, picture: Picture) -> None:
    """Its minute comes, the cluster sends it, and the page moves without a reload."""
    expect(page.get_by_text("1 of 1 sent")).to_be_visible(timeout=150_000)
    expect(page.locator("[data-ms-part=actions]")).to_contain_text("Completed")
    picture(page, "14-mailing-sent")
    page.goto(f"{service.site}/admin/mailing/attempt/")
    row = page.get_by_role("row").filter(has_text=CLIENT)
    expect(row).to_contain_text("Accepted")
    expect(row).to_contain_text("250")
    picture(page, "15-attempts")


def read_the_letter_and_unsubscribe(page: Page, service: Service, picture: Picture) -> None:
    letter = open_caught_letter(page, service, CLIENT)
    expect(letter.get_by_text("Dear Iris, come and see them before Sunday.")).to_be_visible()
    expect(page.get_by_text("Nora Field via").first).to_be_visible()
    picture(page, "16-letter")
    with page.context.expect_page() as opened:
        letter.get_by_role("link", name=re.compile("Unsubscribe", re.IGNORECASE)).first.click()
    goodbye = opened.value
    picture(goodbye, "17-unsubscribe")
    goodbye.get_by_role("button").filter(has_text=re.compile("nsubscribe")).click()
    goodbye.wait_for_load_state()
    picture(goodbye, "18-unsubscribed")
    goodbye.close()
    page.goto(f"{service.site}/admin/mailing/client/")
    expect(page.get_by_role("row").filter(has_text=CLIENT)).to_contain_text("Gets no letters")


def open_caught_letter(page: Page, service: Service, recipient: str) -> FrameLocator:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        page.goto(f"{service.site}/mail/?to={recipient}")
        letters = page.locator("tbody th a")
        if letters.count():
            letters.first.click()
            return page.frame_locator("iframe").first
        page.wait_for_timeout(500)
    raise AssertionError(f"no letter to {recipient} arrived within a minute")


def field(page: Page, label: str) -> Locator:
    """Return the control with this label; Wagtail names panels and anchors like it."""
    return page.locator("input, textarea, select").and_(page.get_by_label(label)).first


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").first.click()
    page.wait_for_load_state()
