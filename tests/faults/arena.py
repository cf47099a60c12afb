"""Where a case of the fault harness is played: a database, a mail server and a journal of its own.

Everything happens in forked children, which may be killed. A child inherits Django as it is, so a
case costs some tenths of a second; databases are copies of one that is made once.
"""

from __future__ import annotations

import itertools
import os
import pickle
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from pytest_django import DjangoDbBlocker

from accounts.models import User
from mailing.engine import audience, faults
from mailing.enums import MailingStatus
from mailing.models import Batch, Mailing, Run
from tests.factories import NOW, make_clients, make_mailing
from tests.faults.processes import Child
from tests.mailing.engine import oracle
from tests.mailing.engine.conftest import Stage
from tests.sink import Ledger, Mood, Sink

CONNECTIONS = 2
BATCH_SIZE = 5  # so that twelve letters are three batches
AUDIENCE = [*(f"ok+{n}@x.test" for n in range(9)), "550+9@x.test", "4xx+10@x.test", "dot252@x.test"]
KILLED = -9
_numbers = itertools.count()


class Databases:
    """Makes databases as copies of a template, and drops them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._settings = connection.settings_dict
        self._made: list[str] = []

    @property
    def on_postgresql(self) -> bool:
        return connection.vendor == "postgresql"

    def copy(self, template: str) -> str:
        name = f"faults_{os.getpid()}_{next(_numbers)}"
        if self.on_postgresql:
            self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        else:
            name = str(self._folder / f"{name}.sqlite3")
            with closing(sqlite3.connect(template)) as source:
                source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copyfile(template, name)
        self._made.append(name)
        return name

    def drop(self, name: str) -> None:
        if self.on_postgresql:
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        else:
            for suffix in ("", "-wal", "-shm"):
                Path(name + suffix).unlink(missing_ok=True)

    def drop_all(self) -> None:
        for name in self._made:
            self.drop(name)

    def _execute(self, statement: str) -> None:
        place = self._settings
        with psycopg.connect(
            host=place["HOST"],
            port=place["PORT"] or 5432,
            user=place["USER"],
            password=place["PASSWORD"] or None,
            dbname="postgres",
            autocommit=True,
        ) as session:
            session.execute(statement.encode())


@dataclass
class Arena:
    """One case. `play` runs something in a child on this case's database."""

    database: str
    sink: Sink
    folder: Path
    unblock: Callable[[], Any]
    connections: int = CONNECTIONS
    faults: int = 0
    children: list[Child] = field(default_factory=list)

    def begin(
        self, work: Callable[[Stage], object], *, fault: str = "", minutes: float = 0
    ) -> Child:
        """Start `work` in a child, some minutes after the mailing fell due."""
        if fault:
            self.faults += 1

        def inside() -> None:
            os.environ["FAULTS_ALLOWED"] = "1"
            self.unblock()
            connection.settings_dict["NAME"] = self.database
            audience.BATCH_SIZE = BATCH_SIZE
            stage = Stage(self.sink, self.folder / "journal", connections=self.connections)
            stage.later(minutes=minutes)
            stage.random = Random(1)
            if fault:
                faults.arm(fault)
            result = work(stage)
            self._result.write_bytes(pickle.dumps(result))

        child = Child(inside)
        self.children.append(child)
        return child

    def play(self, work: Callable[[Stage], object], *, fault: str = "", minutes: float = 0) -> int:
        """Run `work` to its end; return the child's exit code."""
        return self.begin(work, fault=fault, minutes=minutes).wait(30)

    def ask(self, work: Callable[[Stage], object], *, minutes: float = 0) -> Any:
        """Run `work`, which must not fail, and return its result."""
        assert self.play(work, minutes=minutes) == 0, "see the child's traceback"
        return pickle.loads(self._result.read_bytes())  # noqa: S301 - our own

    def settle(self, *, unknown_at_most: int | None = None, minutes: float = 1) -> None:
        """Restart, drain, and hold the nine points of the oracle against the mail server."""
        if unknown_at_most is None:
            unknown_at_most = self.connections * self.faults
        self.await_silence()
        self.ask(drain, minutes=minutes)
        arrived = self.delivered()
        self.ask(lambda _stage: check_all(arrived, unknown_at_most))

    def await_silence(self) -> None:
        """Wait until the mail server has read what the dead have sent."""
        deadline = time.monotonic() + 10
        while self.sink.open_connections and time.monotonic() < deadline:
            time.sleep(0.002)

    def delivered(self) -> list[int]:
        """Return the deliveries in the ledger, one for each letter."""
        return [letter["delivery"] for letter in self.sink.ledger.letters]

    @property
    def _result(self) -> Path:
        return self.folder / "result"


def plan_and_send(stage: Stage) -> None:
    stage.plan()
    stage.send()


def drain(stage: Stage) -> None:
    """Do what the ticks of the next hours do, until nothing is left."""
    for _tick in range(12):
        stage.sweep()
        stage.plan()
        while stage.send():
            pass
        if not Mailing.objects.active().exists() and not Batch.objects.filter(done=False).exists():
            return
        stage.later(minutes=10)
    raise AssertionError("it is never done")


def check_all(arrived: list[int], unknown_at_most: int) -> None:
    (run,) = Run.objects.all()
    oracle.check(run, arrived, unknown_at_most=unknown_at_most, drained=True)
    assert run.audience_size == len(AUDIENCE)


def make_world() -> None:
    """Make what most cases begin with: a mailing to twelve clients that is due."""
    alice = User.objects.create_user("alice@people.test", "correct-horse-battery")
    make_mailing(
        alice, make_clients(alice, AUDIENCE), status=MailingStatus.SCHEDULED, next_due_at=NOW
    )


@contextmanager
def databases_of(folder: Path, blocker: DjangoDbBlocker) -> Iterator[tuple[Databases, str]]:
    """Yield the databases and the name of the template with the world in it."""
    with blocker.unblock():
        empty = str(connection.settings_dict["NAME"])
        connections.close_all()
        databases = Databases(folder)
        template = databases.copy(empty)
        try:
            Arena(template, Sink(), folder, blocker.unblock).ask(lambda _stage: make_world())
            yield databases, template
        finally:
            databases.drop_all()


@pytest.fixture(scope="session")
def world(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[tuple[Databases, str]]:
    with databases_of(tmp_path_factory.mktemp("arena"), django_db_blocker) as world:
        yield world


@pytest.fixture(scope="session")
def shared_sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture
def arena(
    world: tuple[Databases, str],
    db: None,  # or no test database would be made, of which the world is a copy
    shared_sink: Sink,
    tmp_path: Path,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Arena]:
    databases, template = world
    shared_sink.mood = Mood()
    shared_sink.ledger = Ledger(tmp_path / "ledger.jsonl")
    shared_sink.forget()
    arena = Arena(databases.copy(template), shared_sink, tmp_path, django_db_blocker.unblock)
    yield arena
    for child in arena.children:
        child.end()
    databases.drop(arena.database)
