"""Readers of a post are counted exactly, from many threads and processes, from pages of the cache.

Crawlers, prefetching browsers and previews are not.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client as Jar

from accounts.models import User
from blog import readership
from blog.models import BlogPage, Readership
from tests.blog.posts import make_post
from tests.pages.elsewhere import ROOT, environment
from tests.pages.readers import Answer, Browser, renderings_are_noticed

pytestmark = pytest.mark.django_db(transaction=True)

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1)"
THREADS, REQUESTS = 4, 50


@pytest.fixture(autouse=True)
def noticed() -> Iterator[None]:
    with renderings_are_noticed():
        yield


@pytest.fixture
def post() -> BlogPage:
    return make_post("Dahlias")


def written() -> int:
    """Return what the table holds once all that was counted is there."""
    for _ in range(2):  # what was counted until the call before
        readership.write_down()
    return sum(Readership.objects.values_list("readers", flat=True))


def read(url: str, times: int = REQUESTS) -> list[Answer]:
    """Be a reader with a browser of his own."""
    browser = Browser(headers={"user_agent": FIREFOX})
    try:
        return [browser.get(url) for _ in range(times)]
    finally:
        connections.close_all()


def test_from_four_threads(post: BlogPage) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        readers = [pool.submit(read, post.url) for _ in range(THREADS)]
        answers = [answer for reader in readers for answer in reader.result()]
    assert {answer.status for answer in answers} == {200}
    hits = sum(answer.hit for answer in answers)
    assert 0 < len(answers) - hits <= 2 * THREADS  # rendered, too, they count once
    assert written() == THREADS * REQUESTS


def test_while_it_is_written_down(post: BlogPage) -> None:
    """What is counted at this moment goes into the round that ends or into the next one."""
    with ThreadPoolExecutor(THREADS) as pool:
        readers = [pool.submit(read, post.url) for _ in range(THREADS)]
        while readership.shown(post.pk) < REQUESTS and not all(r.done() for r in readers):
            time.sleep(0.01)
        readership.write_down()
        for reader in readers:
            reader.result()
    assert written() == THREADS * REQUESTS


def test_from_two_processes(post: BlogPage) -> None:
    """They are served what this one has rendered."""
    here = len(read(post.url, 2))
    code = (
        "import django; django.setup()\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from tests.pages.readers import renderings_are_noticed\n"
        "from tests.pages.test_readers import THREADS, read\n"
        "with renderings_are_noticed(), ThreadPoolExecutor(THREADS) as pool:\n"
        f"    readers = [pool.submit(read, {post.url!r}) for _ in range(THREADS)]\n"
        "    answers = [answer for reader in readers for answer in reader.result()]\n"
        "print(sum(answer.status == 200 and answer.hit for answer in answers))\n"
    )
    command = [sys.executable, "-c", code]
    both = [
        subprocess.Popen(command, cwd=ROOT, env=environment(), text=True, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    hits = [int(process.communicate(timeout=120)[0]) for process in both]
    assert hits == [THREADS * REQUESTS] * 2
    assert written() == here + sum(hits)


@pytest.mark.parametrize(
    "headers",
    [
        {"user_agent": GOOGLE},
        {"user_agent": ""},
        {"user_agent": FIREFOX, "sec_purpose": "prefetch"},
    ],
)
def test_from_the_cache_no_crawler_is_counted_either(
    post: BlogPage, headers: dict[str, str]
) -> None:
    people = len(read(post.url, 2))
    answer = Browser().get(post.url, headers=headers)
    assert answer.hit
    assert Browser().send("HEAD", post.url, headers={"user_agent": FIREFOX}).status == 200
    assert readership.shown(post.pk) == people
    assert written() == people


def test_previews_are_not_counted(browse: Callable[..., Jar], admin: User) -> None:
    post = make_post("Published", owner=admin)
    post.save_revision(user=admin)
    editor = Browser.of(browse(admin), user_agent=FIREFOX)
    for _ in range(3):
        assert editor.get(f"/admin/pages/{post.pk}/view_draft/").status == 200
    assert written() == 0
