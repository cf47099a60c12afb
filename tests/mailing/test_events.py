"""Whose events somebody sees, and what they say."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone, translation
from wagtail.log_actions import log
from wagtail.models import ModelLogEntry

from accounts import roles
from accounts.blocking import set_active
from accounts.models import User
from mailing import events, lifecycle
from mailing.enums import ClientAction, MailingStatus
from mailing.events import look, phrase, visible_events
from tests.factories import make_client, make_mailing, make_message

pytestmark = pytest.mark.django_db


def told(user: User) -> list[tuple[str, str]]:
    return [(entry.action, entry.label) for entry in visible_events(user).order_by("pk")]


def test_what_was_done_by_oneself_and_to_ones_own(alice: User, bob: User, manager: User) -> None:
    for owner in (alice, bob):
        log(instance=make_client(owner, f"{owner.pk}@x.test"), action="wagtail.create", user=owner)
    mailing = make_mailing(alice, name="Harvest", status=MailingStatus.SCHEDULED)
    lifecycle.pause(mailing, by=alice)
    lifecycle.deactivate(mailing, by=manager, reason="Spam", now=timezone.now())
    set_active(alice, active=False, by=manager, reason="Spam")
    set_active(alice, active=True, by=manager)
    mine = [
        ("wagtail.create", f"{alice.pk}@x.test"),
        ("mailing.pause", "Harvest"),
        ("mailing.deactivate", "Harvest"),
        ("accounts.block", "Alice"),
        ("accounts.unblock", "Alice"),
    ]
    alice.refresh_from_db()
    assert told(alice) == mine
    assert told(bob) == [("wagtail.create", f"{bob.pk}@x.test")]
    assert len(told(manager)) == 6


def test_of_what_is_gone_too(alice: User) -> None:
    message = make_message(alice, subject="Old news")
    log(instance=message, action="wagtail.delete", user=alice)
    message.delete()
    mailing = make_mailing(alice, name="Harvest")
    lifecycle.delete(mailing, by=alice, now=timezone.now())
    assert told(alice) == [("wagtail.delete", "Old news"), ("wagtail.delete", "Harvest")]


def test_a_former_manager_sees_nothing_of_others_any_more(alice: User, manager: User) -> None:
    mailing = make_mailing(alice, name="Secret", status=MailingStatus.SCHEDULED)
    lifecycle.deactivate(mailing, by=manager, reason="Secret", now=timezone.now())
    set_active(alice, active=False, by=manager)
    manager.groups.clear()
    roles.give(manager, roles.USERS)
    assert told(User.objects.get(pk=manager.pk)) == []


def test_a_blocked_person_sees_nothing(alice: User, manager: User) -> None:
    set_active(alice, active=False, by=manager)
    assert told(alice) == []


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_action_has_words_and_a_look(alice: User, language: str) -> None:
    mailing = make_mailing(alice)
    with translation.override(language):
        known = dict(events.actions())
        bulk = [(f"mailing.clients.{action}", "client") for action in ClientAction]
        for action, kind in (*events._PHRASES, *bulk, ("client.import", "client")):
            instance: Any = {"user": alice}.get(kind, mailing)
            entry = ModelLogEntry.objects.log_action(instance, action, user=alice)
            assert known[action]
            assert phrase(entry)
            assert look(entry) != events._UNKNOWN


def test_an_action_without_words_of_ours_has_those_of_wagtail(alice: User) -> None:
    entry = ModelLogEntry.objects.log_action(make_mailing(alice), "wagtail.copy", user=alice)
    assert phrase(entry) == entry.message
    assert look(entry) == events._UNKNOWN
