"""Redis is killed, emptied or full: pages answer, people stay signed in, letters leave. Row 12."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from mailing.enums import MailingStatus
from site_project.environment import Environment
from tests.conftest import PASSWORD
from tests.factories import make_mailing
from tests.faults.installation import Installation, await_more, wait_for
from tests.faults.servers import Redis
from tests.sink import Mood, Sink

LETTERS = 150
GOES_ON_SECONDS = 30


@pytest.fixture
def server() -> Iterator[Redis]:
    with Redis() as server:
        yield server


def killed(server: Redis) -> None:
    server.end(signal.SIGKILL)


def emptied(server: Redis) -> None:
    server.client.flushall()


def full(server: Redis) -> None:
    server.fill_up()


FAULTS = [killed, emptied, full]
Fault = Callable[[Redis], None]


def use(settings: Settings, server: Redis) -> None:
    """Have the pages keep their cache there, as CACHE_URL does."""
    settings.CACHES = {"default": Environment(Path()).cache("THE_TEST_S_CACHE_URL", server.url)}


@pytest.mark.django_db
@pytest.mark.parametrize("fault", FAULTS)
def test_pages_answer_and_people_stay_signed_in(
    server: Redis,
    settings: Settings,
    alice: User,
    browse: Callable[[User | None], Client],
    fault: Fault,
) -> None:
    use(settings, server)
    cache.set("used", True)
    assert cache.get("used"), "by this very cache"
    mailing = make_mailing(alice, status=MailingStatus.SCHEDULED)
    pages = [
        "/",
        "/admin/",
        "/admin/mailing/mailing/",
        f"/admin/mailing/mailing/inspect/{mailing.pk}/",
    ]
    browser = browse(alice)
    for path in pages:
        assert browser.get(path).status_code == 200
    fault(server)
    for path in pages:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert answer.wsgi_request.user == alice, path
    ready = browser.get("/readyz")
    assert ready.json()["cache"] is (fault is emptied), "it is told"


@pytest.mark.django_db
@pytest.mark.parametrize("fault", FAULTS)
def test_people_can_sign_in(server: Redis, settings: Settings, alice: User, fault: Fault) -> None:
    use(settings, server)
    fault(server)
    browser = Client()
    answer = browser.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    assert answer.status_code == 302
    assert browser.get("/admin/").wsgi_request.user == alice


def test_letters_go_on_leaving(server: Redis, install: Callable[..., Installation]) -> None:
    with Sink(Mood(dot_delay=0.1)) as sink:
        due = install(
            CACHE_URL=server.url, EMAIL_URL=f"smtp://127.0.0.1:{sink.port}", SMTP_CONNECTIONS="2"
        )
        make = f"from tests.faults.chores import make_due_mailing; make_due_mailing({LETTERS})"
        assert due.manage("shell", "--no-imports", "-c", make).returncode == 0
        arrived = sink.ledger.letters
        with due.running("qcluster"):
            wait_for(lambda: len(arrived) >= 5, within=60, what="the first letters")
            assert server.client.dbsize() > 0, "the cluster uses this very cache"
            for fault in (emptied, full, killed):
                fault(server)
                await_more(arrived, 20, within=GOES_ON_SECONDS)
            wait_for(
                lambda: due.read("SELECT status FROM mailing_run") == [("completed",)],
                within=GOES_ON_SECONDS,
                what="the end of the run",
            )
        assert due.read("SELECT state, count(*) FROM mailing_delivery GROUP BY state") == [
            ("sent", LETTERS)
        ]
        assert len({letter["delivery"] for letter in arrived}) == len(arrived) == LETTERS
