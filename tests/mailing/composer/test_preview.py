"""A preview is the letter that one client would get."""

from __future__ import annotations

import pytest

from accounts.models import User
from mailing.composer.preview import framed, preview
from mailing.composer.render import freeze
from mailing.engine.letter import Letter, Recipient
from mailing.engine.planner import ContentError
from mailing.models import Delivery, Message
from mailing.tokens import read_unsubscribe_token
from tests.factories import body, make_client, make_mailing, make_message
from tests.mailing.engine.test_letter import SERVICE, parse

pytestmark = pytest.mark.django_db


def test_it_is_what_a_run_would_send(alice: User) -> None:
    message = make_message(
        alice, subject="Привет, {{ first_name|friend }}", preheader="{{ email }}"
    )
    client = make_client(alice, "olga@пример.рф", first_name="O'Hara & Co")
    shown = preview(message, owner=alice, client=client)
    mailing = make_mailing(alice, message=message, name="")
    letter = Letter(freeze(mailing), SERVICE, run_id=1, mailing_id=1, mailing_name="")
    sent = parse(
        letter.render(Recipient(7, "olga@xn--e1afmkfd.xn--p1ai", "O'Hara & Co", "", ""), 0)
    )
    link = SERVICE.unsubscribe_url(7)
    for kind, part in (("html", shown.html), ("plain", shown.text)):
        body_part = sent.get_body((kind,))
        assert body_part is not None
        assert part == body_part.get_content().replace(link, "http://testserver/u/preview/")
    assert shown.subject == sent["Subject"].strip() == "Привет, O'Hara & Co"
    assert shown.preheader == "olga@xn--e1afmkfd.xn--p1ai"
    assert (shown.sender_name, shown.reply_to) == ("Alice via Mailing service", alice.email)


def test_without_a_client_it_is_for_an_invented_one(alice: User) -> None:
    shown = preview(make_message(alice), owner=alice)
    assert "Good morning, Philippa," in shown.text


def test_a_message_need_not_be_saved(alice: User) -> None:
    message = Message(owner=alice, subject="New", body=body(("heading", "Not saved")))
    assert "Not saved" in preview(message, owner=alice).html
    assert not Message.objects.exists()


def test_nobody_can_be_unsubscribed_by_it(alice: User) -> None:
    text = preview(make_message(alice), owner=alice, client=make_client(alice)).text
    token = text.split("/u/")[1].split("/")[0]
    assert read_unsubscribe_token(token) is None
    assert not Delivery.objects.exists()


def test_what_cannot_be_sent_cannot_be_shown(alice: User) -> None:
    with pytest.raises(ContentError):
        preview(make_message(alice, subject="{{ frist_name }}"), owner=alice)


def test_in_a_frame_nothing_runs_and_no_link_leads_away() -> None:
    html = framed("<html>\n<head>\n<title>x</title></head><body><head></body></html>")
    assert html.count("Content-Security-Policy") == 1
    assert "default-src 'none'" in html
    assert '<base target="_blank">' in html
