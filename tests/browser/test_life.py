"""The life of a mailing in a browser: start, pause, resume, finish, and a manager who steps in.

The letters go to a mail server that takes its time, so that there is something to watch. Every
station is also looked at as somebody else would see it; LOOKS=all takes every theme, language and
width.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import ARTEFACTS, context_options, sign_in
from tests.browser.service import Service, free_port
from tests.browser.test_pages import faults_of, overflow_of
from tests.sink import Sink

OWNER, MANAGER = "user@demo.test", "manager@demo.test"
NAME, REASON = "Harvest supper", "Please ask these people first, then write to me."
SCHEDULED = "Letter to the volunteers"
SECONDS_A_LETTER = 0.5
AUDITED = {"3-question", "4-sending", "4-list", "6-completed", "7-managers-list", "8-deactivated"}
"""The stations with something on them that no other has."""

Look = tuple[int, str, str]
LOOKS: list[Look] = [(1280, "light", "en"), (390, "dark", "ru")]
if os.environ.get("LOOKS") == "all":
    LOOKS = list(itertools.product((1280, 390), ("light", "dark"), ("en", "ru")))


@pytest.fixture(scope="module")
def mail_server() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def slow_service(tmp_path_factory: pytest.TempPathFactory, mail_server: Sink) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("slow-service")
    service = Service(folder, free_port(), mail_server.port, catches=False)
    together = service.start()
    # The seeded owner has chosen English; without a choice the browser's language counts.
    forget = (
        "from wagtail.users.models import UserProfile as P; P.objects.update(preferred_language='')"
    )
    service.manage("shell", "-v0", "-c", forget)
    yield service
    together.stop()


class Gallery:
    """People who look at the same pages in other themes, languages and widths."""

    def __init__(self, browser: Browser, service: Service, email: str) -> None:
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.service = service
        self.pages: dict[Look, Page] = {}
        self.faults: list[str] = []
        for width, theme, language in LOOKS:
            options = context_options(width=width, theme=theme, language=language)
            page = browser.new_context(**options).new_page()
            page.set_default_timeout(20_000)
            sign_in(page, service, email)
            self.pages[width, theme, language] = page

    def show(self, url: str, name: str) -> None:
        for look, page in self.pages.items():
            page.set_viewport_size({"width": look[0], "height": 900})
            page.goto(url)
            page.wait_for_load_state()
            # Wagtail's content scrolls within the page, which a picture of the whole page ignores.
            height = page.evaluate("document.querySelector('#main').scrollHeight + 80")
            page.set_viewport_size({"width": look[0], "height": max(900, height)})
            shot = f"life-{name}-{'-'.join(map(str, look))}"
            page.screenshot(path=ARTEFACTS / f"{shot}.png", full_page=True, animations="disabled")
            if name in AUDITED:
                self.faults += [f"{shot}: {fault}" for fault in faults_of(page)]
            if (wider := overflow_of(page)) > 0:
                self.faults.append(f"{shot} is {wider} px too wide")

    def close(self) -> None:
        for page in self.pages.values():
            page.context.close()


@pytest.fixture
def owners(browser: Browser, slow_service: Service) -> Iterator[Gallery]:
    gallery = Gallery(browser, slow_service, OWNER)
    yield gallery
    gallery.close()


def test_start_pause_resume_finish(
    honest_page: Page, slow_service: Service, mail_server: Sink, owners: Gallery
) -> None:
    page = honest_page
    sign_in(page, slow_service, OWNER)
    set_up(page, slow_service)
    owners.show(page.url, "1-created")
    press(page, "Start", "The mailing is scheduled")
    owners.show(page.url, "2-scheduled")

    mail_server.mood.dot_delay = SECONDS_A_LETTER
    main(page).get_by_role("link", name="Send now").click()
    asked = re.search(r"goes to (\d+) clients", main(page).inner_text())
    assert asked is not None
    clients = int(asked[1])
    owners.show(page.url, "3-question")
    press_again(page, "Send now", f"The letters to {clients} clients are on their way.")

    page.evaluate("window.wasNotLoadedAnew = true")
    bar = page.get_by_role("progressbar", name="Letters")
    expect(bar).to_have_attribute("aria-valuemin", "0")
    expect(bar).to_have_attribute("aria-valuemax", str(clients))
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d*$"))
    before = settled(page)
    expect(main(page)).to_contain_text(re.compile(r"\d+ a minute"))
    expect(bar).not_to_have_attribute("aria-valuenow", str(before))
    assert before < settled(page) < clients
    assert page.evaluate("window.wasNotLoadedAnew"), "it moves by itself"
    assert re.match(r"\d+ % · ", page.title())
    owners.show(page.url, "4-sending")
    owners.show(f"{slow_service.site}/admin/mailing/mailing/", "4-list")
    owners.show(page.url.replace("/inspect/", "/edit/"), "4-edit")
    form = main(owners.pages[1280, "light", "en"])
    expect(form).to_contain_text("A run of this mailing is under way. It keeps the message")

    press(page, "Pause", "The mailing is paused.")
    expect(actions(page)).to_contain_text("Paused")
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    page.wait_for_timeout(2 * 1000 * SECONDS_A_LETTER)  # what is on the wire still leaves
    page.reload()
    stopped, letters = settled(page), len(mail_server.ledger.letters)
    page.wait_for_timeout(3000)
    page.reload()
    assert (settled(page), len(mail_server.ledger.letters)) == (stopped, letters)
    assert stopped < clients
    owners.show(page.url, "5-paused")

    mail_server.mood.dot_delay = 0.05
    press(page, "Resume", "The mailing goes on.")
    expect(actions(page)).to_contain_text("Completed", timeout=30_000)
    expect(page.get_by_role("heading", name="Last run")).to_be_visible()
    figures = tally(page)
    assert figures.pop("Audience") == sum(figures.values()) == clients
    assert figures["Failed"] == 1
    assert settled(page) == clients
    expect(page.get_by_role("row").filter(has_text="550 5.1.1")).to_contain_text("Failed")
    log = page.locator(".ms-time li")
    expect(log.filter(has_text="Tamsin Orrell")).to_have_count(5)
    assert [words.split(": ")[-1] for words in log.locator("p").all_inner_texts()] == [
        "Resumed",
        "Paused",
        "Sent at once",
        "Started",
        "Created",
    ]
    owners.show(page.url, "6-completed")
    assert owners.faults == []


def test_a_manager_deactivates_and_lifts(
    honest_page: Page, browser: Browser, slow_service: Service, owners: Gallery
) -> None:
    page = honest_page
    sign_in(page, slow_service, MANAGER)
    managers = Gallery(browser, slow_service, MANAGER)
    page.goto(f"{slow_service.site}/admin/mailing/mailing/")
    page.get_by_role("combobox", name="Owner").select_option(label="Tamsin Orrell")
    main(page).get_by_role("button", name="Search").click()
    page.get_by_role("navigation", name="Status").get_by_role("link", name="Scheduled").click()
    managers.show(page.url, "7-managers-list")
    expect(main(page)).not_to_contain_text("Книги недели")
    main(page).get_by_role("link", name=SCHEDULED).click()
    assert main(page).get_by_role("link", name="Pause").count() == 0
    main(page).get_by_role("link", name="Deactivate").click()
    page.locator("[name=reason]").fill(REASON)
    managers.show(page.url, "7-question")
    press_again(page, "Deactivate", "The mailing is deactivated.")
    mailing = page.url

    owner = owners.pages[1280, "light", "en"]
    owners.show(mailing, "8-deactivated")
    expect(main(owner)).to_contain_text("A manager has deactivated this mailing:")
    expect(main(owner)).to_contain_text(REASON)
    expect(actions(owner)).to_contain_text("Deactivated")
    assert main(owner).get_by_role("link", name="Resume").count() == 0

    managers.show(mailing, "8-for-the-manager")
    press(page, "Lift the deactivation", "The deactivation is lifted")
    owner.reload()
    expect(actions(owner)).to_contain_text("Paused")
    press(owner, "Resume", "The mailing goes on.")
    expect(actions(owner)).to_contain_text("Scheduled")
    entries = [" ".join(words.split()) for words in log_of(owner)]
    assert entries[:3] == [
        "Tamsin Orrell: Resumed",
        "Petra Ashdown: Deactivation lifted",
        f"Petra Ashdown: Deactivated {REASON}",
    ]
    owners.show(mailing, "9-resumed")
    managers.close()
    assert owners.faults + managers.faults == []


def set_up(page: Page, service: Service) -> None:
    """Make a mailing to a list and to one client whose mailbox does not exist."""
    page.goto(f"{service.site}/admin/mailing/client/create/")
    page.locator("[name=email]").fill("550+gone@clients.test")
    save(page)
    page.goto(f"{service.site}/admin/mailing/mailing/create/")
    page.locator("[name=name]").fill(NAME)
    page.locator("[name=message]").select_option(index=1)
    page.get_by_role("combobox", name="Client lists").fill("Garden")
    page.get_by_role("option", name="Garden notes").click()
    page.get_by_role("combobox", name="Single clients").fill("550+gone")
    page.get_by_role("option", name=re.compile("gone")).click()
    save(page)
    main(page).get_by_role("link", name=NAME).click()
    expect(actions(page)).to_contain_text("Created")


def main(page: Page) -> Locator:
    return page.get_by_role("main")


def actions(page: Page) -> Locator:
    return page.locator("[data-ms-part=actions]")


def press(page: Page, action: str, answer: str) -> None:
    """Press a button of a mailing's page, and the one on the page that asks."""
    main(page).get_by_role("link", name=action).click()
    press_again(page, action, answer)


def press_again(page: Page, action: str, answer: str) -> None:
    main(page).get_by_role("button", name=action).click()
    expect(page.locator(".messages")).to_contain_text(answer)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").first.click()
    page.wait_for_load_state()


def settled(page: Page) -> int:
    return int(page.get_by_role("progressbar").get_attribute("aria-valuenow") or 0)


def tally(page: Page) -> dict[str, int]:
    """Return the figures below the bar by their labels."""
    lines = page.locator(".ms-tally div").all()
    return {
        line.locator("dt").inner_text(): int(re.sub(r"\D", "", line.locator("dd").inner_text()))
        for line in lines
    }


def log_of(page: Page) -> list[str]:
    """Return who did what and why, the latest first."""
    return [
        " ".join(item.locator("p, blockquote").all_inner_texts())
        for item in page.locator(".ms-time li").all()
    ]
