"""The editor of messages, and the page that shows a letter."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client as Browser
from django.utils import timezone
from PIL import Image as Pillow
from pytest_django import DjangoCaptureOnCommitCallbacks
from wagtail.images import get_image_model
from wagtail.models import Collection
from wagtail.test.utils.form_data import nested_form_data, rich_text, streamfield

from accounts.models import User
from mailing import lifecycle
from mailing.models import Message
from tests.factories import body, make_mailing, make_message
from tests.mailing.admin.screens import (
    errors,
    everything,
    offered,
    refuse,
    submit,
    text_of,
    url_of,
    written,
)

pytestmark = pytest.mark.django_db

NEW = "/admin/mailing/message/create/"
HELLO = ("heading", "Hello, {{ first_name|friend }}")


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


def letter(*blocks: tuple[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = nested_form_data({"body": streamfield(list(blocks))})
    return data


def refuse_body(browser: Browser, words: str, *blocks: tuple[str, Any]) -> Any:
    """Assert that a letter comes back with an error at its body, with the subject kept."""
    before = everything()
    page = submit(browser, NEW, {"subject": "Typed <subject>", **letter(*blocks)})
    assert page.status_code == 200
    found = errors(page)
    assert set(found) == {"body"}
    assert words in " ".join(found["body"])
    assert offered(page)["subject"] == ["Typed <subject>"]
    assert everything() == before
    return page


def make_picture(owner: User) -> Any:
    stream = BytesIO()
    Pillow.new("RGB", (4, 4)).save(stream, "PNG")
    return get_image_model().objects.create(
        title=f"A picture of {owner.email}",
        file=ContentFile(stream.getvalue(), "picture.png"),
        collection=Collection.objects.get(name="Letters"),
        uploaded_by_user=owner,
    )


def test_a_message_is_saved_for_the_person_who_writes_it(
    alice: User, bob: User, alices: Browser
) -> None:
    picture = make_picture(alice)
    page = submit(
        alices,
        NEW,
        {
            "subject": "For {{ first_name|you }}",
            "preheader": "News",
            "owner": bob.pk,
            **letter(
                HELLO,
                ("text", rich_text("<p>Dear {{ full_name }}, <b>read</b> on</p>")),
                ("picture", {"image": picture.pk, "alt_text": "The sea"}),
                ("picture", {"image": picture.pk, "decorative": "on", "alt_text": ""}),
                ("button", {"text": "Go", "url": "https://x.test/?a=1&b=2"}),
                ("divider", ""),
            ),
        },
    )
    assert page.status_code == 302
    message = Message.objects.get()
    assert message.owner == alice
    assert [block.block_type for block in message.body] == [
        "heading",
        "text",
        "picture",
        "picture",
        "button",
        "divider",
    ]


class TestLines:
    @pytest.mark.parametrize(
        ("field", "line", "words"),
        [
            ("subject", "Hello\r\nBcc: bob@x.test", "line breaks"),
            ("subject", "Hello\x1b[2J", "control characters"),
            ("subject", "Hello\u2028there", "line breaks"),
            ("subject", "a\0b", "Null characters"),
            ("subject", "x" * 201, "at most 200"),
            ("subject", "Hi {{ firstname }}", "Did you mean {{ first_name }}?"),
            ("subject", "Hi {{ password }}", "These are: {{ first_name }}"),
            ("subject", "Hi {{ unsubscribe_url }}", "no field"),
            ("subject", "Hi {{ first_name", "not complete"),
            ("subject", "Hi {{ first_name|a{{ email }} }}", "not complete"),
            ("subject", "Hi {{ client.owner.password }}", "no field"),
            ("subject", "Hi {{ First Name }}", "Did you mean {{ first_name }}?"),
            ("subject", "Привет, {{ имя|друг }}", "Did you mean {{ first_name }}?"),
            ("subject", "Hi {{ 7*7 }}", "not complete"),
            ("preheader", "Hello\rBcc: bob@x.test", "line breaks"),
            ("preheader", "Hello \u202eevil", "control characters"),
            ("preheader", "x" * 201, "at most 200"),
            ("preheader", "Hi {{ emial }}", "Did you mean {{ email }}?"),
            ("preheader", "Hi email }}", "not complete"),
        ],
    )
    def test_one_that_cannot_be_sent_is_an_error(
        self, alices: Browser, field: str, line: str, words: str
    ) -> None:
        before = everything()
        typed = {"subject": "Kept", "preheader": "Kept", field: line}
        page = alices.post(NEW, {**typed, "language": "en", **letter(HELLO)})
        assert page.status_code == 200
        found = errors(page)
        assert set(found) == {field}
        assert words in found[field][0]
        assert "Kept" in page.text
        assert HELLO[1] in written(page)
        assert everything() == before


@pytest.mark.parametrize("subject", ["", "   "])
def test_no_message_without_a_subject(alices: Browser, subject: str) -> None:
    before = everything()
    page = submit(alices, NEW, {"subject": subject, "preheader": "Kept", **letter(HELLO)})
    assert errors(page) == {"subject": ["This field is required."]}
    assert offered(page)["preheader"] == ["Kept"]
    assert HELLO[1] in written(page)
    assert everything() == before


class TestBody:
    def test_it_cannot_be_empty(self, alices: Browser) -> None:
        refuse_body(alices, "This field is required")
        refuse_body(alices, "This field is required", ("text", rich_text("<p> &nbsp;</p><p></p>")))

    def test_a_picture_needs_words_or_a_decision(self, alice: User, alices: Browser) -> None:
        picture = {"image": make_picture(alice).pk, "alt_text": ""}
        refuse_body(alices, "alt text", ("picture", picture))

    @pytest.mark.parametrize("number", ["", "987654321", "9" * 30])
    def test_a_picture_has_to_exist(self, alices: Browser, number: str) -> None:
        refuse_body(
            alices, "This field is required", ("picture", {"image": number, "alt_text": "Sea"})
        )

    def test_a_picture_of_another_owner_is_refused(self, bob: User, alices: Browser) -> None:
        theirs = make_picture(bob)
        page = refuse_body(
            alices,
            "not among yours",
            HELLO,
            ("picture", {"image": theirs.pk, "alt_text": "Sea"}),
        )
        assert Message.objects.count() == 0
        assert page.status_code == 200

    @pytest.mark.parametrize("alt", ["{{ nope }}", "{{ first_name", "a\r\nb"])
    def test_words_for_a_picture_are_checked_like_any_line(
        self, alice: User, alices: Browser, alt: str
    ) -> None:
        picture = {"image": make_picture(alice).pk, "alt_text": alt}
        refuse_body(alices, "", ("picture", picture))

    @pytest.mark.parametrize(
        "url",
        [
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://x.test/",
            "https://x.test/?to={{ email }}",
            "https://x.test/%7B%7B email }}",
            "",
        ],
    )
    def test_a_button_leads_to_the_web_only(self, alices: Browser, url: str) -> None:
        refuse_body(alices, "", ("button", {"text": "Go", "url": url}))

    @pytest.mark.parametrize("text", ["", "a\r\nb", "{{ nope }}", "x" * 81])
    def test_a_button_has_a_label_that_can_be_sent(self, alices: Browser, text: str) -> None:
        refuse_body(alices, "", ("button", {"text": text, "url": "https://x.test/"}))

    @pytest.mark.parametrize(
        ("markup", "words"),
        [
            ("<p>Dear {{ firstname }}</p>", "Did you mean {{ first_name }}?"),
            ("<p>Dear {{ first_name }</p>", "not complete"),
            ("<p>Dear {{ <b>first</b>_name }}</p>", "not complete"),
            ('<p><a href="https://x.test/{{ email }}">x</a></p>', "cannot hold a merge field"),
        ],
    )
    def test_fields_in_a_text_are_checked(self, alices: Browser, markup: str, words: str) -> None:
        refuse_body(alices, words, ("text", rich_text(markup)))

    def test_a_link_that_runs_code_leads_nowhere(self, alice: User, alices: Browser) -> None:
        markup = '<p><a href="javascript:alert(1)">press</a></p>'
        submit(alices, NEW, {"subject": "S", **letter(("text", rich_text(markup)))})
        message = Message.objects.get()
        assert "javascript" not in str(message.body.raw_data)
        # And if it comes into the table on another way:
        Message.objects.update(body=body(("text", markup)))
        shown = alices.get(url_of("message", "letter", message.pk))
        assert "press" in shown.text
        assert "javascript" not in shown.text

    @pytest.mark.parametrize(
        "damage",
        [
            {"body-count": "x"},
            {"body-count": "3"},
            {"body-0-type": "text", "body-0-value": "not JSON"},
            {"body-0-type": "picture", "body-0-value-image": "abc"},
        ],
    )
    def test_what_no_editor_sends_is_a_bad_request(
        self, alices: Browser, damage: dict[str, str]
    ) -> None:
        before = everything()
        answer = alices.post(NEW, {"subject": "S", "language": "en", **letter(HELLO), **damage})
        assert answer.status_code == 400
        assert everything() == before


@pytest.mark.parametrize("language", ["", "xx", "en\0"])
def test_a_language_is_one_of_ours(alices: Browser, language: str) -> None:
    page = alices.post(NEW, {"subject": "S", "language": language, **letter(HELLO)})
    assert set(errors(page)) == {"language"}


def test_an_error_in_an_edit_leaves_the_message_as_it_was(alice: User, alices: Browser) -> None:
    message = make_message(alice, subject="Before")
    refuse(
        alices,
        url_of("message", "edit", message.pk),
        {"subject": "After {{ nope }}", "preheader": "New", **letter(HELLO)},
        "subject",
    )
    message.refresh_from_db()
    assert message.subject == "Before"


class TestPage:
    def test_it_shows_the_letter_for_an_invented_client(self, alice: User, alices: Browser) -> None:
        message = make_message(
            alice, subject="To {{ first_name }} <b>", preheader="And {{ email }}"
        )
        mailing = make_mailing(alice, message=message)
        page = alices.get(url_of("message", "inspect", message.pk))
        words = text_of(page)
        for word in ("To Philippa <b>", "And p.hale@example.com", "Good morning, Philippa"):
            assert word in words
        assert url_of("mailing", "inspect", mailing.pk) in page.text
        assert url_of("message", "letter", message.pk) in page.text

    def test_the_letter_can_do_nothing(self, alice: User, alices: Browser) -> None:
        message = make_message(
            alice, body=body(("heading", "<script>alert(1)</script> {{ first_name }}"))
        )
        shown = alices.get(url_of("message", "letter", message.pk))
        assert "<script" not in shown.text
        assert "Philippa" in shown.text
        assert "{{" not in shown.text
        policy = shown["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert shown["X-Frame-Options"] == "SAMEORIGIN"


class TestDelete:
    def test_one_that_is_used_cannot_be_deleted(self, alice: User, alices: Browser) -> None:
        mailing = make_mailing(alice, name="Weekly <news>")
        page = alices.post(url_of("message", "delete", mailing.message_id))
        assert page.status_code == 200
        assert "cannot be deleted" in text_of(page)
        assert "Weekly <news>" in text_of(page)
        assert Message.objects.count() == 1

    def test_one_that_is_not_used_is_gone(self, alice: User, alices: Browser) -> None:
        message = make_message(alice)
        alices.get(url_of("message", "delete", message.pk))
        assert Message.objects.count() == 1
        alices.post(url_of("message", "delete", message.pk))
        assert not Message.objects.exists()


@pytest.mark.parametrize("text", ["half a pair \ud800", "a NUL \x00"])
def test_a_damaged_character_harms_nothing(alices: Browser, text: str) -> None:
    block = {"key": "a", "text": text, "type": "unstyled", "depth": 0, "data": {}}
    value = json.dumps(
        {"blocks": [block | {"inlineStyleRanges": [], "entityRanges": []}], "entityMap": {}}
    )
    page = submit(alices, NEW, {"subject": "Damaged", **letter(("text", value))})
    assert page.status_code in {200, 302}
    message = Message.objects.filter(subject="Damaged").first()
    if message is not None:
        assert alices.get(url_of("message", "inspect", message.pk)).status_code == 200
        assert alices.get(url_of("message", "letter", message.pk)).status_code == 200


def test_a_picture_in_use_stays(
    alice: User,
    alices: Browser,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    picture, unused = make_picture(alice), make_picture(alice)
    value = {"image": picture.pk, "decorative": True, "alt_text": ""}
    with django_capture_on_commit_callbacks(execute=True):
        make_message(alice, body=body(("picture", value)))
    assert "in use" in alices.post(f"/admin/images/{picture.pk}/delete/", follow=True).text
    bulk = f"/admin/bulk/wagtailimages/image/delete/?id={picture.pk}&id={unused.pk}"
    assert "in use" in alices.post(bulk, follow=True).text
    assert get_image_model().objects.count() == 2
    alices.post(f"/admin/images/{unused.pk}/delete/")
    assert get_image_model().objects.get() == picture


def test_a_message_goes_once_its_mailings_are_deleted(alice: User, alices: Browser) -> None:
    message = make_message(alice)
    mailing = make_mailing(alice, message=message)
    url = url_of("message", "delete", message.pk)
    assert mailing.name in alices.post(url).text
    lifecycle.delete(mailing, by=alice, now=timezone.now())
    assert alices.post(url).status_code == 302
    assert not Message.objects.exists()
