"""Servers of the test's own, to be stopped, killed and filled up: PostgreSQL and Redis.

Each runs on a free port with a folder of its own. The machine's servers are left alone.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
import pytest
import redis

_USERS = ("postgres", "nobody")


class Server:
    """A server process that may be ended in several ways and started again on the same data."""

    def __init__(self, name: str) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"faults-{name}-"))  # others may enter it
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.end(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        return {}

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, cwd=self.folder, **self.options()
            )
        deadline = time.monotonic() + 30
        while not self.answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.05)

    def end(self, number: int) -> None:
        """Send it a signal and wait until it is gone."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(30)
        self._process = None


class PostgreSQL(Server):
    """FAST and IMMEDIATE are its two ways to be stopped in a hurry."""

    FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT

    def __init__(self) -> None:
        self._programs = _postgresql_programs()
        if self._programs is None:
            pytest.skip("initdb is not installed: there is no PostgreSQL to be stopped")
        super().__init__("postgresql")
        self._user = _unprivileged()
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        subprocess.run(
            [str(self._programs / "initdb"), "-D", "data", "-U", "root", "-A", "trust", "-N"],
            cwd=self.folder,
            check=True,
            capture_output=True,
            **self.options(),
        )

    def url(self, database: str) -> str:
        return f"postgres://root@127.0.0.1:{self.port}/{database}"

    def options(self) -> dict[str, Any]:
        if self._user is None:
            return {}
        identity = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return identity | {"env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}}

    def command(self) -> list[str]:
        assert self._programs is not None
        places = ["-D", "data", "-k", str(self.folder), "-h", "127.0.0.1", "-p", str(self.port)]
        return [str(self._programs / "postgres"), *places]

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError), self._session("postgres"):
            return True
        return False

    def read(self, database: str, query: str) -> list[tuple[Any, ...]]:
        with self._session(database) as session:
            return session.execute(query.encode()).fetchall()

    def execute(self, database: str, statement: str) -> None:
        with self._session(database) as session:
            session.execute(statement.encode())

    def _session(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url(database), connect_timeout=5, autocommit=True)


class Redis(Server):
    """Keeps nothing on the disk: killed and started again it is empty."""

    def __init__(self) -> None:
        if shutil.which("redis-server") is None:
            pytest.skip("redis-server is not installed: there is no Redis to be killed")
        super().__init__("redis")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port)

    def command(self) -> list[str]:
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]

    def answers(self) -> bool:
        with suppress(redis.ConnectionError):
            return bool(self.client.ping())
        return False

    def stop_answering(self) -> None:
        """Leave connections open and requests unanswered, as a network that loses all does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def answer_again(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def fill_up(self) -> None:
        """Let no more writes in, as when the memory is full and nothing may be thrown away."""
        self.client.config_set("maxmemory-policy", "noeviction")
        self.client.config_set("maxmemory", 1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgresql_programs() -> Path | None:
    """Return the folder of initdb and postgres; Debian keeps them out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    in_path = shutil.which("initdb")
    if in_path is not None:
        found.append(Path(in_path).resolve())
    return found[-1].parent if found else None


def _unprivileged() -> pwd.struct_passwd | None:
    """Return whom to run as, since PostgreSQL refuses root; None if this is somebody else."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in _USERS if name in known)
