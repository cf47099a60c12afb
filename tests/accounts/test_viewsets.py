"""The list of people in the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from bs4 import BeautifulSoup
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import closing, roles
from accounts.models import AccountMail, User
from mailing import lifecycle
from mailing.enums import MailingStatus
from tests.conftest import PASSWORD
from tests.factories import make_mailing
from tests.mailing.admin.screens import text_of

pytestmark = pytest.mark.django_db

Browse = Callable[..., Client]
LIST = "/admin/users/"


def toggle(user: User) -> str:
    return reverse("wagtailusers_users:toggle_active", args=[user.pk])


def person(user: User) -> str:
    return reverse("wagtailusers_users:person", args=[user.pk])


def test_a_manager_looks_and_cannot_edit(browse: Browse, manager: User, alice: User) -> None:
    browser = browse(manager)
    page = browser.get(LIST)
    assert page.status_code == 200
    assert alice.email in page.text
    edit = reverse("wagtailusers_users:edit", args=[alice.pk])
    assert edit not in page.text
    data = {"email": "taken@people.test", "is_superuser": "on", "groups": []}
    for path in (
        edit,
        reverse("wagtailusers_users:delete", args=[alice.pk]),
        reverse("wagtailusers_users:add"),
    ):
        for answer in (browser.get(path), browser.post(path, data)):
            assert answer.status_code in {302, 403, 404}
    for action in ("delete", "assign_role", "set_active_state"):
        browser.post(
            f"/admin/bulk/accounts/user/{action}/?id={alice.pk}",
            {"mark_as_active": "", "role": "1"},
        )
    assert list(User.objects.filter(pk=alice.pk).values()) == list(
        User.objects.filter(pk=alice.pk, is_active=True, email=alice.email).values()
    )
    assert User.objects.get(pk=alice.pk).groups.get().name == "Users"
    assert not User.objects.filter(email="taken@people.test").exists()


def test_others_do_not_see_the_list(browse: Browse, alice: User, bob: User, blogger: User) -> None:
    for user in (alice, blogger):
        for path in (LIST, toggle(bob)):
            answer = browse(user).get(path)
            assert answer.status_code in {302, 403}
            assert bob.email not in answer.text
            assert browse(user).post(toggle(bob), {"active": "0"}).status_code in {302, 403}
    bob.refresh_from_db()
    assert bob.is_active


def test_blocking_asks_first_and_acts_by_post(browse: Browse, manager: User, alice: User) -> None:
    browser = browse(manager)
    assert toggle(alice) in browser.get(LIST).text
    page = browser.get(toggle(alice))
    assert page.status_code == 200
    assert alice.email in page.text
    alice.refresh_from_db()
    assert alice.is_active
    for reason in ("", "  ", "x" * 501):
        assert browser.post(toggle(alice), {"active": "0", "reason": reason}).status_code == 200
        alice.refresh_from_db()
        assert alice.is_active
    answer = browser.post(toggle(alice), {"active": "0", "reason": "Bought <addresses>"})
    assert answer["Location"] == person(alice)
    alice.refresh_from_db()
    assert not alice.is_active
    assert "is blocked" in browser.get(LIST).text
    page = text_of(browser.get(person(alice)))
    assert "Blocked Bought <addresses> Manager" in page
    browser.post(toggle(alice), {"active": "0", "reason": "Again"})
    browser.post(toggle(alice), {"active": "1"})
    alice.refresh_from_db()
    assert alice.is_active


def test_whom_one_may_not_block(browse: Browse, manager: User, admin: User, alice: User) -> None:
    browser = browse(manager)
    page = browser.get(LIST).text
    for target in (manager, admin):
        assert toggle(target) not in page
        assert browser.get(toggle(target)).status_code in {302, 403}
        assert browser.post(toggle(target), {"active": "0"}).status_code in {302, 403}
        target.refresh_from_db()
        assert target.is_active
    assert browser.get("/admin/users/999999/active/").status_code == 404


def test_the_list_can_be_cut_to_the_blocked(browse: Browse, manager: User, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    blocked = browse(manager).get(LIST, {"is_active": "false"}).text
    assert alice.email in blocked
    assert toggle(alice) in blocked
    assert alice.email not in browse(manager).get(LIST, {"is_active": "true"}).text


def test_a_closed_account_is_not_called_blocked(browse: Browse, manager: User, alice: User) -> None:
    closing.close(alice, now=timezone.now())
    alice.refresh_from_db()
    assert "Closed" in row(browse(manager).get(LIST), alice)
    page = text_of(browse(manager).get(person(alice)))
    assert "Closed" in page
    assert "Blocked" not in page


def row(page: Any, user: User) -> str:
    """Return the words of a person's row."""
    for found in BeautifulSoup(page.text, "lxml").select("table tbody tr"):
        words = " ".join(found.get_text(" ").split())
        if user.email in words:
            return words
    raise AssertionError(user.email)


