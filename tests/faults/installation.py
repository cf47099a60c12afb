"""An installation on SQLite whose commands run as real processes, to be killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sized
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django_q.signing import SignedPackage

from site_project.processes import manage

_READY_SECONDS = 30.0
_LONG_AGO = "2000-01-01 00:00:00"


@dataclass
class Installation:
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.folder / "db.sqlite3"

    @property
    def notes(self) -> Path:
        """The file in which the tasks of `tests.faults.chores` write."""
        return self.folder / "notes.txt"

    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            "ENV_FILE": os.devnull,
            "SECRET_KEY": settings.SECRET_KEY,  # so that the test can sign tasks
            "SITE_URL": "http://testserver",
            "VAR_DIR": str(self.folder),
            "EMAIL_URL": "smtp://127.0.0.1:2",  # nobody listens there
            "MAIL_LOOPBACK_ONLY": "on",
            "LOG_LEVEL": "WARNING",
            **self.settings,
        }

    def manage(self, *command: str, within: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a management command to its end."""
        return subprocess.run(
            manage(*command),
            env=self.env(),
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    @contextmanager
    def running(self, *command: str) -> Iterator[Running]:
        """Run a management command in a process group of its own; nothing of it stays behind."""
        running = Running(self, manage(*command))
        try:
            yield running
        finally:
            running.end()

    @contextmanager
    def cluster(self) -> Iterator[Running]:
        """Run the cluster, ready for work."""
        with self.running("qcluster") as cluster:
            self.run_task("ready", within=_READY_SECONDS)
            yield cluster

    # --- Tasks ------------------------------------------------------------------------------------

    def enqueue(self, chore: str, *arguments: object) -> None:
        """Put a task of `tests.faults.chores` into the queue, as `async_task` does."""
        task = {
            "id": uuid4().hex,
            "name": f"{chore} {arguments}",
            "func": f"tests.faults.chores.{chore}",
            "args": (str(self.notes), *arguments),
            "kwargs": {},
            "save": False,
            "ack_failure": True,
            "started": datetime.now(UTC),
        }
        self.write(
            "INSERT INTO django_q_ormq (key, payload, lock) VALUES ('mailing', ?, ?)",
            SignedPackage.dumps(task),
            _LONG_AGO,
        )

    def schedule(self, word: str, due_at: datetime) -> None:
        """Have the word noted once, as soon as a cluster sees that it is due."""
        self.write(
            "INSERT INTO django_q_schedule (name, func, args, schedule_type, repeats, next_run,"
            " minutes) VALUES (?, 'tests.faults.chores.note', ?, 'I', -1, ?, 60)",
            word,
            repr((str(self.notes), word)),
            due_at.astimezone(UTC).replace(tzinfo=None).isoformat(" "),
        )

    def run_task(self, word: str, *, within: float) -> int:
        """Enqueue a task, wait until it was run and return the pid of its worker."""
        self.enqueue("note", word)
        return self.await_note(word, within=within)

    def await_work(self, *, within: float) -> None:
        """Wait until the cluster runs new tasks, of which there is one each second.

        As with the ticks: a task that a cluster has taken before it dies comes back later only.
        """
        words = [f"work-{uuid4().hex[:8]}" for _second in range(int(within))]
        for word in words:
            self.enqueue("note", word)
            with suppress(AssertionError):
                wait_for(lambda: not set(words).isdisjoint(self.noted()), within=1, what="work")
                return
        raise AssertionError(f"no task was run within {within} s")

    def await_note(self, word: str, *, within: float) -> int:
        wait_for(lambda: word in self.noted(), within=within, what=f"{word!r} to be noted")
        return next(pid for noted, pid in self._lines() if noted == word)

    def noted(self) -> list[str]:
        return [word for word, _pid in self._lines()]

    def waiting_tasks(self) -> int:
        ((count,),) = self.read("SELECT COUNT(*) FROM django_q_ormq")
        return int(count)

    def read(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=20)) as connection:
            return connection.execute(query, values).fetchall()

    def write(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            connection.execute(statement, values)

    def _lines(self) -> list[tuple[str, int]]:
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        return [(word, int(pid)) for word, pid in (line.split() for line in lines)]


class Running:
    """A management command that runs."""

    def __init__(self, installation: Installation, command: list[str]) -> None:
        self.log = installation.folder / f"{command[2]}-{uuid4().hex[:8]}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=installation.env(), stdout=log, stderr=log, start_new_session=True
            )
        self._seen: set[int] = set()

    @property
    def pid(self) -> int:
        return self.process.pid

    def sentinel(self) -> int:
        (sentinel,) = children_of(self.pid)
        return sentinel

    def members(self) -> list[int]:
        """Return the pids of the cluster: two workers, the monitor and the pusher, as started."""
        return children_of(self.sentinel())

    def descendants(self) -> list[int]:
        found = [self.pid]
        for pid in found:
            found.extend(children_of(pid))
        self._seen.update(found[1:])
        return found[1:]

    def await_exit(self, *, within: float) -> int:
        return self.process.wait(within)

    def end(self) -> None:
        """Kill what is left of it, whatever the test has done."""
        self.descendants()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        for pid in self._seen:
            if is_alive(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    """Return the pids of the children, the oldest first."""
    try:
        return [int(child) for child in _children_file(pid).read_text().split()]
    except FileNotFoundError:
        return []


def _children_file(pid: int) -> Path:
    return Path(f"/proc/{pid}/task/{pid}/children")


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that is dead but not yet waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_for(happened: Callable[[], bool], *, within: float, what: str) -> float:
    """Wait until something has happened; return the seconds that it took."""
    started = time.monotonic()
    while not happened():
        if time.monotonic() - started > within:
            raise AssertionError(f"waited {within} s for {what}")
        time.sleep(0.02)
    return time.monotonic() - started


def await_more(growing: Sized, number: int, *, within: float) -> None:
    """Wait until a list that somebody else fills has so many more."""
    wanted = len(growing) + number
    wait_for(lambda: len(growing) >= wanted, within=within, what=f"{number} more")


def a_minute_ago() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)
