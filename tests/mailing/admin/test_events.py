"""The event log as people see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.log_actions import log
from wagtail.models import ModelLogEntry

from accounts.blocking import set_active
from accounts.models import User
from mailing import lifecycle
from mailing.admin.events import EventPaginator
from mailing.enums import MailingStatus
from mailing.events import after_migrate, parts, visible_events
from mailing.importing import jobs, slices
from mailing.models import Mailing
from tests.factories import make_client, make_list, make_mailing, make_message
from tests.mailing.admin.screens import text_of, url_of
from tests.mailing.admin.test_export import table
from tests.mailing.importing.files import make_import

pytestmark = pytest.mark.django_db

EVENTS = "/admin/mailing/events/"


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


@pytest.fixture
def managers(manager: User, browse: Callable[..., Browser]) -> Browser:
    return browse(manager)


@pytest.fixture
def harvest(alice: User, manager: User) -> Mailing:
    mailing = make_mailing(alice, name="Harvest <1>", status=MailingStatus.SCHEDULED)
    lifecycle.deactivate(mailing, by=manager, reason="Looks <odd>", now=timezone.now())
    return mailing


def test_an_entry_says_who_did_what_to_which_object_and_when(
    harvest: Mailing, alices: Browser
) -> None:
    page = alices.get(EVENTS)
    words = text_of(page)
    assert "Mailing deactivated Harvest <1> Looks <odd> Manager" in words
    assert url_of("mailing", "inspect", harvest.pk) in page.text


def test_only_what_can_be_opened_is_linked(
    alice: User, harvest: Mailing, alices: Browser, managers: Browser
) -> None:
    for row in (make_message(alice), make_client(alice), make_list(alice)):
        log(instance=row, action="wagtail.edit", user=alice)
    lifecycle.delete(harvest, by=alice, now=timezone.now())
    gone = make_message(alice)
    log(instance=gone, action="wagtail.delete", user=alice)
    number = gone.pk
    gone.delete()
    page = alices.get(EVENTS).text
    assert page.count("/mailing/message/inspect/") == 1
    assert f"/message/inspect/{number}/" not in page
    assert page.count("/mailing/client/inspect/") == 1
    assert page.count("/mailing/clientlist/edit/") == 1
    assert "/mailing/mailing/inspect/" not in page
    assert "/mailing/clientlist/edit/" not in managers.get(EVENTS).text, "not to be edited by them"


def test_an_import_is_found_and_linked(alice: User, alices: Browser) -> None:
    row = make_import(alice, ["email", "anna@x.test"])
    jobs.start(row, now=timezone.now())
    slices.go_on(timezone.now)
    log(instance=make_message(alice), action="wagtail.create", user=alice)
    for query in ({"action": "client.import"}, {"kind": "mailing.clientimport"}):
        page = alices.get(EVENTS, query).text
        assert url_of("clientimport", "inspect", row.pk) in page
        assert "/message/inspect/" not in page


def test_filters_narrow_it(
    alice: User, bob: User, manager: User, harvest: Mailing, managers: Browser
) -> None:
    log(instance=make_client(bob, "bobs@x.test"), action="wagtail.create", user=bob)
    log(
        instance=make_client(bob, "old@x.test"),
        action="wagtail.create",
        user=bob,
        timestamp=timezone.now() - timedelta(days=8),
    )
    for query, seen, unseen in (
        (f"person={bob.pk}", "bobs@x.test", "Harvest"),
        ("action=mailing.deactivate", "Harvest", "bobs@x.test"),
        ("kind=mailing.client", "bobs@x.test", "Harvest"),
        ("days=7", "bobs@x.test", "old@x.test"),
    ):
        words = text_of(managers.get(f"{EVENTS}?{query}"))
        assert seen in words
        assert unseen not in words


@pytest.mark.parametrize(
    "query", ["person=x", "action=x", "kind=x.y", "days=x", "user__password=1"]
)
def test_nonsense_narrows_nothing(harvest: Mailing, managers: Browser, query: str) -> None:
    assert "Harvest" in text_of(managers.get(f"{EVENTS}?{query}", follow=True))


def test_a_user_gets_no_list_of_people(harvest: Mailing, alices: Browser, manager: User) -> None:
    words = text_of(alices.get(f"{EVENTS}?person={manager.pk}"))
    assert "Person" not in words
    assert "Harvest" in words


def test_an_export_is_the_list_and_is_written_down(
    bob: User, harvest: Mailing, alices: Browser, managers: Browser
) -> None:
    log(instance=make_client(bob, "bobs@x.test"), action="wagtail.create", user=bob)
    rows = table(managers.get(f"{EVENTS}?export=csv"))
    assert {row[2] for row in rows[1:]} == {"Client added", "Mailing deactivated", "List exported"}
    assert "bobs@x.test" not in str(table(alices.get(f"{EVENTS}?export=csv")))
    exported = ModelLogEntry.objects.filter(action="mailing.export")
    assert exported.count() == 2
    assert "List exported" in text_of(managers.get(EVENTS))


def test_queries_do_not_grow_with_the_entries(alice: User, bob: User, managers: Browser) -> None:
    def happen() -> None:
        for owner in (alice, bob):
            mailing = make_mailing(owner)
            for row in (mailing, mailing.message, make_client(owner), make_list(owner), owner):
                log(instance=row, action="wagtail.edit", user=owner)

    def queries() -> Any:
        with CaptureQueriesContext(connection) as captured:
            assert managers.get(EVENTS).status_code == 200
        return len(captured)

    happen()
    queries()  # fills what is remembered between requests
    few = queries()
    for _time in range(4):
        happen()
    assert queries() == few


def test_what_happened_to_the_account_is_there(
    alice: User, manager: User, alices: Browser, browse: Callable[..., Browser]
) -> None:
    set_active(alice, active=False, by=manager, reason="Spam")
    set_active(alice, active=True, by=manager)
    words = text_of(browse(User.objects.get(pk=alice.pk)).get(EVENTS))
    assert "Account blocked Alice Spam Manager" in words


@pytest.mark.parametrize("name", ["create", "edit/1", "delete/1"])
def test_nobody_writes_it(managers: Browser, harvest: Mailing, name: str) -> None:
    entry = ModelLogEntry.objects.latest("pk")
    path = f"{EVENTS}{name.replace('1', str(entry.pk))}/"
    assert managers.post(path)["Location"] == "/admin/"
    assert ModelLogEntry.objects.filter(pk=entry.pk).exists()


@pytest.mark.parametrize("order", [("-timestamp", "-id"), ("timestamp", "-id")])
@pytest.mark.parametrize("narrowed", [{}, {"action": "wagtail.edit"}])
def test_pages_are_those_of_the_whole_log(
    order: tuple[str, str],
    narrowed: dict[str, str],
    alice: User,
    bob: User,
    manager: User,
    harvest: Mailing,
) -> None:
    start = timezone.now()
    client, bobs = make_client(alice), make_client(bob)
    for number in range(20):
        # Moments repeat, and the order of writing is not that of time: so is the sample data.
        at = start - timedelta(hours=number * 7 % 5)
        instance: Any = (client, harvest, alice, bobs)[number % 4]
        by = (alice, manager, manager, bob)[number % 4]
        action = "wagtail.edit" if number % 3 else "wagtail.create"
        log(instance=instance, action=action, user=by, timestamp=at)
    rows = visible_events(alice).filter(**narrowed).order_by(*order)
    pages = EventPaginator(rows, 4, parts(alice))
    shown = [entry.pk for number in pages.page_range for entry in pages.page(number)]
    assert len(shown) > 4
    assert shown == [entry.pk for entry in rows]
    assert pages.count == len(shown)


def test_the_log_has_indexes_of_its_own() -> None:
    after_migrate("default")  # once more changes nothing
    with connection.cursor() as cursor:
        there = connection.introspection.get_constraints(cursor, ModelLogEntry._meta.db_table)
    assert there["mailing_event_of_user"]["columns"] == ["user_id", "timestamp", "id"]
    assert there["mailing_event_newest"]["columns"] == ["timestamp", "id"]
