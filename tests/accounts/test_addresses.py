"""Changing the address: the old one counts until the new one is confirmed."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import ADDRESS, PostOffice, is_in, log_in, prove_again, sign_up
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

NEW = "new@people.test"


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    log_in(client, alice.email)
    prove_again(client)
    return client


def ask(browser: Client, email: str = NEW) -> None:
    answer = browser.post(ADDRESS, {"action_add": "", "email": email})
    assert answer.status_code == 302
    assert answer["Location"] == ADDRESS


def test_it_asks_for_the_password_first(client: Client, alice: User) -> None:
    log_in(client, alice.email)
    answer = client.post(ADDRESS, {"action_add": "", "email": NEW})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.filter(email=NEW).exists()
    client.post(answer["Location"], {"password": "wrong"})
    assert not EmailAddress.objects.filter(email=NEW).exists()
    client.post(answer["Location"], {"password": PASSWORD})
    assert EmailAddress.objects.filter(email=NEW, verified=False).exists()


def test_the_old_address_counts_until_the_new_one_is_confirmed(
    signed_in: Client, alice: User, post_office: PostOffice
) -> None:
    old = alice.email
    ask(signed_in)
    (letter,) = post_office.deliver()
    assert letter.to == NEW
    assert "is waiting to be confirmed" in signed_in.get(ADDRESS).text
    alice.refresh_from_db()
    assert alice.email == old
    assert log_in(Client(), old).status_code == 302
    waiting = Client()
    log_in(waiting, NEW)
    assert not is_in(waiting)

    assert signed_in.post(letter.link()).status_code == 302
    alice.refresh_from_db()
    assert alice.email == NEW
    assert list(alice.emailaddress_set.values_list("email", "verified", "primary")) == [
        (NEW, True, True)
    ]
    assert is_in(signed_in)
    assert log_in(Client(), old).status_code == 200
    assert log_in(Client(), NEW).status_code == 302
    (notice,) = post_office.deliver()
    assert notice.to == old, "the owner of the old address must learn of it"
    assert NEW in notice.text


def test_a_later_change_replaces_the_one_that_waits(
    signed_in: Client, alice: User, post_office: PostOffice
) -> None:
    ask(signed_in, "typo@people.test")
    (first,) = post_office.deliver()
    ask(signed_in)
    (second,) = post_office.deliver()
    assert "This link does not work" in signed_in.get(first.link()).text
    signed_in.post(first.link())
    signed_in.post(second.link())
    alice.refresh_from_db()
    assert alice.email == NEW


def test_a_cancelled_change_leaves_a_dead_link(
    signed_in: Client, alice: User, post_office: PostOffice
) -> None:
    ask(signed_in)
    (letter,) = post_office.deliver()
    signed_in.post(ADDRESS, {"action_remove": "", "email": NEW})
    assert signed_in.post(letter.link()).status_code == 404
    alice.refresh_from_db()
    assert alice.email == "alice@people.test"


def test_the_last_address_cannot_be_removed(signed_in: Client, alice: User) -> None:
    signed_in.post(ADDRESS, {"action_remove": "", "email": alice.email})
    assert alice.emailaddress_set.get().verified


@pytest.mark.parametrize("email", ["", "nonsense", "alice@people.test", f"{'n' * 250}@people.test"])
def test_a_wrong_address_is_answered_beside_the_field(signed_in: Client, email: str) -> None:
    answer = signed_in.post(ADDRESS, {"action_add": "", "email": email})
    assert answer.status_code == 200
    assert 'id="id_email_error"' in answer.text
    assert EmailAddress.objects.count() == 1


def test_the_address_of_another_is_not_betrayed_and_not_taken(
    signed_in: Client, alice: User, bob: User, post_office: PostOffice
) -> None:
    ask(signed_in, bob.email)
    letters = post_office.deliver()
    assert {letter.to for letter in letters} <= {bob.email}
    for letter in letters:
        signed_in.post(letter.link())
    alice.refresh_from_db()
    assert alice.email == "alice@people.test"
    assert bob.emailaddress_set.get().verified


@pytest.mark.parametrize("squatter", ["before", "meanwhile"])
def test_a_stranger_who_signed_up_there_does_not_break_the_change(
    signed_in: Client, alice: User, post_office: PostOffice, squatter: str
) -> None:
    """Somebody signs up with Alice's other address and never confirms it."""
    if squatter == "before":
        sign_up(Client(), NEW)
        post_office.deliver()
        cache.clear()  # the limit of letters to one address
    ask(signed_in)
    if squatter == "meanwhile":
        sign_up(Client(), NEW)
    letter = next(letter for letter in post_office.deliver() if "/confirm-email/" in letter.text)
    assert signed_in.get(letter.link()).status_code == 200
    answer = signed_in.post(letter.link())
    assert answer.status_code in {200, 302}
    alice.refresh_from_db()
    primary = alice.emailaddress_set.get(primary=True)
    assert alice.email == primary.email
    assert primary.verified


def test_nothing_of_another_person_can_be_changed(
    signed_in: Client, bob: User, post_office: PostOffice
) -> None:
    before = list(EmailAddress.objects.filter(user=bob).values())
    for action in ("action_remove", "action_primary", "action_send"):
        signed_in.post(ADDRESS, {action: "", "email": bob.email})
    assert list(EmailAddress.objects.filter(user=bob).values()) == before
    assert post_office.deliver() == []
