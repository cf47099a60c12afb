"""Every address of the site times every role: table.txt says what each must be answered.

The ordinary suite visits our own screens; ACCESS=all also those that are Wagtail's. Failures are
collected, so that one run shows all of them.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.utils import timezone
from taggit.models import Tag

from accounts import roles
from accounts.models import User
from mailing.enums import DeliveryState, MailingStatus
from mailing.models import Client as MailedClient
from tests.access.addresses import Addresses, in_every_status, is_owned, route_of, routes
from tests.access.dependents import differences, picture_of
from tests.access.table import OUTSIDERS, ROLES, Row, read_table
from tests.access.visits import Answer, visit
from tests.access.world import DRAFT_SECRET, World
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

Browsers = dict[str, Client]

TABLE = read_table()
CATCH_ALLS = {r"^((?:[\w\-]+/)*)$", r"admin/.*/$"}
"""They answer what nothing else does, so a row of a screen that is gone would pass for a page."""

LATE = pytest.mark.whole_site
PARTS = [
    pytest.param("ours", ("GET", "POST"), id="ours"),
    pytest.param("ours", ("HEAD",), id="ours-head", marks=LATE),
    pytest.param("wagtail", ("GET", "POST"), id="wagtail", marks=LATE),
]
POSTS = [
    pytest.param(role, part, marks=() if (role, part) == ("stranger", "ours") else LATE)
    for role in (*OUTSIDERS, "stranger", "blogger", "manager")
    for part in ("ours", "wagtail")
]
# Whoever has the token may read the letter's page; editing sessions are ended without a word.
KEYS = {"/u/{token}/", "/admin/editing-sessions/release/{session}/"}
ENDS_SESSION = re.compile("/(confirm-email|login|logout|signup)/")
# What managers may do to what is another's.
MANAGERS_POWERS = re.compile("/(deactivate|lift|active|set_active_state)/")
NEW = "new@clients.test"
NO_POWER = (False, False, True, roles.USERS.name)


def test_every_route_has_a_row_and_every_row_a_route(world: World) -> None:
    addresses = Addresses(world, world.alices)
    found = {row.address: route_of(addresses.fill(row.address)) for row in TABLE}
    assert routes() - set(found.values()) == set()
    caught = {address for address, route in found.items() if route in CATCH_ALLS}
    assert caught == {row.address for row in TABLE if row.section == "pages"}
    assert len(found) == len(TABLE), "an address has two rows"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("part", "methods"), PARTS)
def test_each_address_answers_as_the_table_says(
    world: World, browser_of: Browsers, part: str, methods: tuple[str, ...], role: str
) -> None:
    addresses = Addresses(world, world.alices)
    failures = []
    for row in _rows_of(part):
        address = addresses.fill(row.address)
        for method in methods:
            answer = visit(browser_of[role], method, address)
            expected = row.answers[role][method == "POST"]
            if answer.shown != expected:
                failures.append(f"{method} {row.address}: expected {expected}, got {answer.shown}")
            told = answer.text.replace(address, "")
            shown = [secret for secret in _secrets(world, role, row) if secret in told]
            if shown:
                failures.append(f"{method} {row.address}: shows {', '.join(shown)}")
    assert not failures, _report(role, failures)


def _secrets(world: World, role: str, row: Row) -> tuple[str, ...]:
    if row.address in KEYS:
        return ()
    drafts = () if role in {"blogger", "manager", "superuser"} else (DRAFT_SECRET,)
    owners = () if role in {"owner", "manager", "superuser"} else world.alices.secrets
    return (*drafts, *owners)


def test_a_stranger_gets_404_for_every_object_of_alice_on_every_admin_url(
    world: World, browser_of: Browsers
) -> None:
    addresses = Addresses(world, world.alices)
    failures = []
    for address in _admin_addresses_of_objects():
        path = addresses.fill(address)
        shown = {visit(browser_of["stranger"], method, path).shown for method in ("GET", "POST")}
        if "404" not in shown or not shown <= {"404", "405"}:
            failures.append(f"{address}: {shown}")
    assert not failures, _report("stranger", failures)


def _admin_addresses_of_objects() -> list[str]:
    rows = [row.address for row in TABLE if row.address.startswith("/admin/")]
    named = [a for a in rows if is_owned(a.partition("?")[0]) and a not in KEYS]
    return sorted({address for row in named for address in in_every_status(row)})


@pytest.mark.parametrize("role", ["stranger", pytest.param("blogger", marks=LATE)])
def test_what_is_anothers_answers_like_what_does_not_exist(
    world: World, browser_of: Browsers, role: str
) -> None:
    addresses = Addresses(world, world.alices)
    failures = []
    for address in (row.address for row in TABLE if is_owned(row.address)):
        for method in ("GET", "POST"):
            foreign, missing = (
                _body(visit(browser_of[role], method, path), path)
                for path in (addresses.fill(address), addresses.fill_missing(address))
            )
            if foreign != missing:
                failures.append(f"{method} {address}: {foreign[:3]}, but {missing[:3]} if missing")
    assert not failures, _report(role, failures)


def _body(answer: Answer, path: str) -> str:
    """Return status and body without what is new on each page, and without what was asked for."""
    asked = path.partition("?")[2] or path
    echoes = (re.escape(asked), f'value="{asked.rpartition("=")[2]}"', r"\b\w{64}\b")
    return answer.shown + re.sub("|".join(echoes), "", answer.body)


@pytest.mark.parametrize(("role", "part"), POSTS)
def test_no_post_changes_what_is_alices(
    world: World, browser_of: Browsers, role: str, part: str
) -> None:
    """Post to her things and to Bob's, with her ids in whatever a form may take or not."""
    before, powers = picture_of(world.alice), _powers()
    failures, made = [], set()
    modest, greedy = _hostile(world), _hostile(world) | _foreign(world)
    alices, bobs = Addresses(world, world.alices), Addresses(world, world.bobs)
    for addresses, data in ((alices, modest), (bobs, modest), (bobs, greedy)):
        with transaction.atomic():
            for address in _addresses_to_post_to(part):
                visit(browser_of[role], "POST", addresses.fill(address), data, undo=False)
            failures += differences(before, picture_of(world.alice))
            failures += [f"gained: {row}" for row in _powers() - powers if row[1:] != NO_POWER]
            failures += [f"everybody sees the tag {tag}" for tag in Tag.objects.all()]
            made |= set(MailedClient.objects.filter(email=NEW).values_list("owner", flat=True))
            transaction.set_rollback(True)
    assert not failures, _report(role, failures)
    works = (role, part) == ("stranger", "ours")
    assert made == ({world.bob.pk} if works else set()), "what is allowed must work"


