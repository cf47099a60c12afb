"""The screens that bring clients in, for an owner, a manager and people with bad intentions."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ
from wagtail.models import ModelLogEntry

from accounts.models import User
from mailing import tasks
from mailing.enums import Existing, ImportState
from mailing.importing import jobs, limits
from mailing.importing.refusals import Refusal
from mailing.models import Client, ClientImport
from tests.factories import make_client, make_list
from tests.mailing.admin.screens import errors, everything, notices, offered, text_of, url_of
from tests.mailing.importing.files import NOW, carry_out, csv_of, make_import, xlsx_of

pytestmark = pytest.mark.django_db

UPLOAD = "/admin/mailing/clientimport/create/"
LINES = ("email;Имя;Shoe size", "anna@x.test;Анна;38", "nobody;Бен;42")


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


def upload(browser: Browser, content: bytes, name: str = "clients.csv", **typed: Any) -> Any:
    form = offered(browser.get(UPLOAD))
    return browser.post(UPLOAD, form | {"file": SimpleUploadedFile(name, content)} | typed)


def preview_url(row: ClientImport) -> str:
    return url_of("clientimport", "preview", row.pk)


def look(browser: Browser, row: ClientImport) -> dict[str, list[str]]:
    """Return what the form of the preview holds."""
    page = browser.get(preview_url(row))
    form = BeautifulSoup(page.text, "lxml").find("form", class_="ms-plain-form")
    assert form is not None
    chosen = [s.find("option", selected=True) for s in form.find_all("select")]
    held = {"columns": ["1"], "column": [str(o["value"]) if o else "" for o in chosen]}
    if form.find("input", attrs={"name": "has_headings", "checked": True}):
        held["has_headings"] = ["on"]
    return held


def queued() -> list[str]:
    return [task.func() for task in OrmQ.objects.order_by("pk")]


def test_from_the_file_to_the_report(
    alice: User, alices: Browser, django_capture_on_commit_callbacks: Any
) -> None:
    make_client(alice, "ben@x.test")
    garden = make_list(alice, name="Garden")
    assert "Import" in text_of(alices.get(url_of("client")))
    answer = upload(
        alices, csv_of(*LINES, "ben@x.test;Бен;"), lists=[garden.pk], tag_names="new, Fair"
    )
    row = ClientImport.objects.get()
    assert answer["Location"] == preview_url(row)
    assert (row.owner, row.name, row.state) == (alice, "clients.csv", ImportState.DRAFT)
    page = alices.get(preview_url(row))
    words = text_of(page)
    assert "Of 3 rows, 2 can be imported." in words
    assert "UTF-8, semicolons" in words
    assert "This is not an e-mail address." in words
    assert "Garden" in words
    assert not Client.objects.filter(email="anna@x.test").exists()
    with django_capture_on_commit_callbacks(execute=True):
        answer = alices.post(preview_url(row), {**look(alices, row), "start": "1"})
    assert answer["Location"] == url_of("clientimport", "inspect", row.pk)
    assert queued() == ["mailing.tasks.import_clients"]
    assert "Importing" in text_of(alices.get(answer["Location"]))
    tasks.import_clients()
    report = text_of(alices.get(answer["Location"]))
    assert "Completed" in report
    assert "3 E-mail address nobody This is not an e-mail address." in report
    assert garden.clients.count() == 2
    found = text_of(alices.get(f"{url_of('client')}?import={row.pk}"))
    assert "anna@x.test" in found
    assert ModelLogEntry.objects.get(action="client.import").message == "Imported 1 new client"


class TestUpload:
    @pytest.mark.parametrize(
        ("name", "content", "refusal"),
        [
            ("a.csv", b"\n\n", Refusal.EMPTY),
            ("a.csv", b"\x89PNG\x00\x00\x00", Refusal.NOT_A_TABLE),
            ("clients.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), Refusal.OLD_WORKBOOK),
            ("a.xlsx", b"PK\x03\x04" + bytes(99), Refusal.DAMAGED),
            ("a.csv", b"x" * 2_000_000, Refusal.LONG_LINE),
        ],
    )
    def test_what_is_no_table_is_an_error_at_the_field(
        self, alices: Browser, name: str, content: bytes, refusal: Refusal
    ) -> None:
        before = everything()
        page = upload(alices, content, name)
        assert errors(page) == {"file": [str(refusal.label)]}
        assert everything() == before

    def test_an_empty_file_and_none_are_errors_at_the_field(self, alices: Browser) -> None:
        assert "empty" in errors(upload(alices, b""))["file"][0]
        assert "required" in errors(alices.post(UPLOAD, offered(alices.get(UPLOAD))))["file"][0]

    def test_a_file_that_is_too_large_is_an_error_at_the_field(
        self, alices: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Larger than what stays in memory, so it comes as a file on the disk.
        monkeypatch.setattr("mailing.importing.rows.MOST_BYTES", 3_000_000)
        page = upload(alices, b"anna@x.test\n" * 300_000)
        assert errors(page) == {"file": [str(Refusal.TOO_LARGE.label)]}

    def test_a_large_file_is_taken(self, alices: Browser) -> None:
        assert upload(alices, b"email\n" + b"anna@x.test\n" * 300_000).status_code == 302
        row = ClientImport.objects.get()
        assert row.total == 300_001
        page = text_of(alices.get(preview_url(row)))
        assert "Of the first" in page

    def test_the_contents_count_not_the_name(self, alices: Browser) -> None:
        upload(alices, xlsx_of(("email",), ("anna@x.test",)), "clients.csv")
        upload(alices, csv_of("email", "anna@x.test"), "clients.xlsx")
        assert set(ClientImport.objects.values_list("format", flat=True)) == {
            "XLSX, Sheet",
            "UTF-8, commas",
        }

    def test_a_name_cannot_lead_anywhere_nor_hide_anything(self, alices: Browser) -> None:
        upload(alices, csv_of("anna@x.test"), "../../etc/pass\u202ewd<script>.csv")
        row = ClientImport.objects.get()
        assert row.name == "passwd<script>.csv"
        stored = str(row.file.name)
        assert stored.startswith("imports/")
        assert "pass" not in stored
        assert "<script>." not in alices.get(preview_url(row)).text

    @pytest.mark.parametrize("field", ["lists", "existing"])
    def test_what_is_anothers_or_nothing_is_refused(
        self, bob: User, alice: User, alices: Browser, field: str
    ) -> None:
        make_list(alice)
        foreign = make_list(bob, name="Secret")
        page = upload(alices, csv_of("anna@x.test"), **{field: [foreign.pk]})
        assert set(errors(page)) == {field}
        assert "Secret" not in page.text
        assert not ClientImport.objects.exists()

    def test_no_field_sets_what_is_not_the_visitors(self, bob: User, alices: Browser) -> None:
        upload(alices, csv_of("anna@x.test"), owner=bob.pk, state="completed", new=9, total=9)
        row = ClientImport.objects.get()
        assert (row.owner_id == bob.pk, row.state, row.new, row.total) == (False, "draft", 0, 1)

    def test_no_more_than_a_few_drafts_are_kept(self, alices: Browser) -> None:
        for _n in range(limits.MOST_DRAFTS + 2):
            upload(alices, csv_of("anna@x.test"))
        assert ClientImport.objects.count() == limits.MOST_DRAFTS


class TestPreview:
    def test_columns_can_be_changed(self, alice: User, alices: Browser) -> None:
        row = make_import(alice, LINES)
        held = look(alices, row)
        assert held == {
            "columns": ["1"],
            "column": ["email", "first_name", ""],
            "has_headings": ["on"],
        }
        chosen = {**held, "column": ["email", "last_name", "comment"], "look": "1"}
        assert alices.post(preview_url(row), chosen)["Location"] == preview_url(row)
        row.refresh_from_db()
        assert row.columns == ["email", "last_name", "comment"]
        assert row.state == ImportState.DRAFT

    def test_started_with_other_columns_it_is_shown_once_more(
        self, alice: User, alices: Browser
    ) -> None:
        row = make_import(alice, LINES)
        chosen = {"columns": "1", "column": ["email", "comment", ""], "start": "1"}
        page = alices.post(preview_url(row), chosen, follow=True)
        assert "once more" in notices(page)
        row.refresh_from_db()
        assert (row.state, row.has_headings) == (ImportState.DRAFT, False)

    def test_without_an_address_column_it_does_not_start(
        self, alice: User, alices: Browser
    ) -> None:
        row = make_import(alice, ["a,b", "c,d"])
        assert "Say which column" in text_of(alices.get(preview_url(row)))
        page = alices.post(preview_url(row), {**look(alices, row), "start": "1"})
        assert page.status_code == 200
        assert "Say which column" in notices(page)
        assert ClientImport.objects.get().state == ImportState.DRAFT

    def test_only_a_few_run_at_a_time(
        self, alice: User, alices: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jobs, "MOST_RUNNING", 1)
        running, waiting = (make_import(alice, csv_of(*LINES)) for _ in range(2))
        jobs.start(running, now=NOW)
        form = {**look(alices, waiting), "start": "1"}
        page = alices.post(preview_url(waiting), form)
        assert "Several imports of yours are running" in notices(page)
        waiting.refresh_from_db()
        assert waiting.state == ImportState.DRAFT
        jobs.cancel(running, now=NOW)
        alices.post(preview_url(waiting), form)
        waiting.refresh_from_db()
        assert waiting.state == ImportState.RUNNING

    def test_forged_columns_mean_nothing(self, alice: User, alices: Browser) -> None:
        row = make_import(alice, LINES)
        forged = ["email", "owner", "last_import", *["email"] * 300]
        alices.post(preview_url(row), {"columns": "1", "column": forged, "has_headings": "on"})
        row.refresh_from_db()
        assert row.columns == ["email", "", ""]

    def test_pressed_twice_it_is_imported_once(
        self, alice: User, alices: Browser, django_capture_on_commit_callbacks: Any
    ) -> None:
        row = make_import(alice, LINES)
        pressed = {**look(alices, row), "start": "1"}
        with django_capture_on_commit_callbacks(execute=True):
            alices.post(preview_url(row), pressed)
            page = alices.post(preview_url(row), pressed, follow=True)
        assert "decided on before" in notices(page)
        assert len(queued()) == 1
        tasks.import_clients()
        tasks.import_clients()
        assert Client.objects.count() == 1

    def test_a_file_that_is_gone_is_said_to_be(self, alice: User, alices: Browser) -> None:
        row = make_import(alice, LINES)
        row.file.storage.delete(row.file.name)
        assert "not there any more" in text_of(alices.get(preview_url(row)))

    def test_a_fault_of_the_file_that_is_found_late_is_said(
        self, alice: User, alices: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = make_import(alice, LINES)
        monkeypatch.setattr("mailing.importing.rows.MOST_ROWS", 2)
        assert "too many rows" in text_of(alices.get(preview_url(row)))

    def test_what_stands_in_the_file_is_text(self, alice: User, alices: Browser) -> None:
        row = make_import(alice, ["email,name,<b>x", "anna@x.test,<script>alert(1)</script>,"])
        page = alices.get(preview_url(row))
        assert "<script>alert" not in page.text
        assert "<b>x" not in page.text

    def test_a_draft_can_be_discarded(
        self, alice: User, alices: Browser, django_capture_on_commit_callbacks: Any
    ) -> None:
        row = make_import(alice, LINES)
        with django_capture_on_commit_callbacks(execute=True):
            page = alices.post(url_of("clientimport", "cancel", row.pk), follow=True)
        assert "Cancelled" in text_of(page)
        assert not row.file.storage.exists(row.file.name)


class TestReport:
    def test_faulty_lines_come_as_a_file_that_excel_opens_without_harm(
        self, alice: User, alices: Browser
    ) -> None:
        row = carry_out(make_import(alice, ["email,comment", "=cmd|' /C calc'!A0,Ёлка"]))
        answer = alices.get(url_of("clientimport", "faults", row.pk))
        content = answer.getvalue()
        assert content.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        formula = "'=cmd|' /C calc'!A0"
        reason = "This is not an e-mail address."
        assert rows == [
            ["Line", "Column", "Reason", "Value"],
            ["2", "E-mail address", reason, formula, formula, "Ёлка"],
        ]
        entry = ModelLogEntry.objects.get(action="mailing.export")
        assert (entry.user, entry.data["list"]) == (alice, "Import: clients.csv")

    def test_a_running_one_can_be_cancelled_and_an_ended_one_not(
        self, alice: User, alices: Browser
    ) -> None:
        row = make_import(alice, LINES)
        jobs.start(row, now=timezone.now())
        url = url_of("clientimport", "inspect", row.pk)
        assert "Cancel the import" in text_of(alices.get(url))
        cancel = url_of("clientimport", "cancel", row.pk)
        assert "is cancelled" in notices(alices.post(cancel, follow=True))
        assert "has ended before" in notices(alices.post(cancel, follow=True))
        tasks.import_clients()
        assert not Client.objects.exists()

    def test_progress_has_the_figures_of_this_moment(self, alice: User, alices: Browser) -> None:
        row = make_import(alice, LINES)
        jobs.start(row, now=timezone.now())
        ClientImport.objects.update(rows_done=2, new=1)
        part = alices.get(url_of("clientimport", "progress", row.pk)).text
        assert 'data-percent="66"' in part
        assert "<html" not in part

    def test_a_strict_one_with_faults_says_that_nothing_was_written(
        self, alice: User, alices: Browser
    ) -> None:
        row = carry_out(make_import(alice, LINES, is_strict=True, existing=Existing.LEAVE))
        words = text_of(alices.get(url_of("clientimport", "inspect", row.pk)))
        assert "nothing was written, as you chose" in words
        assert "nobody" in words
        assert "Show the clients" not in words


class TestOthers:
    def test_a_manager_sees_and_does_nothing(
        self, alice: User, manager: User, browse: Callable[..., Browser]
    ) -> None:
        browser, row = browse(manager), make_import(alice, LINES)
        before = everything()
        assert "clients.csv" in text_of(browser.get(url_of("clientimport")))
        assert "Import of Alice" in text_of(browser.get(url_of("clientimport", "inspect", row.pk)))
        for url in (preview_url(row), url_of("clientimport", "cancel", row.pk)):
            assert browser.post(url, {"start": "1"})["Location"] == "/admin/"
        assert everything() == before

    def test_the_clients_of_anothers_import_cannot_be_asked_for(
        self, alice: User, bob: User, browse: Callable[..., Browser]
    ) -> None:
        row = carry_out(make_import(alice, LINES))
        make_client(bob, "his@x.test")
        foreign = browse(bob).get(f"{url_of('client')}?import={row.pk}")
        missing = browse(bob).get(f"{url_of('client')}?import=987654321")
        for page in (foreign, missing):
            assert "Nothing matches" in text_of(page)
            assert "clients.csv" not in page.text
        assert len(foreign.text) == len(missing.text.replace("987654321", str(row.pk)))

    def test_whether_another_has_an_address_shows_nowhere(
        self, alice: User, bob: User, alices: Browser
    ) -> None:
        def shown() -> str:
            row = make_import(alice, ["email", "anna@x.test"])
            words = text_of(alices.get(preview_url(row)))
            jobs.cancel(row, now=NOW)
            return words

        before = shown()
        make_client(bob, "anna@x.test")
        assert shown() == before


def test_the_list_costs_the_same_queries_for_one_and_for_many(alice: User, alices: Browser) -> None:
    numbers = []
    for count in (1, 20):
        for _n in range(count):
            make_import(alice, LINES)
        alices.get(url_of("clientimport"))
        with CaptureQueriesContext(connection) as captured:
            alices.get(url_of("clientimport"))
        numbers.append(len(captured))
    assert numbers[0] == numbers[1]
