"""Runs a few processes together, as `manage.py dev` and the demonstration do."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

_STOP_SECONDS = 30.0


class Together:
    """Processes that start together and end together.

    Each gets a session of its own, so Ctrl-C in the terminal reaches only this process, which then
    stops the others one by one, the last started first.
    """

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self._env = None if env is None else dict(env)
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []
        self.stop_asked = threading.Event()

    def catch_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop_asked.set())

    def start(self, name: str, command: Sequence[str]) -> None:
        process = subprocess.Popen(command, env=self._env, start_new_session=True)  # noqa: S603
        self._running.append((name, process))

    def ended(self) -> str | None:
        """Return the name of a process that has ended by itself, if one has."""
        for name, process in self._running:
            if process.poll() is not None:
                return name
        return None

    def wait_until_listening(self, host: str, port: int, *, seconds: float = 30.0) -> bool:
        """Wait until something accepts connections there; False if a process ends before that.

        What needs a server is started after this, or its first tries would fail.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.stop_asked.is_set() and not self.ended():
            try:
                socket.create_connection((host, port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return True
        return False

    def wait(self) -> str | None:
        """Wait until told to stop or until one of the processes ends; return its name then."""
        while not self.stop_asked.wait(0.3):
            if (name := self.ended()) is not None:
                return name
        return None

    def stop(self) -> None:
        """End all, each after those that were started later and may still need it."""
        deadline = time.monotonic() + _STOP_SECONDS
        for name, process in reversed(self._running):
            process.terminate()
            try:
                process.wait(max(1.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                sys.stderr.write(f"{name} did not stop in time and is killed\n")
                process.kill()
                process.wait()
        self._running.clear()


def manage(*arguments: str) -> list[str]:
    """Return the command line of a management command under this very Python."""
    return [sys.executable, "manage.py", *arguments]