def _addresses_to_post_to(part: str) -> list[str]:
    """Return them with those last that end a session, without which the others would be tame."""
    named = [row.address for row in _rows_of(part) if row.address not in KEYS]
    tame = [address for address in named if not MANAGERS_POWERS.search(address)]
    return sorted(tame, key=lambda address: bool(ENDS_SESSION.search(address)))


def _hostile(world: World) -> dict[str, Any]:
    """Return what makes our forms valid, and the fields that no form may take from a visitor."""
    alice, now = world.alice, timezone.now()
    return {
        "email": NEW,
        "password1": PASSWORD,
        "password2": PASSWORD,
        "first_name": "Bob",
        "name": "New name",
        "title": "New title",
        "tags": "New tag",
        "collection": world.alices.image.collection_id,
        "subject": "New subject",
        "language": "en",
        "body-count": 1,
        "body-0-deleted": "",
        "body-0-order": 0,
        "body-0-type": "heading",
        "body-0-value": "New heading",
        "body-0-id": "",
        "card": "personal",
        "reason": "New reason",
        "owner": alice.pk,
        "owner_id": alice.pk,
        "user": alice.pk,
        "uploaded_by_user": alice.pk,
        "id": world.alices.client.pk,
        "pk": world.alices.client.pk,
        "is_staff": "on",
        "is_superuser": "on",
        "is_active": "on",
        "groups": list(Group.objects.values_list("pk", flat=True)),
        "active": "0",
        "status": MailingStatus.COMPLETED,
        "state": DeliveryState.SENT,
        "created_at": now.isoformat(),
        "next_due_at": now.isoformat(),
        "email_normalized": "another@clients.test",
    }


def _foreign(world: World) -> dict[str, Any]:
    """Return choices that only Alice has."""
    alices = world.alices
    return {
        "lists": [alices.client_list.pk],
        "clients": [alices.client.pk],
        "add_clients": [alices.client.pk],
        "message": alices.message.pk,
        "period": alices.mailing.period_id,
        "starts_at": "2030-01-01T10:00",
        "time_zone": "Europe/London",
        "run": alices.run.pk,
        "body-0-type": "picture",
        "body-0-value-image": alices.image.pk,
        "body-0-value-alt_text": "New text",
    }


def _powers() -> set[tuple[Any, ...]]:
    fields = ("pk", "is_staff", "is_superuser", "is_active", "groups__name")
    return set(User.objects.values_list(*fields))


def _rows_of(part: str) -> list[Row]:
    """Return Wagtail's rows, or ours and those of the pages."""
    return [row for row in TABLE if (row.section == "wagtail") == (part == "wagtail")]


def _report(role: str, failures: list[str]) -> str:
    return "\n".join([f"{len(failures)} as {role}:", *failures])
