"""How late letters leave, measured at the mail server: what is due, and what is sent now.

With the console command, which looks every second, and with the cluster, whose clock has minutes;
while nothing else is sent, and while a big run goes to a slow server.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection

from tests.faults.installation import Installation, wait_for
from tests.sink import Mood, Sink

SEND_NOW = DUE_IN_CONSOLE = 2.0
DUE_IN_CLUSTER = 35.0
BIG = 2000
_SECONDS_PER_LETTER = 0.3

Install = Callable[..., Installation]


@pytest.fixture
def database() -> Iterator[dict[str, str]]:
    """Return the settings for an empty database of the kind that the harness runs on."""
    if connection.vendor == "sqlite":
        yield {}
        return
    place = connection.settings_dict
    host = f"{place['USER']}:{place['PASSWORD']}@{place['HOST']}:{place['PORT'] or 5432}"
    name = f"lateness_{os.getpid()}"
    with psycopg.connect(f"postgres://{host}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield {"DATABASE_URL": f"postgres://{host}/{name}"}
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink(Mood(dot_delay=_SECONDS_PER_LETTER)) as sink:
        yield sink


@pytest.fixture
def service(install: Install, database: dict[str, str], sink: Sink) -> Installation:
    service = install(EMAIL_URL=f"smtp://127.0.0.1:{sink.port}", SMTP_CONNECTIONS="4", **database)
    if database:
        assert service.manage("migrate", "-v0", within=120).returncode == 0
    return service


def ask(service: Installation, chore: str, *arguments: object) -> float:
    """Run a chore in a process of its own and return the instant that it prints."""
    call = f"from tests.faults.chores import {chore} as chore; print(chore(*{arguments!r}))"
    done = service.manage("shell", "--no-imports", "-c", call)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def lateness(sink: Sink, owner: str, since: float, at_most: float) -> float:
    """Wait for the letter to the owner's one client; return how long after `since` it arrived."""
    wait_for(
        lambda: f"ok+{owner}0@x.test" in sink.ledger.recipients(),
        within=max(0, since - time.time()) + at_most,
        what=f"the letter of {owner}",
    )
    return time.time() - since


@pytest.mark.parametrize("command", ["scheduler", "qcluster"])
def test_nobody_waits_longer_than_promised(service: Installation, sink: Sink, command: str) -> None:
    whole, within = (1, DUE_IN_CONSOLE) if command == "scheduler" else (60, DUE_IN_CLUSTER)
    with service.running(command) as running:
        ask(service, "make_waiting_mailing", "first")  # it takes longer than the process to start
        idle = lateness(sink, "first", ask(service, "press_send_now", "first"), SEND_NOW)
        ask(service, "make_waiting_mailing", "big", BIG)
        ask(service, "press_send_now", "big")
        due_at = ask(service, "make_waiting_mailing", "due", 1, whole)
        ask(service, "make_waiting_mailing", "second")
        wait_for(lambda: len(sink.ledger.letters) > 20, within=10, what="the big run")
        busy = lateness(sink, "second", ask(service, "press_send_now", "second"), SEND_NOW)
        due = lateness(sink, "due", due_at, within)
        assert len(sink.ledger.letters) < BIG, "the big run goes on all the while"
        assert running.process.poll() is None
    print(  # noqa: T201 - with -s, the figures for the books
        f"{command}, {connection.vendor}: sent now {idle:.1f} s, beside a big run {busy:.1f} s;"
        f" due beside a big run {due:.1f} s"
    )
