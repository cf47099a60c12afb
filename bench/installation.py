"""An installation of the service for a benchmark: a folder, a database and a cluster of its own.

Import only after `prepare`: Django reads its settings from the environment.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

POSTGRESQL = "postgres://root@127.0.0.1:5432/bench_sending"


def prepare(database: str, smtp_port: int, **env: str) -> Path:
    """Set the environment of a new installation and return its folder."""
    folder = Path(tempfile.mkdtemp(prefix="mailing-bench-"))
    if database == "postgresql":
        _sql("DROP DATABASE IF EXISTS bench_sending")
        _sql("CREATE DATABASE bench_sending")
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "site_project.settings",
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "a-key-for-benchmarks-only-that-is-longer-than-fifty-characters",
            "DEBUG": "off",
            "SITE_URL": "http://service.test",
            "VAR_DIR": str(folder),
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp_port}",
            "DEFAULT_FROM_EMAIL": "Mailing service <letters@service.test>",
            "MAIL_LOOPBACK_ONLY": "on",
            "LOG_LEVEL": "ERROR",
            "DATABASE_URL": POSTGRESQL if database == "postgresql" else "",
            **env,
        }
    )
    return folder


def remove(folder: Path, database: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if database == "postgresql":
        _sql("DROP DATABASE IF EXISTS bench_sending WITH (FORCE)")


def _sql(statement: str) -> None:
    command = ["psql", "-q", "-h", "127.0.0.1", "-U", "root", "postgres", "-c", statement]
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def running(
    command: list[str | Path], is_up: Callable[[], bool], **env: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process while the block lasts, from the moment that `is_up` says so."""
    process = subprocess.Popen(command, env={**os.environ, **env}, start_new_session=True)
    try:
        until = time.monotonic() + 60
        while not is_up():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command[0]} did not start")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def cluster_command() -> list[str | Path]:
    return [sys.executable, "manage.py", "qcluster"]


def descendants(pid: int) -> list[int]:
    """Return the ids of a process and of all that came from it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and its living descendants have used."""
    ticks = 0
    for one in descendants(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def holder(journal: Path) -> int | None:
    """Return the id of the process that has a sender's journal open."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(fd.readlink() == journal for fd in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue
    return None


def resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError(pid)
