"""When the pages of a group are dropped: at once, or at most once a second; surely in any case.

A cache that is away when it is told to drop something must not serve it later on. So what failed is
tried again each second, and until then `is_away` keeps this process from reading anything there.
Meanwhile nobody else tries: a server that is silent would hold up each write once for each group.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from multiprocessing.util import Finalize
from typing import Protocol

logger = logging.getLogger(__name__)

SECONDS = 1.0
"""Drops within `coalesced` happen at most so often, and the last of them after so long."""


class Droppable(Protocol):
    """A group of pages."""

    def delete_token(self) -> None:
        """Make every stored page of the group worthless. Raises what the cache raises."""


class _Drops:
    """Deletes tokens: at once, again if the cache was away, and at most once a second if told so.

    What is to be done later is done by a thread of its own, or when the process ends.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[Droppable] = set()
        self._owed: set[Droppable] = set()
        self._asked: Counter[Droppable] = Counter()
        self._dropped_at: dict[Droppable, float] = {}
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self.own = threading.local()

    def ask(self, group: Droppable) -> None:
        with self._lock:
            now = time.monotonic()
            last = self._dropped_at.setdefault(group, now - SECONDS)
            self._asked[group] += 1
            if self._owed:
                self._owed.add(group)
                return
            if getattr(self.own, "coalesces", False):
                if now - last < SECONDS:
                    self._waiting.add(group)
                    self._do_later()
                    return
                self._waiting.discard(group)
                self._dropped_at[group] = now
        self._drop([group])

    def is_away(self) -> bool:
        """Return whether the cache may still hold pages that it was told to drop."""
        return bool(self._owed)

    def flush(self) -> None:
        """Do all that waits."""
        self._do(self._waiting | self._owed)

    def _do(self, groups: set[Droppable]) -> None:
        with self._lock:
            self._waiting -= groups
            self._dropped_at.update(dict.fromkeys(groups, time.monotonic()))
        self._drop(groups)

    def _drop(self, groups: Collection[Droppable]) -> None:
        left = list(groups)
        while left:
            group = left[0]
            asked = self._asked[group]
            try:
                group.delete_token()
            except Exception as error:  # noqa: BLE001 - the write that led here must not fail
                report(error)
                self._owe(left)
                return
            with self._lock:
                if self._asked[group] == asked:  # nobody has written after that
                    self._owed.discard(group)
            left.pop(0)

    def _owe(self, groups: Collection[Droppable]) -> None:
        with self._lock:
            self._owed.update(groups)
            self._dropped_at.update(dict.fromkeys(groups, time.monotonic()))  # tried
            self._do_later()

    def _do_later(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._do_when_due, daemon=True)
            self._thread.start()
            # Unlike atexit, this is also called where a worker of the queue ends.
            Finalize(None, self.flush, exitpriority=10)
        self._wake.set()

    def _do_when_due(self) -> None:
        while self._wake.wait():
            self._wake.clear()
            while groups := self._waiting | self._owed:
                now = time.monotonic()
                waits = {g: self._dropped_at[g] + SECONDS - now for g in groups}
                due = {group for group, seconds in waits.items() if seconds <= 0}
                if due:
                    self._do(due)
                else:
                    time.sleep(min(waits.values()))


_drops = _Drops()


def _forget_other_process() -> None:
    """Start anew in a forked worker: threads and locks have stayed behind."""
    global _drops
    _drops = _Drops()


os.register_at_fork(after_in_child=_forget_other_process)


def ask(group: Droppable) -> None:
    """Drop a group: at once, within `coalesced` at most once a second."""
    _drops.ask(group)


def is_away() -> bool:
    """Return whether the cache may still hold pages that it was told to drop."""
    return _drops.is_away()


@contextmanager
def coalesced() -> Iterator[None]:
    """Drop each group at most once a second for what this thread writes.

    For the engine, which writes many times a second while pages are being read.
    """
    if getattr(_drops.own, "coalesces", False):
        yield
        return
    _drops.own.coalesces = True
    try:
        yield
    finally:
        _drops.own.coalesces = False


def report(error: Exception) -> None:
    """Say that a cache does not work, which makes pages slower and nothing else."""
    logger.warning("pages are not kept: %s: %s", type(error).__name__, error)
