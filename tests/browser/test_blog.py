"""The blog in a browser: a visitor who reads, and a post from its blogger to the public."""

from __future__ import annotations

import email
import email.policy
import re
import time
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import ARTEFACTS, context_options, sign_in
from tests.browser.service import Service
from tests.browser.test_pages import faults_of, overflow_of

TITLE, COMMENT = "Ten ways to store a bulb", "Please name the cellar, and mind the frost."
POST = "/blog/what-0900-means-twice-a-year/"
GONE = "/blog/what-0900-meant-once/"
NARROW = 320  # also what 1280 px are at a zoom of 400 %
_MAIL_SECONDS = 60


def main(page: Page) -> Locator:
    return page.get_by_role("main")


def test_a_visitor_comes_by_the_front_page_reads_and_searches(
    honest_page: Page, service: Service
) -> None:
    page = honest_page
    page.goto(service.site)
    expect(main(page).locator(".figures dd")).to_have_count(3)
    expect(main(page).locator(".post-card")).to_have_count(3)
    for shot in main(page).locator(".shot img").all():
        shot.scroll_into_view_if_needed()
        expect(shot).to_have_js_property("complete", True)
        assert shot.evaluate("picture => picture.naturalWidth") > 0
    main(page).get_by_role("link", name="All posts").click()
    expect(main(page).locator(".post-card.first")).to_be_visible()
    main(page).locator(".post-card a").first.click()
    expect(page.locator("article h1")).to_be_visible()
    assert page.locator("script[type='application/ld+json']").count() == 1
    views = read_by(page)
    page.reload()
    assert read_by(page) == views + 1
    page.get_by_role("link", name="Blog").first.click()
    search = page.get_by_role("searchbox", name="Search posts")
    search.fill("nine")
    search.press("Enter")
    expect(main(page)).to_contain_text("about “nine”")
    expect(main(page).locator(".post-card").first).to_be_visible()
    for kind in ("rss", "atom"):
        address = page.locator(f"link[type='application/{kind}+xml']").get_attribute("href")
        feed = page.request.get(f"{service.site}{address}")
        assert feed.ok
        assert service.site + POST in feed.text()


def read_by(page: Page) -> int:
    """Return how many views the page of a post says it had."""
    found = re.search(
        r"([\d,]+) views?", page.locator("article.wrap-text > header .meta").inner_text()
    )
    return int(found[1].replace(",", "")) if found else 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "language"), [(1280, "en"), (390, "ru"), (NARROW, "ru")])
def test_its_pages_are_accessible_and_fit(
    browser: Browser, service: Service, theme: str, width: int, language: str
) -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    options = context_options(width=width, theme=theme, language=language)
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(20_000)
    faults = []
    addresses = {"front": "/", "index": "/blog/", "post": POST, "gone": GONE, "404": "/nowhere/"}
    addresses |= {"log-in": "/accounts/login/", "sign-up": "/accounts/signup/"}
    for name, path in addresses.items():
        page.goto(service.site + path)
        page.wait_for_load_state("networkidle")
        page.screenshot(
            path=ARTEFACTS / f"blog-{name}-{width}-{theme}-{language}.png", full_page=True
        )
        faults += [f"{name}: {fault}" for fault in faults_of(page)]
        if (wider := overflow_of(page)) > 0:
            faults.append(f"{name} is {wider} px too wide")
    page.context.close()
    assert faults == []


