"""A real PostgreSQL is stopped in the middle of a run, and started again. Row 8."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.faults.installation import Installation, wait_for
from tests.faults.matrix import SELECTION
from tests.faults.servers import PostgreSQL
from tests.sink import Mood, Sink

LETTERS = 160
CONNECTIONS = 2
AWAY_SECONDS = 50 if SELECTION == "all" else 6
RECOVERY_SECONDS = 60
_numbers = itertools.count()
_CASES = [("scheduler", PostgreSQL.FAST), ("qcluster", PostgreSQL.IMMEDIATE)]
if SELECTION == "all":
    _CASES += [("scheduler", PostgreSQL.IMMEDIATE), ("qcluster", PostgreSQL.FAST)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    """Return a server whose first database is migrated, to be copied."""
    with PostgreSQL() as server:
        settings = {"DATABASE_URL": server.url("postgres"), "SCHEDULER_ACTIVE": "off"}
        migrated = Installation(tmp_path_factory.mktemp("migrated"), settings)
        done = migrated.manage("migrate", "-v0", within=120)
        assert done.returncode == 0, done.stderr
        yield server


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink(Mood(dot_delay=0.05)) as sink:
        yield sink


@pytest.fixture
def database(server: PostgreSQL) -> str:
    name = f"copy{next(_numbers)}"
    server.execute("template1", f"CREATE DATABASE {name} TEMPLATE postgres")
    return name


@pytest.fixture
def installation(server: PostgreSQL, database: str, sink: Sink, tmp_path: Path) -> Installation:
    return Installation(
        tmp_path,
        {
            "DATABASE_URL": server.url(database),
            "EMAIL_URL": f"smtp://127.0.0.1:{sink.port}",
            "SMTP_CONNECTIONS": str(CONNECTIONS),
        },
    )


def make_due(installation: Installation, letters: int) -> None:
    make = f"from tests.faults.chores import make_due_mailing; make_due_mailing({letters})"
    done = installation.manage("shell", "--no-imports", "-c", make)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("command", "mode"), _CASES)
def test_a_run_goes_on_after_a_restart_and_nobody_gets_two_or_none(
    server: PostgreSQL,
    database: str,
    installation: Installation,
    sink: Sink,
    command: str,
    mode: int,
) -> None:
    make_due(installation, LETTERS)
    with installation.running(command) as running:
        wait_for(lambda: len(sink.ledger.letters) >= 20, within=60, what="the first letters")
        server.end(mode)
        time.sleep(0.5)  # what was armed leaves
        armed = len(sink.ledger.letters)
        time.sleep(AWAY_SECONDS)
        assert len(sink.ledger.letters) == armed < LETTERS, "nothing without an intent"
        server.start()
        took = wait_for(
            lambda: len(sink.ledger.letters) > armed, within=RECOVERY_SECONDS, what="the next"
        )
        print(f"{command}: on after {took:.1f} s")  # noqa: T201 - with -s, for the books

        def completed() -> bool:
            with suppress(psycopg.OperationalError):  # it has more to do than to let us in
                return server.read(database, "SELECT status FROM mailing_run") == [("completed",)]
            return False

        wait_for(completed, within=RECOVERY_SECONDS, what="the end of the run")
        assert running.process.poll() is None, "the process lives on"
    states = server.read(database, "SELECT state, count(*) FROM mailing_delivery GROUP BY state")
    assert states == [("sent", LETTERS)]
    arrived = sorted(letter["delivery"] for letter in sink.ledger.letters)
    assert arrived == sorted(
        delivery for (delivery,) in server.read(database, "SELECT id FROM mailing_delivery")
    )


def test_an_idle_scheduler_outlives_its_database(
    server: PostgreSQL, installation: Installation, sink: Sink
) -> None:
    with installation.running("scheduler") as running:
        beats = installation.folder / "cache"
        wait_for(beats.exists, within=30, what="the first round")
        server.end(PostgreSQL.FAST)
        time.sleep(6)  # it looks every five seconds
        assert running.process.poll() is None
        server.start()
        make_due(installation, letters=1)
        wait_for(lambda: len(sink.ledger.letters) == 1, within=RECOVERY_SECONDS, what="the letter")
