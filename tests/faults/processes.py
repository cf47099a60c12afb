"""Senders as processes of their own, forked from the test, so that they can be killed."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from django.db import connections


class Child:
    """A forked process that runs `work` and ends. It shares no connection with its parent."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.code: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                _forget_connections()
                work()
                code = 0
            except BaseException:  # noqa: BLE001 - it must never return into pytest
                traceback.print_exc(file=sys.stderr)
            finally:
                os._exit(code)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self._reap(os.waitpid(self.pid, 0)[1])

    def end(self) -> None:
        """Kill it if it is still there."""
        if not self.ended():
            self.kill()

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def ended(self) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._reap(status)
        return self.code is not None

    def is_stopped(self) -> bool:
        """Return whether it has been halted by SIGSTOP."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def wait(self, seconds: float = 60) -> int:
        """Return the exit code; negative for a signal."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.ended():
                assert self.code is not None
                return self.code
            time.sleep(0.002)
        self.kill()
        raise TimeoutError(f"the child did not end within {seconds} s")

    def _reap(self, status: int) -> None:
        self.code = os.waitstatus_to_exitcode(status)


def _forget_connections() -> None:
    """Drop the parent's connections without a word: saying goodbye would end the parent's."""
    for connection in connections.all(initialized_only=True):
        connection.connection = None
        connection.in_atomic_block = False
        connection.savepoint_ids = []
        connection.run_on_commit = []
