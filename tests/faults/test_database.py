"""The database is away, locked, full, or loses power: nothing leaves without an intent (I5)."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from random import Random

import psycopg
import pytest
from django.db import connection

from mailing.engine import faults
from mailing.engine.faults import Point
from mailing.engine.journal import JournalError
from mailing.models import Run
from tests.faults.arena import Arena, plan_and_send
from tests.faults.installation import wait_for
from tests.faults.matrix import SELECTION
from tests.mailing.engine.conftest import Stage

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="a server that goes away is PostgreSQL's matter"
)
on_sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="files that are copied or cut are SQLite's matter"
)

AWAY_SECONDS = 1.2


def session(database: str) -> psycopg.Connection[tuple[object, ...]]:
    place = connection.settings_dict
    return psycopg.connect(
        host=place["HOST"],
        port=place["PORT"] or 5432,
        user=place["USER"],
        password=place["PASSWORD"] or None,
        dbname=database,
        autocommit=True,
    )


def shut_out(database: str) -> None:
    """End all sessions of a database and let nobody in for a while."""
    allow = f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS'
    with session("postgres") as server:
        server.execute(f"{allow} false".encode())
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
        )

    def let_in() -> None:
        time.sleep(AWAY_SECONDS)
        with session("postgres") as server:
            server.execute(f"{allow} true".encode())

    threading.Thread(target=let_in).start()


@on_postgresql
@pytest.mark.parametrize(
    ("point", "number"),
    [
        (Point.BEFORE_INTENT, 2),
        (Point.INTENT_WRITTEN, 2),
        (Point.AFTER_INTENT, 2),
        (Point.BEFORE_DOT, 4),
        (Point.AFTER_REPLY, 4),
        (Point.OUTCOME_WRITTEN, 3),
    ],
)
def test_a_database_that_goes_away_costs_nobody_a_letter(
    arena: Arena, point: Point, number: int
) -> None:  # row 8
    def send(stage: Stage) -> None:
        left = number

        def reached(name: Point) -> None:
            nonlocal left
            left -= name is point
            if left == 0:
                left = -1
                shut_out(arena.database)

        stage.plan()
        faults.watch(reached)
        stage.send()

    arena.ask(send)
    arena.settle(unknown_at_most=0)


def test_a_database_that_is_locked_is_waited_for(arena: Arena, tmp_path: Path) -> None:  # row 10
    arena.ask(Stage.plan)
    locked = tmp_path / "locked"

    def send(stage: Stage) -> None:
        wait_for(locked.exists, within=10, what="the lock")
        stage.send()

    child = arena.begin(send)  # before the lock is there, which a fork of SQLite would inherit
    if connection.vendor == "postgresql":
        with session(arena.database) as other, other.transaction():
            other.execute("LOCK TABLE mailing_batch IN ACCESS EXCLUSIVE MODE")
            stand_still(arena, locked)
    else:
        with closing(sqlite3.connect(arena.database, isolation_level=None)) as backup:
            backup.execute("BEGIN EXCLUSIVE")
            stand_still(arena, locked)
            backup.execute("COMMIT")
    assert child.wait(20) == 0
    arena.settle(unknown_at_most=0)


def stand_still(arena: Arena, locked: Path) -> None:
    locked.touch()
    time.sleep(15 if SELECTION == "all" else 2)
    assert arena.delivered() == [], "nothing without an intent"


def no_file_larger_than(size: int) -> None:
    """Have writes fail beyond it, of the database as of the journal."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@on_sqlite
def test_on_a_full_disk_nothing_is_planned_and_later_it_is(arena: Arena) -> None:  # row 32
    def plan(stage: Stage) -> int:
        Run.objects.exists()  # opens the database
        no_file_larger_than(8_192)
        return len(stage.plan())

    assert arena.ask(plan) == 0
    arena.settle(unknown_at_most=0)


@pytest.mark.parametrize("room", [0, 40, 120, 300])
def test_on_a_full_disk_nothing_leaves_without_its_line_in_the_journal(
    arena: Arena, room: int
) -> None:  # row 32
    arena.ask(Stage.plan)

    def send(stage: Stage) -> None:
        faults.watch(limit)
        stage.send()

    def limit(name: Point) -> None:
        if name is Point.BEFORE_INTENT:
            faults.watch(None)
            if connection.vendor == "postgresql":
                no_file_larger_than(60 + room)
            else:
                wal = Path(f"{arena.database}-wal")
                no_file_larger_than(max(wal.stat().st_size, 60) + 40 * room)

    child = arena.begin(send)
    arena.faults = 1
    with suppress(TimeoutError):  # while the disk is full, it tries again to write its outcomes
        child.wait(4)
    arena.settle()


def test_once_there_is_room_again_it_goes_on_by_itself(arena: Arena) -> None:  # row 32
    """The disk of the database and of the journal is full for two seconds; the sender lives."""
    arena.sink.mood.dot_delay = 0.02
    arena.ask(Stage.plan)

    def send(stage: Stage) -> None:
        faults.watch(limit)
        work_left = True
        while work_left:  # as one task of the queue comes after the other, whether it fails or not
            with suppress(JournalError):
                work_left = stage.send()
            time.sleep(0.1)

    def limit(name: Point) -> None:
        if name is Point.AFTER_REPLY:
            faults.watch(None)
            no_file_larger_than(1)

    child = arena.begin(send)
    wait_for(lambda: len(arena.delivered()) > 0, within=10, what="the first letter")
    time.sleep(1)
    left = len(arena.delivered())
    time.sleep(1)
    assert len(arena.delivered()) == left <= 8, "what was under way, no more"
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(child.pid, resource.RLIMIT_FSIZE, unlimited)
    assert child.wait(30) == 0
    arena.settle(unknown_at_most=0)


@on_sqlite
@pytest.mark.parametrize("seed", range(20 if SELECTION == "all" else 5))
def test_after_a_power_cut_at_most_the_armed_letters_are_unknown(
    arena: Arena, tmp_path: Path, seed: int
) -> None:  # row 49
    """The machine stops; what of the database was on the disk is all that there is."""
    arena.sink.mood.dot_delay = 0.03
    child = arena.begin(plan_and_send)
    wait_for(lambda: len(arena.delivered()) >= seed % 8, within=10, what="some letters")
    time.sleep(Random(seed).uniform(0, 0.03))
    child.stop()
    still = "the machine to stand still, or to be through"
    wait_for(lambda: child.ended() or child.is_stopped(), within=5, what=still)
    copy = tmp_path / "copy.sqlite3"
    shutil.copyfile(arena.database, copy)
    wal = Path(f"{arena.database}-wal")
    if wal.exists():
        shutil.copyfile(wal, f"{copy}-wal")
    child.end()
    shutil.rmtree(tmp_path / "journal", ignore_errors=True)
    arena.database = str(copy)
    with closing(sqlite3.connect(copy)) as restored:
        assert restored.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        restored.execute("UPDATE mailing_batch SET boot_id = 'the boot before'")
        restored.commit()
    arena.settle(unknown_at_most=8, minutes=20)


def test_a_commit_that_fails_after_the_answer_is_made_up_for(arena: Arena) -> None:  # row 11
    """The process lives: it writes the outcomes again."""
    assert arena.play(plan_and_send, fault=f"{Point.OUTCOME_WRITTEN}:5:dbclose") == 0
    arena.settle(unknown_at_most=0)
