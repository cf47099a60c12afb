"""Test letters: to oneself, few, and counted nowhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from wagtail.models import ModelLogEntry

from accounts.models import User
from mailing import trial
from mailing.composer.preview import Preview, preview
from mailing.models import Attempt, Delivery, Run
from tests.accounts.conftest import PostOffice
from tests.factories import NOW, make_client, make_message

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def letter(alice: User) -> Preview:
    message = make_message(alice, subject="To {{ first_name }} — with love")
    return preview(message, owner=alice, client=make_client(alice, first_name='An "quoted", Anna'))


def test_it_arrives_marked(alice: User, letter: Preview, post_office: PostOffice) -> None:
    assert trial.send(alice, letter, now=NOW).accepted
    (entry,) = post_office.sink.ledger.letters
    message = post_office._message(entry["content"])
    assert entry["to"] == alice.email
    assert message["Subject"] == '[Test] To An "quoted", Anna — with love'
    assert message["X-Mailing-Test"] == "yes"
    assert message["From"].addresses[0].display_name == "Alice via Mailing service"
    assert message["List-Unsubscribe"] is None
    html = message.get_body(("html",))
    assert html is not None
    assert 'href="http://testserver/u/preview/"' in html.get_content()


def test_it_is_counted_nowhere(alice: User, letter: Preview, post_office: PostOffice) -> None:
    trial.send(alice, letter, now=NOW)
    for model in (Run, Delivery, Attempt):
        assert not model._default_manager.exists()


def test_who_asked_and_when_is_in_the_event_log(
    alice: User, letter: Preview, post_office: PostOffice
) -> None:
    trial.send(alice, letter, now=NOW)
    entry = ModelLogEntry.objects.get(action="mailing.test_letter")
    assert (entry.user, entry.timestamp) == (alice, NOW)
    assert entry.data == {"subject": letter.subject}


def test_five_in_an_hour(alice: User, bob: User, letter: Preview, post_office: PostOffice) -> None:
    for minute in range(5):
        assert trial.allowance(alice, NOW + minute * MINUTE).left == 5 - minute
        trial.send(alice, letter, now=NOW + minute * MINUTE)
    later = NOW + 59 * MINUTE
    assert trial.allowance(alice, later) == trial.Allowance(left=0, more_at=NOW + 60 * MINUTE)
    with pytest.raises(trial.NotAllowed):
        trial.send(alice, letter, now=later)
    assert len(post_office.sink.ledger.letters) == 5
    assert trial.allowance(bob, later).left == 5
    assert trial.allowance(alice, NOW + 60 * MINUTE).left == 1
    trial.send(alice, letter, now=NOW + 60 * MINUTE)


def test_only_to_a_confirmed_address(alice: User, letter: Preview, post_office: PostOffice) -> None:
    EmailAddress.objects.filter(user=alice).update(verified=False)
    with pytest.raises(trial.NotAllowed, match="Confirm"):
        trial.send(alice, letter, now=NOW)
    EmailAddress.objects.filter(user=alice).update(verified=True, email="former@people.test")
    with pytest.raises(trial.NotAllowed, match="Confirm"):
        trial.send(alice, letter, now=NOW)
    assert post_office.sink.ledger.letters == []
    assert not ModelLogEntry.objects.exists()
