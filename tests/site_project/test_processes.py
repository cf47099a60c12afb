"""Processes that start together and end together."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from site_project import processes
from site_project.processes import Together, manage


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


SLEEP = python("import time; time.sleep(60)")


@pytest.fixture
def together() -> Iterator[Together]:
    together = Together()
    yield together
    together.stop()


def wait_until(path: Path, lines: int = 1) -> list[str]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if path.exists() and len(found := path.read_text().split()) >= lines:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{path} was not written")


def noting(path: Path, name: str) -> list[str]:
    """Return a process that notes its pid, and later that it was told to end."""
    note = f"lambda text: open({str(path)!r}, 'a').write(text + '\\n')"
    return python(
        f"import os, signal, sys, time; note = {note}\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (note('{name}-ends'), sys.exit(0)))\n"
        f"note(str(os.getpid())); time.sleep(60)"
    )


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_they_end_in_the_reverse_order_of_their_start(together: Together, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    together.start("first", noting(notes, "first"))
    wait_until(notes)
    together.start("second", noting(notes, "second"))
    pids = [int(pid) for pid in wait_until(notes, 2)]
    assert together.ended() is None
    together.stop()
    assert wait_until(notes, 4)[2:] == ["second-ends", "first-ends"]
    assert all(is_gone(pid) for pid in pids)


def test_each_has_a_session_of_its_own(together: Together, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    together.start("one", noting(notes, "one"))
    (pid,) = wait_until(notes)
    assert os.getsid(int(pid)) == int(pid)


def test_the_wait_is_over_when_one_of_them_ends(together: Together) -> None:
    together.start("the lasting one", SLEEP)
    together.start("the short one", python("raise SystemExit(3)"))
    assert together.wait() == "the short one"
    assert together.ended() == "the short one"


def test_the_wait_is_over_when_a_stop_is_asked(together: Together) -> None:
    together.start("the lasting one", SLEEP)
    threading.Timer(0.1, together.stop_asked.set).start()
    assert together.wait() is None


def test_a_signal_asks_for_a_stop(together: Together) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        together.catch_signals()
        os.kill(os.getpid(), signal.SIGTERM)
        assert together.stop_asked.wait(5)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_one_that_does_not_listen_is_killed(
    together: Together,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(processes, "_STOP_SECONDS", 0.2)
    deaf = tmp_path / "deaf"
    together.start(
        "the deaf one",
        python(
            "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            f"open({str(deaf)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
        ),
    )
    (pid,) = wait_until(deaf)
    together.stop()
    assert is_gone(int(pid))
    assert "the deaf one did not stop in time" in capsys.readouterr().err


def test_to_stop_twice_is_no_fault(together: Together) -> None:
    together.start("one", SLEEP)
    together.stop()
    together.stop()
    assert together.ended() is None


def test_they_see_only_the_environment_they_are_given(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    together = Together({"ONLY": "this"})
    together.start(
        "one", python(f"import os; open({str(seen)!r}, 'w').write(' '.join(os.environ))")
    )
    together.wait()
    together.stop()
    assert "ONLY" in wait_until(seen)
    assert "SECRET_KEY" not in seen.read_text()


def test_one_waits_for_a_server_to_listen(together: Together) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert together.wait_until_listening("127.0.0.1", port, seconds=5)
    assert not together.wait_until_listening("127.0.0.1", port, seconds=0.2)


def test_one_does_not_wait_for_a_server_that_has_ended(together: Together) -> None:
    together.start("the server", python("raise SystemExit(1)"))
    started = time.monotonic()
    assert not together.wait_until_listening("127.0.0.1", 2, seconds=30)
    assert time.monotonic() - started < 10


def test_a_management_command_runs_under_this_very_python() -> None:
    assert manage("migrate", "-v0") == [sys.executable, "manage.py", "migrate", "-v0"]
