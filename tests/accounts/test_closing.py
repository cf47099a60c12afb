"""From the closing of an account to the last letter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import override_settings
from django.utils import timezone
from wagtail.log_actions import log
from wagtail.models import ModelLogEntry

from accounts import closing, roles
from accounts.blocking import NotAllowed, may_block, set_active
from accounts.models import AccountMail, Erasure, KeptRefusal, User
from accounts.rows import NO_LABEL
from blog.models import BlogPage
from mailing import clientele, lifecycle
from mailing.enums import ClientAction
from mailing.models import Suppression
from mailing.selection import Selection
from tests.access.world import World, make_world
from tests.accounts.conftest import PostOffice
from tests.factories import NOW, make_client, make_clients

pytestmark = pytest.mark.django_db

_SEARCH = {"default": {"BACKEND": "wagtail.search.backends.database.fallback"}}


@pytest.fixture
def world(db: None) -> Iterator[World]:
    with override_settings(WAGTAILSEARCH_BACKENDS=_SEARCH):
        yield make_world()


def erase_all(seconds: float = 60) -> None:
    for _ in range(100):
        if not Erasure.objects.exists():
            return
        closing.erase_due(timezone.now() + closing.CLAIM * 2, seconds)
    raise AssertionError("it does not end")


def dump() -> dict[str, list[dict[str, Any]]]:
    return {
        model._meta.label: list(model._base_manager.values())
        for model in apps.get_models(include_auto_created=True)
    }


def test_nothing_of_the_person_is_left_in_the_database(world: World) -> None:
    alice, marks = world.alice, world.alices.secrets
    before = str(dump())
    assert all(mark in before for mark in marks)
    closing.close(alice, now=timezone.now())
    erase_all()
    for label, rows in dump().items():
        if label == "accounts.AccountMail":
            continue  # the last letter, which goes when it is sent
        for mark in (*marks, "CANARY-alice".lower()):
            assert mark.lower() not in str(rows).lower(), f"{mark} in {label}"
    assert not User.objects.filter(pk=alice.pk).exists()


def test_the_log_forgets_what_was_gone_before(alice: User, bob: User) -> None:
    for owner in (alice, bob):
        client = make_client(owner, f"{owner.first_name}-rose@clients.test")
        log(instance=client, action="wagtail.create", user=owner)
        change = clientele.begin(owner, ClientAction.TAG, Selection(), tags=["garden"])
        clientele.go_on(change, seconds=60)
        clientele.take_finished(owner)
        lifecycle.delete_client(client)
    closing.close(alice, now=timezone.now())
    erase_all()
    entries = ModelLogEntry.objects.exclude(action="accounts.close")
    assert set(entries.filter(user=alice.pk).values_list("label", flat=True)) == {NO_LABEL}
    assert NO_LABEL not in entries.filter(user=bob.pk).values_list("label", flat=True)


def test_what_others_have_stays(world: World) -> None:
    def of_others() -> dict[str, int]:
        text = {label: str(rows).count("CANARY-bob") for label, rows in dump().items()}
        return {label: number for label, number in text.items() if number}

    before = of_others()
    closing.close(world.alice, now=timezone.now())
    erase_all()
    assert of_others() == before


def test_it_may_be_done_in_the_smallest_steps(world: World) -> None:
    make_clients(world.alice, [f"many{n}@clients.test" for n in range(50)])
    closing.close(world.alice, now=timezone.now())
    slices = 1
    while closing.erase_due(timezone.now() + closing.CLAIM * 2, seconds=0):
        slices += 1
        if not Erasure.objects.exists():
            break
    assert 5 < slices < 100, "each slice does something, and none does all"
    assert not User.objects.filter(pk=world.alice.pk).exists()


def test_two_workers_do_not_do_it_twice(alice: User) -> None:
    closing.close(alice, now=NOW)
    claimed = Erasure.objects.get()
    Erasure.objects.update(due_at=NOW + closing.CLAIM)
    assert not closing.erase_due(NOW + timedelta(minutes=1))
    assert Erasure.objects.get() == claimed
    closing.erase_due(NOW + closing.CLAIM)
    assert not Erasure.objects.exists()


def test_a_letter_says_that_it_is_done(alice: User, post_office: PostOffice) -> None:
    closing.close(alice, now=timezone.now())
    assert post_office.deliver() == []
    erase_all()
    (letter,) = post_office.deliver()
    assert letter.to == "alice@people.test"
    assert "is erased" in letter.subject
    assert "the last letter" in letter.text
    assert "the last letter" in letter.body("html")
    assert not AccountMail.objects.exists()


def test_refusals_stay_as_fingerprints(alice: User) -> None:
    Suppression.objects.create(
        owner=alice, email_normalized="rose@clients.test", reason="unsubscribed", created_at=NOW
    )
    closing.close(alice, now=timezone.now())
    erase_all()
    kept = KeptRefusal.objects.get()
    assert (kept.reason, kept.created_at) == ("unsubscribed", NOW)
    assert len(kept.mark) == len(kept.owner_mark) == 32


def test_posts_stay_under_the_name_of_the_site(world: World) -> None:
    author = world.post.author
    assert author is not None
    closing.close(author, now=timezone.now())
    erase_all()
    post = BlogPage.objects.get(pk=world.post.pk)
    assert post.live
    assert post.author_name == "Mailing service"
    assert post.image is not None, "a picture that is shown stays"


def test_the_log_keeps_what_was_done_and_forgets_to_whom(world: World) -> None:
    bob_before = ModelLogEntry.objects.filter(user=world.bob).count()
    entries = ModelLogEntry.objects.filter(user=world.alice)
    number = entries.count()
    assert number > 3
    closing.close(world.alice, now=timezone.now())
    erase_all()
    assert entries.count() > number
    assert {entry.label for entry in entries.exclude(action="accounts.close")} == {NO_LABEL}
    assert ModelLogEntry.objects.filter(user=world.bob).count() == bob_before


def test_the_picture_goes_at_once(
    alice: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    alice.avatar.save("me.webp", ContentFile(b"RIFF"))
    name = alice.avatar.name
    with django_capture_on_commit_callbacks(execute=True):
        closing.close(alice, now=timezone.now())
    assert not default_storage.exists(name)


def test_nobody_opens_a_closed_account(alice: User, manager: User, admin: User) -> None:
    closing.close(alice, now=timezone.now())
    closed = User.objects.get(pk=alice.pk)
    for by in (manager, admin):
        assert not may_block(closed, by=by)
        with pytest.raises(NotAllowed):
            set_active(closed, active=True, by=by)
        alice.closed_at = None  # what a page that was open before still believes
        assert not set_active(alice, active=True, by=by)
    assert not User.objects.get(pk=alice.pk).is_active


def test_closing_twice_is_closing_once(alice: User) -> None:
    closing.close(alice, now=NOW)
    closing.close(alice, now=NOW + timedelta(hours=1))
    assert Erasure.objects.get().email == "alice@people.test"


def test_the_only_administrator_stays(admin: User, make_user: Callable[..., User]) -> None:
    blocked = make_user("second", superuser=True)
    User.objects.filter(pk=blocked.pk).update(is_active=False)
    with pytest.raises(closing.LastAdministrator):
        closing.close(admin, now=NOW)
    assert not Erasure.objects.exists()


def test_every_group_is_left(make_user: Callable[..., User]) -> None:
    person = make_user("nora", *roles.ROLES)
    closing.close(person, now=NOW)
    assert not person.groups.exists()
