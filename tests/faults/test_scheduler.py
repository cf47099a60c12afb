"""The `scheduler` command as a process: it ends when told to, between two letters."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.installation import Installation, wait_for
from tests.sink import Mood, Sink

LETTERS = 40

Install = Callable[..., Installation]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink(Mood(dot_delay=0.3)) as sink:
        yield sink


@pytest.fixture
def due(install: Install, sink: Sink) -> Installation:
    """Return an installation with a mailing that is due."""
    installation = install(EMAIL_URL=f"smtp://127.0.0.1:{sink.port}", SMTP_CONNECTIONS="2")
    make = f"from tests.faults.chores import make_due_mailing; make_due_mailing({LETTERS})"
    done = installation.manage("shell", "--no-imports", "-c", make)
    assert done.returncode == 0, done.stderr
    return installation


def test_an_idle_scheduler_ends_at_once(installation: Installation) -> None:
    with installation.running("scheduler") as scheduler:
        beats = installation.folder / "cache"
        wait_for(beats.exists, within=15, what="the first round")
        time.sleep(0.5)
        scheduler.process.terminate()
        assert scheduler.await_exit(within=3) == 0


def test_a_scheduler_that_sends_finishes_the_letters_under_way(
    due: Installation, sink: Sink
) -> None:
    with due.running("scheduler") as scheduler:
        wait_for(lambda: len(sink.ledger.letters) >= 4, within=30, what="a few letters")
        scheduler.process.terminate()
        assert scheduler.await_exit(within=5) == 0
    arrived = [letter["delivery"] for letter in sink.ledger.letters]
    assert len(set(arrived)) == len(arrived)
    sent = due.read("SELECT id FROM mailing_delivery WHERE state = 'sent'")
    assert set(arrived) == {delivery for (delivery,) in sent}
    assert due.read("SELECT id FROM mailing_batch WHERE lease_token IS NOT NULL") == []
    assert due.read("SELECT id FROM mailing_delivery WHERE state <> 'sent'") != []


def test_once_sends_what_is_due_and_ends(due: Installation, sink: Sink) -> None:
    sink.mood.dot_delay = 0
    done = due.manage("scheduler", "--once")
    assert (done.returncode, done.stdout) == (0, "")
    assert len(sink.ledger.letters) == LETTERS
    assert due.read("SELECT DISTINCT state FROM mailing_delivery") == [("sent",)]


def test_once_ends_even_if_the_mail_server_is_away(install: Install) -> None:
    assert install(EMAIL_URL="smtp://127.0.0.1:2").manage("scheduler", "--once").returncode == 0


def test_without_its_cache_it_sends_all_the_same(install: Install, sink: Sink) -> None:  # row 12
    """As when Redis is killed, before the round or in the middle of one."""
    sink.mood.dot_delay = 0
    due = install(EMAIL_URL=f"smtp://127.0.0.1:{sink.port}", CACHE_URL="redis://127.0.0.1:1/0")
    make = "from tests.faults.chores import make_due_mailing; make_due_mailing(10)"
    assert due.manage("shell", "--no-imports", "-c", make).returncode == 0
    assert due.manage("scheduler", "--once").returncode == 0
    assert len(sink.ledger.letters) == 10