class TestList:
    def test_it_says_who_they_are_and_what_they_have(
        self, browse: Browse, manager: User, alice: User, blogger: User
    ) -> None:
        for status in (MailingStatus.SENDING, MailingStatus.PAUSED):
            make_mailing(alice, status=status)
        deleted = make_mailing(alice, [])
        lifecycle.delete(deleted, by=alice, now=timezone.now())
        EmailAddress.objects.filter(user=blogger).update(verified=False)
        page = browse(manager).get(LIST)
        assert "User Active" in row(page, alice)
        assert row(page, alice).count("2 (1 active) 2") == 1
        assert "Blogger Not confirmed" in row(page, blogger)
        assert "Manager Active" in row(page, manager)
        assert "Username" not in page.text
        assert "More options" not in page.text, "there is none for those who only look"
        assert person(alice) in page.text

    def test_a_role_and_what_is_not_confirmed_narrow_it(
        self, browse: Browse, manager: User, alice: User, bob: User
    ) -> None:
        EmailAddress.objects.filter(user=alice).update(verified=False)
        unconfirmed = browse(manager).get(LIST, {"is_confirmed": "false"}).text
        assert alice.email in unconfirmed
        assert bob.email not in unconfirmed
        users = Group.objects.get(name=roles.USERS.name)
        of_role = browse(manager).get(f"{LIST}results/", {"group": users.pk}).text
        assert alice.email in of_role
        assert manager.email not in of_role

    @pytest.mark.parametrize("words", ["ЖУРАВЛЁВА", "ольга журав", "olga@", "%"])
    def test_a_search_knows_all_letters(
        self, browse: Browse, manager: User, make_user: Callable[..., User], words: str
    ) -> None:
        olga = make_user("olga", roles.USERS)
        User.objects.filter(pk=olga.pk).update(first_name="Ольга", last_name="Журавлёва")
        found = browse(manager).get(f"{LIST}results/", {"q": words}).text
        assert (olga.email in found) == (words != "%")
        assert manager.email not in found

    def test_queries_do_not_grow_with_the_people(
        self, browse: Browse, manager: User, make_user: Callable[..., User]
    ) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert browse(manager).get(LIST).status_code == 200
            return len(captured)

        make_mailing(make_user("first", roles.USERS))
        queries()  # fills what is remembered between requests
        few = queries()
        for number in range(12):
            make_mailing(make_user(f"user{number}", roles.USERS))
        assert queries() == few


class TestPerson:
    def test_a_page_with_the_way_to_block(self, browse: Browse, manager: User, alice: User) -> None:
        page = browse(manager).get(person(alice))
        assert toggle(alice) in page.text
        assert reverse("wagtailusers_users:edit", args=[alice.pk]) not in page.text
        assert alice.email in text_of(page)

    def test_but_not_those_one_may_not_block(
        self, browse: Browse, manager: User, admin: User
    ) -> None:
        for who in (manager, admin):
            page = browse(manager).get(person(who))
            assert page.status_code == 200
            assert toggle(who) not in page.text

    def test_only_for_managers(self, browse: Browse, alice: User, bob: User) -> None:
        answers = {browse(alice).get(url).status_code for url in (person(bob), "/admin/users/99/")}
        assert answers == {302}


class TestAdministrator:
    DATA = {"email": "nora@people.test", "password1": PASSWORD, "password2": PASSWORD}

    def test_makes_people_without_names(self, browse: Browse, admin: User) -> None:
        answer = browse(admin).post("/admin/users/new/", {**self.DATA, "phone": "+442079460118"})
        assert answer.status_code == 302
        user = User.objects.get(email="nora@people.test")
        assert str(user) == "nora@people.test"
        assert str(user.phone) == "+442079460118"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"email": "ALICE@people.test"},
            {"first_name": "aroN\u202e"},
            {"password1": "short", "password2": "short"},
            {"phone": "nonsense"},
        ],
    )
    def test_gets_an_error_for_wrong_data(
        self, browse: Browse, admin: User, alice: User, wrong: dict[str, str]
    ) -> None:
        answer = browse(admin).post("/admin/users/new/", {**self.DATA, **wrong})
        assert answer.status_code == 200
        assert answer.context["form"].errors
        assert User.objects.count() == 2

    def test_edits_all_fields(self, browse: Browse, admin: User, alice: User) -> None:
        answer = browse(admin).post(
            reverse("wagtailusers_users:edit", args=[alice.pk]),
            {
                "email": alice.email,
                "first_name": "Alice",
                "last_name": "Ash",
                "middle_name": "M.",
                "country": "NZ",
                "groups": [group.pk for group in alice.groups.all()],
            },
        )
        assert answer.status_code == 302
        alice.refresh_from_db()
        assert (alice.last_name, alice.middle_name, alice.country.code) == ("Ash", "M.", "NZ")
        assert alice.is_active, "only the button blocks"

    def test_blocks_many_as_the_button_blocks_one(
        self, browse: Browse, admin: User, alice: User, bob: User, make_user: Callable[..., User]
    ) -> None:
        other = make_user("other-admin", superuser=True)
        mailing = make_mailing(alice, status=MailingStatus.SCHEDULED)
        of_alice = browse(alice)
        path = "/admin/bulk/accounts/user/set_active_state/?" + "&".join(
            f"id={user.pk}" for user in (alice, bob, other, admin)
        )
        assert browse(admin).get(path).status_code == 200
        browse(admin).post(path, {"mark_as_active": "False"})
        assert not User.objects.filter(is_active=False).exists(), "without a reason"
        browse(admin).post(path, {"mark_as_active": "False", "reason": "Spam"})
        blocked = User.objects.filter(is_active=False)
        assert set(blocked) == {alice, bob}
        mailing.refresh_from_db()
        assert mailing.status == MailingStatus.PAUSED
        browse(admin).post(path, {"mark_as_active": "True"})
        assert not blocked.all().exists()
        assert of_alice.get("/admin/").status_code == 302


def test_a_former_address_gets_no_more_reset_links(
    browse: Callable[..., Client], admin: User, alice: User
) -> None:
    former = alice.email
    answer = browse(admin).post(
        reverse("wagtailusers_users:edit", args=[alice.pk]),
        {"email": "new@people.test", "first_name": "A", "groups": []},
    )
    assert answer.status_code == 302
    browse().post(reverse("account_reset_password"), {"email": former})
    posted = AccountMail.objects.filter(email=former)
    assert not posted.filter(template__endswith="password_reset_key").exists()
