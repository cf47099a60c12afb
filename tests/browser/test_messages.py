"""Writing a message: the letter beside the editor, and a test of it in the own mailbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import context_options, sign_in
from tests.browser.service import Service
from tests.browser.test_pages import faults_of, overflow_of

Picture = Callable[[Page, str], None]
WITHIN = 2_000


@pytest.fixture
def editor(honest_page: Page, service: Service) -> Page:
    """The editor of a new message with a heading and a text."""
    sign_in(honest_page, service, "user@demo.test")
    honest_page.set_viewport_size({"width": 1280, "height": 1400})
    honest_page.goto(f"{service.site}/admin/mailing/message/create/")
    honest_page.locator("input[name=subject]").fill("Open gate")
    add(honest_page, "Heading")
    honest_page.locator("input[name$='-value']").fill("Come on Saturday")
    add(honest_page, "Text")
    honest_page.locator("[contenteditable=true]").click()
    honest_page.keyboard.type("Bring a spade.")
    return honest_page


def add(page: Page, block: str) -> None:
    page.locator("[data-contentpath=body] button[title='Insert a block']").last.click()
    page.get_by_role("option", name=block, exact=True).click()


def letter_in(page: Page) -> Locator:
    return page.frame_locator("[data-ms-compose-target=frame]").locator("body")


def panel(page: Page) -> Locator:
    return page.locator("[data-ms-compose-target=panel]")


def test_the_letter_follows_what_is_typed(editor: Page, picture: Picture) -> None:
    letter = letter_in(editor)
    expect(letter).to_contain_text("Bring a spade.", timeout=WITHIN)
    editor.keyboard.type(" And, ")
    editor.get_by_role("button", name="First name").click()
    expect(letter).to_contain_text("Bring a spade. And, Philippa", timeout=WITHIN)
    expect(panel(editor)).to_contain_text("Tamsin Orrell via Mailing service <letters@")
    picture(editor, "message-desktop")

    editor.get_by_role("button", name="Phone").click()
    assert editor.locator("[data-ms-compose-target=frame]").bounding_box()["width"] <= 375  # type: ignore[index]
    editor.get_by_role("button", name="Plain text").click()
    expect(editor.locator("[data-ms-compose-target=text]")).to_contain_text("And, Philippa")
    expect(editor.locator("[data-ms-compose-target=frame]")).to_be_hidden()
    picture(editor, "message-text")


def test_what_is_wrong_is_told_and_the_last_good_letter_stays(editor: Page) -> None:
    expect(letter_in(editor)).to_contain_text("Bring a spade.", timeout=WITHIN)
    editor.locator("input[name=subject]").fill("For {{ frist_name }}")
    problem = editor.locator("[data-ms-compose-target=problem]")
    expect(problem).to_contain_text("Did you mean {{ first_name }}?", timeout=WITHIN)
    expect(letter_in(editor)).to_contain_text("Bring a spade.")
    editor.locator("input[name=subject]").fill("For {{ first_name }}")
    expect(problem).to_be_hidden(timeout=WITHIN)
    expect(panel(editor)).to_contain_text("For Philippa")


def test_it_can_be_read_as_a_client_of_ones_own(editor: Page) -> None:
    editor.locator("input[name=subject]").fill("For {{ email }}")
    search = editor.get_by_label("As it reaches")
    search.fill("an")
    option = panel(editor).get_by_role("option").first
    label = option.inner_text()
    address = re.search(r"\S+@[\w.-]+", label)
    assert address is not None
    search.press("Enter")
    expect(panel(editor).locator("[data-ms-compose-target=subject]")).to_have_text(
        f"For {address[0].strip('()<>')}", timeout=WITHIN
    )


def test_links_in_it_do_nothing(editor: Page) -> None:
    expect(letter_in(editor)).to_contain_text("Unsubscribe", timeout=WITHIN)
    before = len(editor.context.pages)
    letter_in(editor).get_by_role("link", name="Unsubscribe").click()
    editor.wait_for_timeout(300)
    assert len(editor.context.pages) == before
    expect(letter_in(editor)).to_contain_text("Bring a spade.")


def test_a_test_letter_arrives(editor: Page, service: Service) -> None:
    editor.get_by_role("button", name="Send me a test").click()
    expect(editor.get_by_text("A test is on its way to user@demo.test.")).to_be_visible()
    expect(editor.get_by_text("4 more tests may be sent this hour.")).to_be_visible()
    found = [
        message_from_bytes(path.read_bytes().partition(b"\n")[2], policy=default)
        for path in (service.folder / "mail").glob("*.eml")
    ]
    (test,) = [message for message in found if message["X-Mailing-Test"]]
    assert test["Subject"] == "[Test] Open gate"
    assert test["To"] == "user@demo.test"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_screens_are_accessible(
    browser: Browser, service: Service, theme: str, width: int
) -> None:
    found = []
    for person, paths in (
        ("user", ("message/create/", "message/edit/4/", "message/inspect/4/", "events/")),
        ("manager", ("events/", "dateperiod/", "../users/", "../users/4/", "../users/4/active/")),
    ):
        context = browser.new_context(**context_options(width=width, theme=theme, language="en"))
        page = context.new_page()
        sign_in(page, service, f"{person}@demo.test")
        for path in paths:
            page.goto(f"{service.site}/admin/mailing/{path}")
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(800)
            found += [f"{path} {fault}" for fault in faults_of(page)]
            assert overflow_of(page) <= 0, path
        context.close()
    assert found == []
