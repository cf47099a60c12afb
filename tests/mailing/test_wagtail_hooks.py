"""What mailing hangs into the admin: menus, addresses and the words of the event log."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client as Browser
from django.utils import translation
from wagtail.admin.menu import admin_menu
from wagtail.log_actions import registry

from accounts.models import User
from mailing import lifecycle
from mailing.admin.actions import ACTIONS
from mailing.enums import MailingStatus
from mailing.models import Mailing
from tests.factories import NOW
from tests.mailing.admin.screens import text_of, url_of
from tests.mailing.runs import daily_in

pytestmark = pytest.mark.django_db

OURS = ["Mailings", "Messages", "Clients", "Client lists", "Attempts", "Intervals", "Event log"]


def menu(browser: Browser) -> list[str]:
    """Return our entries of the main menu in the order in which they stand."""
    page = browser.get("/admin/")
    items = admin_menu.menu_items_for_request(page.wsgi_request)
    labels = [str(item.label) for item in sorted(items, key=lambda item: item.order)]
    return [label for label in labels if label in [*OURS, "Deliveries"]]


def test_each_role_finds_what_it_may_open(
    alice: User, manager: User, blogger: User, admin: User, browse: Callable[..., Browser]
) -> None:
    assert set(menu(browse(alice))) == set(OURS) - {"Intervals"}
    assert set(menu(browse(manager))) == set(menu(browse(admin))) == set(OURS)
    assert menu(browse(blogger)) == []
    assert menu(browse(alice))[0] == "Mailings"


def test_what_is_in_the_menu_opens(
    alice: User, manager: User, browse: Callable[..., Browser]
) -> None:
    for person in (alice, manager):
        browser = browse(person)
        page = browser.get("/admin/")
        for item in admin_menu.menu_items_for_request(page.wsgi_request):
            if str(item.label) in OURS:
                assert browser.get(item.url).status_code == 200, item.label


def test_the_front_page_shows_mailings_to_those_who_may_see_some(
    alice: User, blogger: User, browse: Callable[..., Browser]
) -> None:
    assert "Coming up" in text_of(browse(alice).get("/admin/"))
    assert "Coming up" not in text_of(browse(blogger).get("/admin/"))


def test_every_act_that_is_logged_has_words(alice: User, manager: User) -> None:
    """An action that is not registered would be refused by Wagtail, or show as its code."""
    source = Path(lifecycle.__file__).read_text()
    logged = set(re.findall(r'action="(mailing\.\w+)"', source))
    assert len(logged) == 8
    for action in logged:
        assert registry.action_exists(action), action
        assert str(registry.get_action_label(action)) != action
    labels = [str(label) for code, label in registry.get_choices() if code in logged]
    assert len(set(labels)) == len(logged), "each has words of its own"


def test_the_event_log_speaks_the_readers_language(
    alice: User, manager: User, browse: Callable[..., Browser]
) -> None:
    mailing = daily_in(alice, MailingStatus.SCHEDULED)
    lifecycle.deactivate(mailing, by=manager, reason="Spam", now=NOW)
    url = url_of("mailing", "inspect", mailing.pk)
    words = text_of(browse(alice).get(url))
    assert "Deactivated" in words
    assert "Manager" in words, "who did it"
    with translation.override("ru"):
        message = str(registry.get_formatter(_entry(mailing)).format_message(_entry(mailing)))
    assert message != "Deactivated"


def test_actions_on_a_mailing_have_addresses() -> None:
    for name in ACTIONS:
        assert url_of("mailing", name, 7) == f"/admin/mailing/mailing/{name}/7/"
    assert url_of("mailing", "progress", 7) == "/admin/mailing/mailing/progress/7/"


def _entry(mailing: Mailing) -> object:
    return registry.get_logs_for_instance(mailing).first()
