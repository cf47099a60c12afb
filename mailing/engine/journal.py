"""The sender's journal: a local file that survives kill -9 and tells what was on the wire.

One line goes in before the system call that carries a letter's final dot, one after the server's
answer; no fsync, because the file outlives the process, not the machine. Answers and the next dots
are noted first and written together, before anything is sent. A sender holds a `flock` on its
journal for life, so whoever gets the lock knows that the holder is dead.

There are as many journals in a folder as senders may run on this host: taking one is taking a slot.

    V <boot id> <journal id>           first line
    C <delivery> <attempt>             a letter of a suspect batch is about to be composed
    E <delivery>                       it has been composed
    D <delivery> <attempt>             the dot is about to leave
    R <delivery> <attempt> <code> <enhanced or -> <text>      its answer, or one before the dot
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mailing.engine import faults
from mailing.engine.classify import Reply
from mailing.engine.faults import Point
from mailing.enums import Stage

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class JournalError(OSError):
    """The journal cannot be written: nothing may be sent (I5)."""


def boot_id() -> str:
    """Return what changes with each start of the machine, empty where nothing tells."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class Entry:
    """The last that a journal knows of one attempt; `reply` is None if no answer came."""

    attempt: int
    stage: Stage
    reply: Reply | None


@dataclass(slots=True)
class Record:
    """What a dead sender left behind."""

    boot_id: str = ""
    journal_id: uuid.UUID | None = None
    intact: bool = True
    entries: dict[int, Entry] = field(default_factory=dict)
    """By delivery id."""
    composing: tuple[int, int] | None = None
    """Delivery and attempt of a suspect letter after which nothing more was noted."""

    def proves_silence(self, boot: str, journal_id: uuid.UUID | None) -> bool:
        """Return whether a delivery without an entry has certainly not been sent.

        That needs the same boot, the journal that the batch was armed with, and no broken line.
        """
        return (
            self.intact
            and boot != ""
            and self.boot_id == boot == boot_id()
            and self.journal_id is not None
            and self.journal_id == journal_id
        )


class Journal:
    """An open journal, held exclusively."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.journal_id = uuid.uuid4()
        self._descriptor = descriptor
        self._lines: list[str] = []

    def read(self) -> Record:
        """Return what the file holds, which is the work of the holder before this one."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            return _parse(file.read())

    def start(self) -> None:
        """Empty the file. Call only once everything in it has been settled in the database."""
        os.ftruncate(self._descriptor, 0)
        self.journal_id = uuid.uuid4()
        self._lines = [f"V {boot_id() or '-'} {self.journal_id}\n"]
        self.write()

    def compose(self, delivery_id: int, attempt: int) -> None:
        """Write that a letter is about to be composed that may be the death of its sender."""
        self._lines.append(f"C {delivery_id} {attempt}\n")
        self.write()

    def composed(self, delivery_id: int) -> None:
        """Write that a suspect letter has been composed; what comes now is no fault of it."""
        self._lines.append(f"E {delivery_id}\n")
        self.write()

    def dot(self, delivery_id: int, attempt: int) -> None:
        """Note that the final dot of a letter is about to leave. `write` before it does."""
        self._lines.append(f"D {delivery_id} {attempt}\n")

    def answer(self, delivery_id: int, attempt: int, stage: Stage, reply: Reply) -> None:
        """Note the server's answer. `write` before anybody waits for something else."""
        code, enhanced, text = reply
        if not text.isprintable():
            text = text.replace("\n", " ").replace("\r", " ")
        self._lines.append(
            f"R {delivery_id} {attempt} {stage._value_} {code} {enhanced or '-'} {text}\n"
        )

    def write(self) -> bool:
        """Write what has been noted, with one system call; return whether there was any.

        Raises JournalError, and again until it has succeeded: no dot leaves without its line.
        """
        if not self._lines:
            return False
        lines = "".join(self._lines).encode("utf-8", "replace")
        try:
            faults.point(Point.JOURNAL_LINE)
            written = os.write(self._descriptor, lines)
        except OSError as error:
            raise JournalError(*error.args) from error
        if written != len(lines):
            raise JournalError("the journal took only a part of a line")
        self._lines.clear()
        return True


@contextmanager
def hold(folder: Path, slots: int) -> Iterator[Journal | None]:
    """Take the first free journal of `slots` in `folder`; yield None if all are taken."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(slots):
        path = folder / f"sender-{number}.journal"
        descriptor = _lock(path)
        if descriptor is not None:
            try:
                yield Journal(path, descriptor)
            finally:
                os.close(descriptor)  # the lock goes with the descriptor
            return
    yield None


@contextmanager
def seize(path: Path) -> Iterator[Journal | None]:
    """Take the journal of a holder that may be dead; yield None if it is alive or gone."""
    descriptor = _lock(path) if path.is_file() else None
    if descriptor is None:
        yield None
        return
    try:
        yield Journal(path, descriptor)
    finally:
        os.close(descriptor)


def _lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _parse(content: bytes) -> Record:
    record = Record(intact=not content or content.endswith(b"\n"))
    for number, line in enumerate(content.split(b"\n")[:-1]):
        try:
            _read_line(record, number, line)
        except (ValueError, IndexError):
            record.intact = False
    return record


def _read_line(record: Record, number: int, line: bytes) -> None:
    kind, *rest = line.decode("utf-8", "replace").split(" ", 6)
    record.composing = (int(rest[0]), int(rest[1])) if kind == "C" else None
    if kind == "V" and number == 0:
        record.boot_id, record.journal_id = rest[0], uuid.UUID(rest[1])
    elif kind == "D":
        record.entries[int(rest[0])] = Entry(int(rest[1]), Stage.DOT, None)
    elif kind == "R":
        enhanced = "" if rest[4] == "-" else rest[4]
        reply = Reply(int(rest[3]), enhanced, rest[5])
        record.entries[int(rest[0])] = Entry(int(rest[1]), Stage(rest[2]), reply)
    elif kind not in {"C", "E"}:
        raise ValueError(kind)