def test_a_post_goes_from_a_blogger_by_a_manager_to_the_public(
    honest_page: Page, browser: Browser, service: Service
) -> None:
    blogger = honest_page
    sign_in(blogger, service, "blogger@demo.test")
    write(blogger, service)
    submit(blogger)
    link = blogger.locator(".messages").get_by_role("link", name="Edit")
    editor = f"{service.site}{link.get_attribute('href')}"
    told = letter(service, "manager@demo.test", TITLE)
    assert "waits for your review" in told["Subject"]

    manager = browser.new_context(**context_options(width=1280, theme="light", language="en"))
    desk = manager.new_page()
    desk.set_default_timeout(15_000)
    sign_in(desk, service, "manager@demo.test")
    expect(main(desk)).to_contain_text(TITLE)
    desk.goto(editor)
    act(desk, "Request changes", COMMENT)
    told = letter(service, "blogger@demo.test", TITLE)
    assert "came back" in told["Subject"]
    assert COMMENT in words(told)

    blogger.goto(editor)
    expect(main(blogger)).to_contain_text("A manager asks for changes")
    expect(main(blogger)).to_contain_text(COMMENT)
    blogger.screenshot(path=ARTEFACTS / "blog-sent-back.png")
    submit(blogger, again=True)

    desk.goto(editor)
    act(desk, "Approve and Publish")
    told = letter(service, "blogger@demo.test", "published")
    address = re.search(r"http://\S+/blog/\S+", words(told))
    assert address is not None
    desk.goto(address[0])
    expect(desk.locator("article h1")).to_have_text(TITLE)

    blogger.goto(editor.replace("/edit/", "/unpublish/"))
    main(blogger).get_by_role("button", name="Yes, unpublish").click()
    blogger.wait_for_load_state()
    desk.goto(address[0])
    expect(desk.get_by_role("heading", name="Perhaps one of these")).to_be_visible()
    manager.close()


def test_the_titles_of_posts_can_be_read_on_a_telephone(browser: Browser, service: Service) -> None:
    options = context_options(width=390, theme="light", language="ru")
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(20_000)
    sign_in(page, service, "blogger@demo.test")
    page.goto(f"{service.site}/admin/pages/")
    titles = page.locator("td.title")
    expect(titles.first).to_be_visible()
    boxes = [box for title in titles.all() if (box := title.bounding_box())]
    assert len(boxes) >= 10
    assert min(box["width"] for box in boxes) > 390 / 2
    heading = page.locator(".listing thead").bounding_box()
    assert heading is not None
    assert heading["y"] + heading["height"] <= boxes[0]["y"]
    assert overflow_of(page) <= 0
    page.context.close()


def write(page: Page, service: Service) -> None:
    page.goto(f"{service.site}/admin/pages/create/blog/blogpage")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=ARTEFACTS / "blog-editor.png", full_page=True)
    page.locator("[name=title]").fill(TITLE)
    page.locator("[name=intro]").fill("Where they sleep.")
    page.get_by_role("button", name="Insert a block").first.click()
    page.get_by_role("option", name="Heading").click()
    page.locator("[name^=body-][name$=-value]").first.fill("In sand")


def submit(page: Page, *, again: bool = False) -> None:
    more_actions(page)
    name = re.compile("^Submit again" if again else "^Submit for review")
    page.get_by_role("button", name=name).click()
    expect(page.locator(".messages")).to_contain_text("submitted")


def act(page: Page, name: str, comment: str = "") -> None:
    more_actions(page)
    page.get_by_role("button", name=name, exact=True).click()
    if comment:
        page.locator(".modal-body [name=comment]").fill(comment)
        page.locator(".modal-body [type=submit]").click()
    expect(page.locator(".messages")).to_contain_text(TITLE)


def more_actions(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.locator(".footer").get_by_role("button", name="More actions").click()


def letter(service: Service, recipient: str, subject: str) -> EmailMessage:
    """Return the newest letter to somebody with that in its subject, once it has arrived."""
    until = time.monotonic() + _MAIL_SECONDS
    while time.monotonic() < until:
        paths = sorted((service.folder / "mail").glob("*.eml"), key=lambda p: p.stat().st_mtime)
        for path in reversed(paths):
            envelope, _newline, content = path.read_bytes().partition(b"\n")
            found = email.message_from_bytes(content, policy=email.policy.default)
            if recipient.encode() in envelope and subject in str(found["Subject"]):
                return found
        time.sleep(0.5)
    raise AssertionError(f"no letter to {recipient} about {subject}")


def words(found: EmailMessage) -> str:
    part = found.get_body(("plain",))
    assert part is not None
    return str(part.get_content())
