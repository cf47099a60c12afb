"""A person brings clients in from a file, changes a column, and watches it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.service import Service


def file_of(folder: Path, clients: int) -> Path:
    """Return a file as an old Russian Excel writes it, with one line that is faulty."""
    lines = ["Почта;ФИО;Размер"]
    lines += [f"imported{n}@example.com;Ёлкина Анна;{n}" for n in range(clients)]
    lines.insert(3, "nobody;Без адреса;1")
    target = folder / "clients.csv"
    target.write_bytes("\r\n".join(lines).encode("cp1251"))
    return target


def assert_accessible(page: Page) -> None:
    page.wait_for_load_state()  # a click does not wait for the page that it asks for
    violations = Axe().run(page).response["violations"]
    assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == []


def test_from_the_file_to_the_clients(
    honest_page: Page, service: Service, tmp_path: Path, picture: Callable[[Page, str], None]
) -> None:
    page = honest_page
    sign_in(page, service, "user@demo.test")
    page.goto(f"{service.site}/admin/mailing/client/")
    page.get_by_role("link", name="Import", exact=True).click()
    assert_accessible(page)
    page.locator("input[type=file]").set_input_files(file_of(tmp_path, 250))
    page.get_by_role("combobox", name="Tags").fill("fair")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Of 251 rows, 250 can be imported.")).to_be_visible()
    assert_accessible(page)
    picture(page, "import-check")
    page.get_by_label("Размер").select_option("Comment")
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_label("Размер")).to_have_value("comment")
    page.get_by_role("button", name="Import 250 clients").click()
    expect(page.get_by_text("Completed", exact=True)).to_be_visible()
    expect(page.get_by_text("This is not an e-mail address.")).to_be_visible()
    assert_accessible(page)
    picture(page, "import-report")
    page.get_by_role("link", name="Show the clients").click()
    expect(page.locator(".ms-foot")).to_have_text("250 rows")
    expect(page.get_by_text("imported0@example.com")).to_be_visible()
