"""Administrators delete people: by the same way as people delete themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry
from wagtail.users.models import UserProfile

from accounts import closing, roles
from accounts.models import Erasure, KeptRefusal, User
from mailing.enums import MailingStatus
from mailing.models import Mailing, Suppression
from tests.accounts.conftest import PostOffice
from tests.blog.posts import make_post
from tests.factories import NOW, make_client, make_mailing
from tests.mailing.admin.screens import text_of

pytestmark = pytest.mark.django_db

Browse = Callable[..., Client]
LIST = "/admin/users/"


def one(user: User) -> str:
    return reverse("wagtailusers_users:delete", args=[user.pk])


def many(*users: User) -> str:
    return "/admin/bulk/accounts/user/delete/?" + "&".join(f"id={user.pk}" for user in users)


def erase_all() -> None:
    for _ in range(100):
        if not Erasure.objects.exists():
            return
        closing.erase_due(timezone.now() + closing.CLAIM * 2)
    raise AssertionError("it does not end")


@pytest.fixture
def working(alice: User) -> Mailing:
    """Alice has a mailing under way, and somebody who wants no more letters."""
    make_client(alice, "rose@clients.test")
    Suppression.objects.create(
        owner=alice, email_normalized="mint@clients.test", reason="unsubscribed", created_at=NOW
    )
    mailing: Mailing = make_mailing(alice, status=MailingStatus.SENDING)
    return mailing


@pytest.mark.parametrize("address", [one, many])
def test_it_is_the_closing_of_the_account(
    address: Callable[..., str], browse: Browse, admin: User, alice: User, working: Mailing
) -> None:
    post = make_post("Dahlias", owner=alice, author=alice)
    theirs = browse(alice)
    assert theirs.get("/accounts/profile/").status_code == 200
    assert browse(admin).post(address(alice)).status_code == 302
    alice.refresh_from_db()
    assert alice.closed_at is not None
    assert theirs.get("/accounts/profile/").status_code == 302
    working.refresh_from_db()
    assert working.status != MailingStatus.SENDING
    erase_all()
    assert not User.objects.filter(pk=alice.pk).exists()
    assert not Mailing.objects.filter(pk=working.pk).exists()
    assert KeptRefusal.objects.get().reason == "unsubscribed"
    post.refresh_from_db()
    assert (post.live, post.author_name) == (True, "Mailing service")
    entry = ModelLogEntry.objects.get(action="accounts.close")
    assert entry.user_id == admin.pk


@pytest.mark.parametrize("address", [one, many])
def test_it_asks_first_and_says_what_will_happen(
    address: Callable[..., str], browse: Browse, admin: User, alice: User, working: Mailing
) -> None:
    page = text_of(browse(admin).get(address(alice)))
    assert alice.email in page
    for part in ("mailings stop", "are erased", "fingerprints", "Posts of the blog stay", "undone"):
        assert part in page
    alice.refresh_from_db()
    assert alice.closed_at is None


def test_the_screens_lead_there(browse: Browse, admin: User, manager: User, alice: User) -> None:
    page = reverse("wagtailusers_users:person", args=[alice.pk])
    for path in (LIST, page):
        assert one(alice) in browse(admin).get(path).text
        assert one(alice) not in browse(manager).get(path).text
    assert one(admin) not in browse(admin).get(LIST).text
    closing.close(alice, now=NOW)
    for path in (LIST, page):
        assert one(alice) not in browse(admin).get(path).text


@pytest.mark.parametrize("address", [one, many])
@pytest.mark.parametrize("who", ["manager", "alice", "blogger"])
def test_only_administrators_may(
    who: str,
    address: Callable[..., str],
    browse: Browse,
    bob: User,
    request: pytest.FixtureRequest,
) -> None:
    browser = browse(request.getfixturevalue(who))
    browser.post(address(bob))
    assert browser.get(address(bob)).status_code in {302, 403}
    assert not Erasure.objects.exists()


def test_nobody_deletes_themselves_or_twice(browse: Browse, admin: User, alice: User) -> None:
    closing.close(alice, now=NOW)
    alice.refresh_from_db()
    for target in (admin, alice):
        assert browse(admin).get(one(target)).status_code in {302, 403}
        assert browse(admin).post(one(target)).status_code in {302, 403}
    assert Erasure.objects.get().user == alice
    admin.refresh_from_db()
    assert admin.is_active


def test_a_helper_with_the_right_deletes_no_administrator(
    browse: Browse, admin: User, alice: User, make_user: Callable[..., User]
) -> None:
    helper = make_user("helper", roles.MANAGERS)
    helper.user_permissions.add(Permission.objects.get(codename="delete_user"))
    browser = browse(helper)
    assert browser.post(one(admin)).status_code in {302, 403}
    browser.post(many(admin, alice))
    assert Erasure.objects.get().user == alice
    admin.refresh_from_db()
    assert admin.closed_at is None


def test_those_who_stay_are_named(browse: Browse, admin: User, alice: User, bob: User) -> None:
    page = text_of(browse(admin).get(many(admin, alice, bob)))
    assert "Delete 2 accounts?" in page
    assert page.index(bob.email) < page.index("These stay") < page.index(admin.email)
    answer = browse(admin).post(f"{many(admin, alice, bob)}&next={LIST}", follow=True)
    assert "2 accounts are closed" in answer.text
    assert set(Erasure.objects.values_list("user_id", flat=True)) == {alice.pk, bob.pk}


@pytest.mark.parametrize(
    ("language", "asked", "told"),
    [
        ("en", "You asked to delete", "An administrator of Mailing service has deleted"),
        ("ru", "Вы просили удалить", "Администратор сайта «Mailing service» удалил"),
    ],
)
def test_the_last_letter_says_whose_wish_it_was(
    language: str,
    asked: str,
    told: str,
    browse: Browse,
    admin: User,
    alice: User,
    bob: User,
    post_office: PostOffice,
) -> None:
    for user in (alice, bob):
        UserProfile.objects.update_or_create(user=user, defaults={"preferred_language": language})
    browse(admin).post(one(alice))
    closing.close(bob, now=timezone.now())
    erase_all()
    letters: dict[str, Any] = {
        letter.to: letter for letter in post_office.deliver(timezone.now() + timedelta(seconds=1))
    }
    for email, said, unsaid in ((alice.email, told, asked), (bob.email, asked, told)):
        for kind in ("plain", "html"):
            text = " ".join(letters[email].body(kind).split())
            assert said in text
            assert unsaid not in text
