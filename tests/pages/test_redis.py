"""A Redis that is away, locked, full or throwing away: pages are slower, never old, never an error.

Each test has a server of its own. Rows change all the while, and each answer must show the newest.
"""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.test import Client as Jar
from pytest_django import Settings

from accounts.models import User
from blog.models import BlogPage
from mailing.models import Mailing
from mailing.pages import MAILINGS
from site_project import page_cache, page_drops
from site_project.environment import Environment, for_pages
from tests.blog.posts import make_post
from tests.factories import make_mailing
from tests.faults.servers import Redis
from tests.pages.readers import Answer, Browser, renderings_are_noticed

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/mailing/mailing/"
PASSWORD = "locked"
SILENCE = 0.5
"""Seconds after which a server that does not answer is taken to be away."""
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def noticed() -> Iterator[None]:
    with renderings_are_noticed():
        yield


@pytest.fixture
def server(settings: Settings) -> Iterator[Redis]:
    """Return the server that all pages are kept by."""
    with Redis() as server:
        config = Environment(Path()).cache("THE_TEST_S_CACHE_URL", server.url)
        config["OPTIONS"]["socket_timeout"] = SILENCE
        settings.CACHES = {"default": config, "pages": for_pages(config, kept=True)}
        yield server
    page_drops._drops.flush()


class Reader:
    """Somebody who looks at a list and a post, both of which must show what was written last."""

    def __init__(self, browser: Browser, mailing: Mailing, post: BlogPage) -> None:
        self.browser, self.mailing, self.post = browser, mailing, post
        self.name = ""
        self.write()

    def write(self) -> None:
        self.name = f"Newest {next(_numbers)}!"
        Mailing.objects.filter(pk=self.mailing.pk).update(name=self.name)
        BlogPage.objects.filter(pk=self.post.pk).update(title=self.name)

    def read(self, url: str) -> Answer:
        answer = self.browser.get(url)
        assert answer.status == 200
        assert self.name in answer.text, f"{url} is stale"
        return answer

    def look(self) -> int:
        """Return how many of the pages came from the cache."""
        return sum(self.read(url).hit for url in (LIST, self.post.url))

    def is_served_again(self, within: float = 10) -> bool:
        until = time.monotonic() + within
        while time.monotonic() < until:
            if self.look() == 2:
                return True
            time.sleep(0.05)
        return False


@pytest.fixture
def reader(server: Redis, browse: Callable[..., Jar], alice: User) -> Reader:
    found = Reader(Browser.of(browse(alice)), make_mailing(alice), make_post("Dahlias"))
    assert found.is_served_again()
    return found


def lock(server: Redis) -> None:
    """Let nobody in any more; what the server holds stays."""
    server.client.config_set("requirepass", PASSWORD)
    redis.Redis(port=server.port, password=PASSWORD).client_kill_filter(_type="normal")


def unlock(server: Redis) -> None:
    redis.Redis(port=server.port, password=PASSWORD).config_set("requirepass", "")


def test_killed_and_started_again(server: Redis, reader: Reader) -> None:
    server.end(signal.SIGKILL)
    for _ in range(3):
        reader.write()
        started = time.monotonic()
        assert reader.look() == 0
        assert time.monotonic() - started < 5
    server.start()
    assert reader.is_served_again()
    reader.write()
    reader.look()


def test_locked_and_opened_again_with_all_the_old_pages_in_it(
    server: Redis, reader: Reader
) -> None:
    old = MAILINGS.token()
    pages = len(server.client.keys("*page:*"))
    lock(server)
    reader.write()
    assert reader.look() == 0
    unlock(server)
    assert len(server.client.keys("*page:*")) == pages
    assert reader.is_served_again()
    assert MAILINGS.token() != old  # for other processes too, the old pages are worth nothing


def test_opened_again_between_two_requests_before_the_drop_is_made_good(
    server: Redis, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_drops, "SECONDS", 3.0)
    lock(server)
    reader.write()
    unlock(server)
    for _ in range(3):
        assert reader.look() == 0
    page_drops._drops.flush()
    assert reader.is_served_again()


def test_silent(server: Redis, reader: Reader) -> None:
    """A write waits once for an answer, not once for each group of pages."""
    server.stop_answering()
    started = time.monotonic()
    for _ in range(5):
        reader.write()
    assert time.monotonic() - started < 3 * SILENCE
    assert reader.look() == 0
    server.answer_again()
    assert reader.is_served_again()


def test_full(server: Redis, reader: Reader) -> None:
    server.fill_up()
    assert reader.look() == 2  # what is there may be read
    for _ in range(3):
        reader.write()
        for _ in range(2):
            assert reader.look() == 0
    server.client.config_set("maxmemory", 0)
    assert reader.is_served_again()


@pytest.mark.parametrize("policy", ["allkeys-random", "allkeys-lru", "volatile-ttl"])
def test_throwing_away(server: Redis, reader: Reader, policy: str) -> None:
    """Tokens and pages alike: `volatile-ttl` never takes a token, the others do."""
    full_at = server.client.info("memory")["used_memory"] + 300_000
    server.client.config_set("maxmemory-policy", policy)
    server.client.config_set("maxmemory", full_at)
    hits = 0
    for number in range(30):
        if number % 5 == 0:
            reader.write()
        hits += reader.look()
        reader.browser.get(f"{LIST}?o={number}")  # more pages than there is room for
    assert server.client.info("stats")["evicted_keys"] > 0
    assert hits > 0


def test_emptied(server: Redis, reader: Reader) -> None:
    for _ in range(3):
        server.client.flushall()
        assert reader.look() == 0
        assert reader.look() == 2
        reader.write()


def test_who_starts_drops_what_a_process_that_died_has_owed(server: Redis, reader: Reader) -> None:
    old = MAILINGS.token()
    page_cache.drop_all()
    assert MAILINGS.token() != old
    assert reader.look() == 0
