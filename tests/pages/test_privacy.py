"""What one reader's page holds reaches no other reader, by whatever way and in whatever order.

Two owners, a manager and visitors ask for all pages that are kept, from eight threads at once,
while rows change and groups are dropped. PAGES=broad asks 5,000 times, PAGES=all 100,000 times.
"""

from __future__ import annotations

import itertools
import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client as Jar
from django.urls import reverse

from accounts.models import User
from blog.models import BlogPage
from mailing.enums import MailingStatus
from mailing.models import Client, ClientTag, Mailing
from site_project import page_cache
from tests.access.world import DRAFT_SECRET, World, make_world
from tests.blog.posts import make_post
from tests.pages.readers import (
    Answer,
    Browser,
    renderings_are_noticed,
)

pytestmark = pytest.mark.django_db(transaction=True)

SELECTION = os.environ.get("PAGES", "")
REQUESTS = {"": 400, "broad": 5_000, "all": 100_000}[SELECTION]
THREADS = 8
_REQUESTS_PER_WRITE = 200
LANGUAGES = ("en", "ru")
MANAGER = "CANARY-manager"

Browse = Callable[..., Jar]


@pytest.fixture
def world() -> World:
    made = make_world()
    User.objects.filter(pk=made.manager.pk).update(
        first_name=f"{MANAGER} first_name", avatar=f"avatars/{MANAGER}.png"
    )
    for owned in (made.alices, made.bobs):
        tag = ClientTag.objects.create(owner=owned.owner, name=f"{owned.secrets[0]} tag")
        owned.client.tags.add(tag)
    for number in range(11):  # two pages of them
        make_post(f"Post of {number}", owner=made.blogger, tags=("sea",))
    return made


@pytest.fixture(autouse=True)
def noticed() -> Iterator[None]:
    with renderings_are_noticed():
        yield


@pytest.fixture
def enter(browse: Browse) -> Callable[..., Browser]:
    """Return a browser of somebody; `None` for a visitor."""

    def browser(user: User | None = None, **headers: str) -> Browser:
        return Browser.of(browse(user), **headers)

    return browser


Enter = Callable[..., Browser]


# --- All pages that are kept ----------------------------------------------------------------------


def addresses(world: World) -> list[str]:
    """Return all addresses of all groups, each bare and with each value of each parameter.

    A group, a view or a parameter that is new is missing here, and fails.
    """
    found: list[str] = []
    for group in page_cache._groups:
        found += group.paths
        for view in group.views:
            for path in _paths(world)[view]:
                found.append(path)
                found += [
                    f"{path}?{name}={value}"
                    for name in group.params
                    for value in _values(world, group.name)[name]
                ]
    return found


def _paths(world: World) -> dict[str, list[str]]:
    owned = (world.alices, world.bobs)
    mailings = [mailing for belongings in owned for mailing in belongings.mailings.values()]
    inspect = "mailing_mailing_modeladmin_inspect"
    return {
        "wagtail_serve": ["/blog/", "/blog/public-post/", "/blog/post-of-1/"],
        "mailing_mailing_modeladmin_index": [reverse("mailing_mailing_modeladmin_index")],
        inspect: [reverse(inspect, args=(mailing.pk,)) for mailing in mailings],
        "mailing_message_modeladmin_index": [reverse("mailing_message_modeladmin_index")],
        "mailing_client_modeladmin_index": [reverse("mailing_client_modeladmin_index")],
    }


def _values(world: World, group: str) -> dict[str, list[Any]]:
    owned = (world.alices, world.bobs)
    if group == "blog":
        return {"p": [1, 2, 99], "tag": ["sea", "no-such"]}
    statuses = [*MailingStatus.values, "active"]
    return {
        "o": ["1", "-1"],
        "p": [0, 1],
        "owner": [belongings.owner.pk for belongings in owned],
        "list": [belongings.client_list.pk for belongings in owned],
        "tag": list(ClientTag.objects.values_list("pk", flat=True)),
        "import": [belongings.done_import.pk for belongings in owned],
        "language": ["en", "none"],
        "status": statuses if group == "mailings" else ["active", "suppressed"],
    }


# --- Nobody sees what is another's ----------------------------------------------------------------


