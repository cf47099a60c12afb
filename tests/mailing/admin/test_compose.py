"""What stands beside the editor: the letter while one types, and a test of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client as Browser
from pytest_django import Settings
from wagtail.models import ModelLogEntry
from wagtail.test.utils.form_data import nested_form_data, rich_text, streamfield

from accounts import roles
from accounts.models import User
from mailing import trial
from mailing.enums import MailingStatus
from mailing.models import Message
from tests.accounts.conftest import PostOffice, use_server
from tests.factories import make_client, make_mailing, make_message
from tests.mailing.admin.screens import everything, text_of, url_of
from tests.mailing.runs import open_run

pytestmark = pytest.mark.django_db

PREVIEW = "/admin/mailing/message/preview/"
TEST = "/admin/mailing/message/test/"
HELLO = ("heading", "Hello, {{ first_name|friend }}")


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


def typed(*blocks: tuple[str, Any], **fields: Any) -> dict[str, Any]:
    letter = nested_form_data({"body": streamfield(list(blocks or (HELLO,)))})
    return {"subject": "News", "preheader": "", "language": "en", **letter, **fields}


class TestPreview:
    def test_it_is_drawn_from_the_form_and_nothing_is_kept(self, alices: Browser) -> None:
        before = everything()
        answer = alices.post(PREVIEW, typed(subject="To {{ first_name }}", preheader="Now"))
        shown = answer.json()
        assert shown["subject"] == "To Philippa"
        assert shown["preheader"] == "Now"
        assert shown["sender"] == f"Alice via Mailing service <{site.SENDER_ADDRESS}>"
        assert "Hello, Philippa" in shown["html"]
        assert "Hello, Philippa" in shown["text"]
        assert "no-store" in answer["Cache-Control"]
        assert everything() == before

    def test_for_a_client_of_ones_own(self, alice: User, alices: Browser) -> None:
        client = make_client(alice, first_name="<Anna>")
        shown = alices.post(PREVIEW, typed(preview_client=client.pk)).json()
        assert "Hello, &lt;Anna&gt;" in shown["html"]
        assert "Hello, <Anna>" in shown["text"]

    @pytest.mark.parametrize("wanted", ["foreign", "999999", "x", "9" * 40])
    def test_never_for_anybody_elses(self, bob: User, alices: Browser, wanted: str) -> None:
        number = make_client(bob, first_name="Secret").pk if wanted == "foreign" else wanted
        answer = alices.post(PREVIEW, typed(preview_client=number))
        assert answer.json() == {"problems": ["This client is not there any more. Choose another."]}

    @pytest.mark.parametrize(
        ("blocks", "problem"),
        [
            ([HELLO, ("heading", "{{ frist_name }}")], "Heading: There is no field “frist_name”."),
            ([("text", rich_text("<p>{{ emial }}</p>"))], "Text: There is no field “emial”."),
            ([("button", {"text": "{{ x }}", "url": "https://x.test/"})], "Button: There is no"),
            ([("button", {"text": "Go", "url": "ftp://x.test/"})], "Button: "),
        ],
    )
    def test_what_is_wrong_is_told_with_the_block_it_is_in(
        self, alices: Browser, blocks: list[tuple[str, Any]], problem: str
    ) -> None:
        (told,) = alices.post(PREVIEW, typed(*blocks)).json()["problems"]
        assert told.startswith(problem)

    def test_so_is_what_is_wrong_in_a_line(self, alices: Browser) -> None:
        subject, preheader = alices.post(
            PREVIEW, typed(subject="{{ Имя }}", preheader="a\rb")
        ).json()["problems"]
        assert subject == "Subject: There is no field “Имя”. Did you mean {{ first_name }}?"
        assert preheader.startswith("Preheader: ")

    @pytest.mark.parametrize(
        "unfinished",
        [
            typed(subject=""),
            typed(("heading", "")),
            typed(("text", rich_text("<p></p>"))),
            typed(("button", {"text": "", "url": ""})),
            {**typed(), "body-count": "0"},
        ],
    )
    def test_what_is_only_unfinished_is_no_error(
        self, alices: Browser, unfinished: dict[str, Any]
    ) -> None:
        assert alices.post(PREVIEW, unfinished).json() == {"problems": []}

    def test_a_damaged_form_is_a_bad_request(self, alices: Browser) -> None:
        assert alices.post(PREVIEW, typed() | {"body-count": "x"}).status_code == 400

    def test_a_manager_writes_no_messages(
        self, manager: User, browse: Callable[..., Browser]
    ) -> None:
        managers = browse(manager)
        for url in (PREVIEW, TEST):
            assert managers.post(url, typed()).status_code == 302
            assert (
                managers.post(url, typed(), headers={"X-Requested-With": "XMLHttpRequest"})
            ).status_code == 403

    def test_queries_do_not_grow_with_the_blocks(
        self, alices: Browser, django_assert_max_num_queries: Any
    ) -> None:
        with django_assert_max_num_queries(12):
            alices.post(PREVIEW, typed(*[HELLO] * 40))


class TestTest:
    def test_it_is_sent_and_told(
        self, alice: User, alices: Browser, post_office: PostOffice
    ) -> None:
        before = everything()
        answer = alices.post(TEST, typed()).json()
        assert answer == {
            "sent": True,
            "text": f"A test is on its way to {alice.email}.",
            "allowance": "4 more tests may be sent this hour.",
        }
        assert post_office.sink.ledger.recipients() == [alice.email]
        entries: dict[str, Any] = {"ModelLogEntry": []}
        assert {**everything(), **entries} == {**before, **entries}

    def test_as_the_chosen_client_gets_it(
        self, alice: User, alices: Browser, post_office: PostOffice
    ) -> None:
        client = make_client(alice, first_name="Anna")
        alices.post(TEST, typed(preview_client=client.pk))
        (entry,) = post_office.sink.ledger.letters
        assert b"Hello, Anna" in entry["content"]
        assert entry["to"] == alice.email

    def test_what_the_server_says_is_told(
        self,
        make_user: Callable[..., User],
        browse: Callable[..., Browser],
        post_office: PostOffice,
    ) -> None:
        refused = make_user("550+rita", roles.USERS)
        answer = browse(refused).post(TEST, typed()).json()
        assert answer["sent"] is False
        assert answer["text"].startswith("The mail server refused the test: 550 5.1.1")

    def test_no_server_no_error_page(self, alices: Browser, settings: Settings) -> None:
        use_server(settings, 2)  # nobody listens there
        answer = alices.post(TEST, typed()).json()
        assert answer["sent"] is False
        assert answer["text"] == "The mail server cannot be reached. Nothing has been sent."

    def test_the_limit_says_when_there_is_more(
        self, alices: Browser, post_office: PostOffice
    ) -> None:
        for _test in range(trial.TESTS_IN_A_PERIOD):
            alices.post(TEST, typed())
        answer = alices.post(TEST, typed()).json()
        assert answer["text"] == "You have sent as many tests as there may be in an hour."
        assert answer["allowance"].startswith("The next test may be sent at ")
        assert len(post_office.sink.ledger.letters) == trial.TESTS_IN_A_PERIOD

    def test_what_is_no_letter_is_not_sent_and_costs_nothing(
        self, alices: Browser, post_office: PostOffice
    ) -> None:
        for form in (typed(subject="{{ x }}"), typed(subject="")):
            answer = alices.post(TEST, form).json()
            assert (answer["sent"], answer["allowance"]) == (
                False,
                "5 more tests may be sent this hour.",
            )
            assert answer["text"]
        assert post_office.sink.ledger.letters == []
        assert not ModelLogEntry.objects.exists()


class TestEditor:
    def test_fields_of_clients_stand_beside_it(self, alices: Browser) -> None:
        page = alices.get("/admin/mailing/message/create/")
        for field in ("{{ first_name }}", "{{ middle_name }}", "{{ email }}"):
            assert f'data-ms-compose-field-param="{field}"' in page.text
        assert "5 more tests may be sent this hour." in text_of(page)

    def test_so_does_what_the_message_is_used_by(self, alice: User, alices: Browser) -> None:
        message = make_message(alice)
        make_mailing(alice, message=message, name="Harvest", status=MailingStatus.PAUSED)
        for action in ("edit", "inspect"):
            words = text_of(alices.get(url_of("message", action, message.pk)))
            assert "Used by Harvest Paused" in words
        assert "1 mailing" in text_of(alices.get(url_of("message")))


def test_a_run_under_way_keeps_the_message_as_it_was(alice: User, alices: Browser) -> None:
    run = open_run(alice)
    message = run.mailing.message
    assert message is not None
    before = (run.subject, run.html, run.text)
    url = url_of("message", "edit", message.pk)
    assert "It keeps the message as it was" in text_of(alices.get(url))
    assert alices.post(url, typed(subject="Changed")).status_code == 302
    run.refresh_from_db()
    assert (run.subject, run.html, run.text) == before
    assert Message.objects.get().subject == "Changed"
