"""Blocking a person: who may, and all that it stops."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.test import Client
from wagtail.models import ModelLogEntry

from accounts import roles
from accounts.blocking import NotAllowed, may_block, set_active
from accounts.forms import PersonalForm
from accounts.models import AccountMail, User
from mailing.enums import MailingStatus
from tests.accounts.conftest import (
    ADDRESS,
    RESET,
    PostOffice,
    is_in,
    log_in,
    prove_again,
    sign_up,
)
from tests.conftest import PASSWORD
from tests.factories import make_mailing

pytestmark = pytest.mark.django_db

MakeUser = Callable[..., User]


class TestWhoMayBlockWhom:
    @pytest.fixture
    def people(self, make_user: MakeUser) -> dict[str, User]:
        return {
            "user": make_user("user", roles.USERS),
            "manager": make_user("manager", roles.MANAGERS),
            "colleague": make_user("colleague", roles.MANAGERS),
            "blogger": make_user("blogger", roles.BLOGGERS),
            "admin": make_user("admin", superuser=True),
            "other admin": make_user("other-admin", superuser=True),
        }

    ALLOWED = {
        ("manager", "user"),
        ("manager", "blogger"),
        ("colleague", "user"),
        ("colleague", "blogger"),
        *(
            (by, target)
            for by in ("admin", "other admin")
            for target in ("user", "blogger", "manager", "colleague")
        ),
    }

    def test_the_whole_table(self, people: dict[str, User]) -> None:
        for by in people:
            for target in people:
                allowed = (by, target) in self.ALLOWED
                assert may_block(people[target], by=people[by]) is allowed, (by, target)
                if not allowed:
                    with pytest.raises(NotAllowed):
                        set_active(people[target], active=False, by=people[by])
        assert not User.objects.filter(is_active=False).exists()

    def test_a_blocked_manager_blocks_nobody(self, people: dict[str, User]) -> None:
        set_active(people["manager"], active=False, by=people["admin"])
        assert not may_block(people["user"], by=people["manager"])


def test_sessions_end_at_once_and_do_not_come_back(
    client: Client, alice: User, bob: User, manager: User
) -> None:
    log_in(client, alice.email)
    of_bob = Client()
    log_in(of_bob, bob.email)
    assert is_in(client)
    assert set_active(alice, active=False, by=manager)
    assert not is_in(client)
    assert client.get("/accounts/profile/").status_code == 302
    assert is_in(of_bob)
    assert Session.objects.count() == 1
    assert set_active(alice, active=True, by=manager)
    assert not is_in(client)
    log_in(client, alice.email)
    assert is_in(client)


def test_a_second_block_changes_nothing(alice: User, manager: User) -> None:
    assert set_active(alice, active=False, by=manager)
    assert not set_active(alice, active=False, by=manager)
    (entry,) = ModelLogEntry.objects.all()
    assert (entry.action, entry.user) == ("accounts.block", manager)


def test_mailings_pause_and_stay_paused(alice: User, bob: User, manager: User) -> None:
    running = make_mailing(alice, status=MailingStatus.SCHEDULED)
    of_bob = make_mailing(bob, status=MailingStatus.SCHEDULED)
    set_active(alice, active=False, by=manager)
    running.refresh_from_db()
    of_bob.refresh_from_db()
    assert running.status == MailingStatus.PAUSED
    assert of_bob.status == MailingStatus.SCHEDULED
    set_active(alice, active=True, by=manager)
    running.refresh_from_db()
    assert running.status == MailingStatus.PAUSED


class TestBlockedPerson:
    @pytest.fixture
    def block(self, alice: User, manager: User) -> Callable[[], None]:
        return lambda: (set_active(alice, active=False, by=manager), None)[1]

    def test_learns_why_the_door_is_closed(
        self, client: Client, alice: User, block: Callable[[], None]
    ) -> None:
        block()
        answer = log_in(client, alice.email)
        assert answer["Location"] == "/accounts/inactive/"
        page = client.get(answer["Location"])
        assert page.status_code == 200
        assert "This account is blocked" in page.text
        assert not is_in(client)

    def test_a_stranger_does_not_learn_of_it(
        self, client: Client, alice: User, block: Callable[[], None]
    ) -> None:
        block()
        answer = log_in(client, alice.email, "wrong")
        assert answer.status_code == 200
        assert "blocked" not in answer.text

    def test_a_link_for_a_new_password_is_dead(
        self, client: Client, alice: User, block: Callable[[], None], post_office: PostOffice
    ) -> None:
        client.post(RESET, {"email": alice.email})
        (letter,) = post_office.deliver()
        opened = Client()
        form = opened.get(letter.link(), follow=True).redirect_chain[-1][0]
        block()
        assert "This link does not work" in client.get(letter.link(), follow=True).text
        new = "another-horse-battery"
        page = opened.post(form, {"password1": new, "password2": new}, follow=True)
        assert "This link does not work" in page.text
        alice.refresh_from_db()
        assert alice.check_password(PASSWORD)

    def test_a_reset_that_waits_is_not_sent(
        self, client: Client, alice: User, block: Callable[[], None], post_office: PostOffice
    ) -> None:
        client.post(RESET, {"email": alice.email})
        block()
        assert post_office.deliver() == []
        assert not AccountMail.objects.exists()

    def test_a_reset_asked_for_later_holds_no_key(
        self, client: Client, alice: User, block: Callable[[], None], post_office: PostOffice
    ) -> None:
        block()
        assert client.post(RESET, {"email": alice.email}).status_code == 302
        assert all("/key/" not in letter.text for letter in post_office.deliver())

    def test_a_link_for_a_new_address_is_dead(
        self, client: Client, alice: User, block: Callable[[], None], post_office: PostOffice
    ) -> None:
        log_in(client, alice.email)
        prove_again(client)
        client.post(ADDRESS, {"action_add": "", "email": "new@people.test"})
        (letter,) = post_office.deliver()
        block()
        assert Client().post(letter.link())["Location"] == "/accounts/inactive/"
        alice.refresh_from_db()
        assert alice.email == "alice@people.test"
        assert not EmailAddress.objects.get(email="new@people.test").verified

    def test_a_link_of_the_sign_up_is_dead(
        self, client: Client, manager: User, post_office: PostOffice
    ) -> None:
        sign_up(client, "nora@people.test")
        (letter,) = post_office.deliver()
        set_active(User.objects.get(email="nora@people.test"), active=False, by=manager)
        client.post(letter.link())
        assert not EmailAddress.objects.get(email="nora@people.test").verified

    def test_cannot_sign_up_anew(
        self, client: Client, alice: User, block: Callable[[], None]
    ) -> None:
        block()
        sign_up(client, alice.email.upper())
        assert User.objects.filter(email__iexact=alice.email).count() == 1


def test_a_blocked_manager_is_still_no_matter_for_colleagues(
    make_user: Callable[..., User], admin: User
) -> None:
    blocked, colleague = make_user("m1", roles.MANAGERS), make_user("m2", roles.MANAGERS)
    set_active(blocked, active=False, by=admin)
    blocked = User.objects.get(pk=blocked.pk)
    assert not may_block(blocked, by=colleague)
    with pytest.raises(NotAllowed):
        set_active(blocked, active=True, by=colleague)


def test_a_profile_that_is_saved_meanwhile_does_not_undo_it(alice: User, manager: User) -> None:
    form = PersonalForm({"first_name": "Alice"}, {}, instance=User.objects.get(pk=alice.pk))
    assert form.is_valid()
    set_active(alice, active=False, by=manager)
    form.save()
    alice.refresh_from_db()
    assert (alice.is_active, alice.first_name) == (False, "Alice")
