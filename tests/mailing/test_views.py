"""The pages for those who get letters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from mailing.composer.render import freeze
from mailing.engine import planner
from mailing.enums import MailingStatus, SuppressionReason
from mailing.models import Delivery, Suppression
from mailing.tokens import unsubscribe_token
from tests.factories import NOW, make_client, make_mailing

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery(alice: User) -> Delivery:
    make_mailing(
        alice,
        [make_client(alice, "anna@x.test")],
        status=MailingStatus.SCHEDULED,
        next_due_at=NOW,
    )
    planner.open_due(NOW, freeze)
    return Delivery.objects.get()


def url(delivery: Delivery) -> str:
    return f"/u/{unsubscribe_token(delivery.pk)}/"


def test_looking_changes_nothing(delivery: Delivery, client: Client) -> None:
    for _ in range(3):
        page = client.get(url(delivery))
    client.head(url(delivery))
    assert page.status_code == 200
    assert "anna@x.test" in page.text
    assert '<form method="post"' in page.text
    assert not Suppression.objects.exists()


def test_one_click_without_cookie_or_form(delivery: Delivery) -> None:
    """RFC 8058: a POST by the mail program, which must not be redirected."""
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post(url(delivery), {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert not answer.cookies
    suppression = Suppression.objects.get()
    assert suppression.email_normalized == "anna@x.test"
    assert suppression.owner == delivery.run.mailing.owner
    assert browser.post(url(delivery)).status_code == 200
    assert Suppression.objects.count() == 1


def test_only_the_person_takes_it_back(delivery: Delivery) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.post(url(delivery))
    assert 'name="return"' in browser.get(url(delivery)).text
    page = browser.post(url(delivery), {"return": "1"})
    assert "Stop these letters?" in page.text
    assert not Suppression.objects.exists()


def test_the_person_unsubscribes_also_when_the_owner_has_excluded_them(
    delivery: Delivery, client: Client
) -> None:
    """The owner may undo an exclusion, and must not undo with it what the person wants."""
    Suppression.objects.create(
        owner=delivery.run.mailing.owner,
        email_normalized="anna@x.test",
        reason=SuppressionReason.EXCLUDED,
        created_at=NOW,
    )
    assert '<form method="post"' in client.get(url(delivery)).text
    client.post(url(delivery), {"return": ""})
    assert Suppression.objects.get().reason == SuppressionReason.EXCLUDED
    client.post(url(delivery))
    assert Suppression.objects.get().reason == SuppressionReason.UNSUBSCRIBED


def test_an_address_that_does_not_exist_is_not_taken_back(delivery: Delivery) -> None:
    browser = Client()
    browser.post(url(delivery))
    Suppression.objects.update(reason=SuppressionReason.BOUNCED)
    assert 'name="return"' not in browser.get(url(delivery)).text
    browser.post(url(delivery), {"return": "1"})
    assert Suppression.objects.exists()


def test_the_page_keeps_its_address_to_itself(delivery: Delivery, client: Client) -> None:
    page = client.get(url(delivery))
    assert page["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page["Cache-Control"]
    assert not page.cookies


def test_forged_and_old_tokens_say_nothing(delivery: Delivery, client: Client) -> None:
    unknown = client.get(f"/u/{unsubscribe_token(delivery.pk + 1)}/")
    forged = client.get(f"/u/{delivery.pk}-{'0' * 32}/")
    assert unknown.status_code == forged.status_code == 404
    assert client.post(f"/u/{delivery.pk}-{'0' * 32}/").status_code == 404
    assert not Suppression.objects.exists()


def test_it_stops_only_this_owner(
    delivery: Delivery, bob: User, client: Client, browse: Callable[..., Client]
) -> None:
    make_client(bob, "anna@x.test")
    client.post(url(delivery))
    assert not Suppression.objects.filter(owner=bob).exists()