@dataclass(frozen=True)
class Reader:
    """A person, or all visitors: what they may not be shown, and what names them."""

    user: User | None
    secrets: tuple[str, ...]
    mark: str = ""

    def faults(self, browser: Browser, address: str, answer: Answer) -> list[str]:
        """Return what is wrong with an answer."""
        shown = answer.everything
        faults = [f"{secret} in {address}" for secret in self.secrets if secret in shown]
        if answer.status >= 500:
            faults.append(f"{answer.status} of {address}")
        # One that is in use for five minutes is noted anew, and its cookie with it.
        if "sessionid=" in answer.text or not browser.owns_session_of(answer):
            faults.append(f"a strange session in {address}")
        if not browser.owns_tokens_of(answer):
            faults.append(f"a strange CSRF token in {address}")
        if answer.status == 200 and address.startswith("/admin/") and self.mark not in shown:
            faults.append(f"not the page of {self.mark}: {address}")
        if answer.status == 200 and self.user and answer["Cache-Control"].count("no-store") != 1:
            faults.append(f"may be stored: {address}")
        return faults


def readers(world: World) -> list[Reader]:
    alices, bobs = world.alices.secrets, world.bobs.secrets
    always = (DRAFT_SECRET,)
    return [
        Reader(world.alice, (*bobs, *always, MANAGER), "CANARY-alice first_name"),
        Reader(world.bob, (*alices, *always, MANAGER), "CANARY-bob first_name"),
        Reader(
            world.manager,
            (*always, "avatars/CANARY-alice", "avatars/CANARY-bob"),
            f"{MANAGER} first_name",
        ),
        Reader(None, (*alices, *bobs, *always, "CANARY")),
    ]


def test_each_reader_after_each_other_cold_and_warm(world: World, enter: Enter) -> None:
    people = [(reader, enter(reader.user)) for reader in readers(world)]
    found, faults, hits = addresses(world), [], 0
    if not SELECTION:
        found = random.Random(7).sample(found, 12)
    for address in found:
        for order in (people, people[::-1]):
            _drop_all()
            for _, (reader, browser) in itertools.product(("cold", "warm"), order):
                answer = browser.get(address)
                faults += reader.faults(browser, address, answer)
                hits += answer.hit
    assert faults == []
    assert hits > len(found)


def test_eight_threads_while_rows_change(world: World, enter: Enter) -> None:
    every = addresses(world)
    people = readers(world)
    browsers = {
        (number, reader): enter(
            reader.user, accept_language=LANGUAGES[number % len(LANGUAGES)], accept_encoding="gzip"
        )
        for number in range(THREADS)
        for reader in people
    }
    done, faults, seen = threading.Event(), [], Counter[str]()

    def read(number: int) -> None:
        choose = random.Random(number)
        often = random.Random(0).sample(every, len(every))  # the same pages are popular with all
        weights = [1 / rank for rank in range(1, len(every) + 1)]
        if not SELECTION:  # few requests would meet few pages twice
            often = [path for path in every if "?" not in path][:: THREADS // 2]
            weights = [1.0] * len(often)
        try:
            for _ in range(REQUESTS // THREADS):
                reader = choose.choice(people)
                browser = browsers[number, reader]
                address = choose.choices(often, weights)[0]
                answer = browser.get(address)
                seen["hits" if answer.hit else "misses"] += 1
                seen[str(answer.status)] += 1
                faults.extend(reader.faults(browser, address, answer))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS + 1) as pool:
        writer = pool.submit(_change_rows, world, done, seen)
        threads = [pool.submit(read, number) for number in range(THREADS)]
        try:
            for thread in threads:
                thread.result()
        finally:
            done.set()
        writer.result()
    print(f"\n{REQUESTS} requests: {dict(seen)}")  # noqa: T201 - with -s, for the record
    assert faults == []
    assert seen["hits"] + seen["misses"] == REQUESTS
    assert min(seen["hits"], seen["misses"]) > REQUESTS // 12
    assert seen["writes"] > 5
    assert seen["404"] > 0  # pages of others


def _change_rows(world: World, done: threading.Event, seen: Counter[str]) -> None:
    """Write what pages show, and drop pages besides, until the readers are done."""
    choose = random.Random(0)
    try:
        while not done.wait(0.01):
            if seen["hits"] + seen["misses"] < (seen["writes"] + 1) * _REQUESTS_PER_WRITE:
                continue
            _change(world, choose, seen["writes"])
            seen["writes"] += 1
    finally:
        connection.close()


def _change(world: World, choose: random.Random, number: int) -> None:
    owned = choose.choice((world.alices, world.bobs))
    owner, text = owned.owner, f"{owned.secrets[0]} {number}"
    kind = choose.randrange(5)
    if kind == 0:
        Client.objects.filter(owner=owner).update(comment=text)
    elif kind == 1:
        Mailing.objects.filter(owner=owner).update(reason=text)
    elif kind == 2:
        User.objects.filter(pk=owner.pk).update(last_name=text)
    elif kind == 3:
        BlogPage.objects.filter(pk=world.post.pk).update(intro=str(number))
    else:
        choose.choice(page_cache._groups).drop()


def _drop_all() -> None:
    for group in page_cache._groups:
        group.drop()
