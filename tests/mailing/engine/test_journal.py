from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from mailing.engine import journal
from mailing.engine.classify import Reply
from mailing.engine.journal import Entry, Journal, JournalError
from mailing.enums import Stage


def hold_one(folder: Path) -> Any:
    return journal.hold(folder, 1)


def test_a_journal_has_one_holder(tmp_path: Path) -> None:
    with hold_one(tmp_path) as first, hold_one(tmp_path) as second:
        assert first is not None
        assert second is None
    with hold_one(tmp_path) as third:
        assert third is not None


def test_there_are_as_many_journals_as_slots(tmp_path: Path) -> None:
    with (
        journal.hold(tmp_path, 2) as first,
        journal.hold(tmp_path, 2) as second,
        journal.hold(tmp_path, 2) as third,
    ):
        assert first is not None
        assert second is not None
        assert first.path != second.path
        assert third is None


def test_it_tells_what_was_on_the_wire(tmp_path: Path) -> None:
    with hold_one(tmp_path) as held:
        held.start()
        held.dot(1, 1)
        held.answer(1, 1, Stage.DOT, Reply(250, "2.0.0", "queued as ÄÖ\nx"))
        held.answer(2, 3, Stage.RCPT, Reply(451, "", "later"))
        held.dot(3, 1)
        assert held.read().entries == {}, "noted, not written yet"
        assert held.write()
        assert not held.write()
        journal_id = held.journal_id
    with hold_one(tmp_path) as later:
        record = later.read()
    assert record.intact
    assert record.entries == {
        1: Entry(1, Stage.DOT, Reply(250, "2.0.0", "queued as ÄÖ x")),
        2: Entry(3, Stage.RCPT, Reply(451, "", "later")),
        3: Entry(1, Stage.DOT, None),
    }
    assert record.proves_silence(journal.boot_id(), journal_id)


def test_a_line_that_could_not_be_written_is_still_owed(tmp_path: Path) -> None:
    descriptor = os.open("/dev/full", os.O_RDWR)
    full = Journal(tmp_path / "journal", descriptor)
    full.dot(1, 1)
    for _ in range(2):
        with pytest.raises(JournalError):
            full.write()
    room = os.open(full.path, os.O_RDWR | os.O_CREAT)
    os.dup2(room, descriptor)  # there is space again
    assert full.write()
    assert full.read().entries == {1: Entry(1, Stage.DOT, None)}
    os.close(room)
    os.close(descriptor)


def test_it_tells_which_letter_was_being_composed(tmp_path: Path) -> None:
    with hold_one(tmp_path) as held:
        held.start()
        assert held.read().composing is None
        held.compose(1, 1)
        held.compose(2, 3)
        assert held.read().composing == (2, 3)
        assert held.read().entries == {}, "nothing of it has left"
        assert held.read().intact
        held.dot(1, 1)
        held.write()
        assert held.read().composing is None, "more was done after it"


def test_it_proves_nothing_after_another_boot_or_for_another_journal(tmp_path: Path) -> None:
    with hold_one(tmp_path) as held:
        held.start()
        record, journal_id = held.read(), held.journal_id
        assert not record.proves_silence("another-boot", journal_id)
        assert not record.proves_silence("", journal_id)
        held.start()
        assert not held.read().proves_silence(journal.boot_id(), journal_id)


def test_a_torn_line_makes_it_worthless_as_a_proof(tmp_path: Path) -> None:
    with hold_one(tmp_path) as held:
        held.start()
        held.dot(1, 1)
        held.write()
        path, journal_id = held.path, held.journal_id
    for damage in (b"D 2", b"D 2 x\n", b"\xff\xfe\n", b"Q 1 1\n"):
        original = path.read_bytes()
        path.write_bytes(original + damage)
        with hold_one(tmp_path) as later:
            record = later.read()
        assert not record.proves_silence(journal.boot_id(), journal_id), damage
        assert record.entries[1] == Entry(1, Stage.DOT, None)
        path.write_bytes(original)


def test_a_journal_on_a_full_disk_refuses() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        full = Journal(Path("/dev/full"), descriptor)
        try:
            full.dot(1, 1)
            full.write()
        except journal.JournalError:
            return
        raise AssertionError("the write was taken for done")
    finally:
        os.close(descriptor)


def _write_and_wait(folder: Path, ready: Any) -> None:
    with hold_one(folder) as held:
        held.start()
        held.dot(7, 1)
        held.write()
        ready.set()
        signal.pause()


def test_what_a_killed_holder_wrote_is_there_and_its_lock_is_gone(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    holder = context.Process(target=_write_and_wait, args=(tmp_path, ready))
    holder.start()
    assert ready.wait(10)
    path = tmp_path / "sender-0.journal"
    with journal.seize(path) as alive:
        assert alive is None
    holder.kill()
    holder.join()
    with journal.seize(path) as dead:
        assert dead is not None
        assert dead.read().entries == {7: Entry(1, Stage.DOT, None)}
