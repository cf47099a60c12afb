"""A second session of the database that is moved step by step against the first."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connections

from mailing.engine import faults
from mailing.engine.faults import Point

_PATIENCE = 0.3
"""Seconds after which the second session counts as waiting for a lock of the first."""


class Meanwhile:
    """Does `work` in another session when the first reaches a point for the n-th time.

    The first session stands still meanwhile; if the second has to wait for it, both go on.
    """

    def __init__(self, point: Point, number: int, work: Callable[[], object]) -> None:
        self._awaited, self._left, self._work = point, number, work
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._error: BaseException | None = None
        self.result: object = None
        self.waited = False

    def __enter__(self) -> Meanwhile:
        faults.watch(self._reached)
        return self

    def __exit__(self, *_error: object) -> None:
        faults.watch(None)
        assert self._left <= 0, "the point was not reached"
        self._thread.join(30)
        assert not self._thread.is_alive(), "the two sessions wait for each other"
        if self._error is not None:
            raise self._error

    def _reached(self, point: Point) -> None:
        if point is not self._awaited or threading.current_thread() is self._thread:
            return
        self._left -= 1
        if self._left == 0:
            self._thread.start()
            self._thread.join(_PATIENCE)
            self.waited = self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:  # noqa: BLE001 - it is raised again in the first session
            self._error = error
        finally:
            connections.close_all()
