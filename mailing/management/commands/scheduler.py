"""Periodic sending without the task queue. Running it beside a cluster, or twice, is safe.

The main thread sends. A thread of its own plans, so that a mailing is opened when it is due while
letters wait for a slow server; one does the chores, one brings clients in, and one goes on with
what owners do to many clients at once.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from accounts import closing, mail
from mailing import clientele, dispatch
from site_project import page_cache

logger = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 0.3
_CHORES_EVERY_SECONDS = 5.0
_FORGET_EVERY_SECONDS = 86_400.0
_IMPORT_EVERY_SECONDS = 1.0
_CHANGE_EVERY_SECONDS = 1.0
_CHANGE_SECONDS = 2.0
_PAST_THE_SECOND = 0.01  # woken a moment too early, a round would find nothing due


class Command(BaseCommand):
    help = (
        "Open the mailings that are due and send their letters, again and again until SIGTERM or "
        "Ctrl-C (the letter under way is finished). With --once: what is due now, then end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="send what is due now, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        page_cache.drop_all()  # the process before may have owed a drop
        self._stop = threading.Event()
        self._forget_at = time.monotonic()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        if options["once"]:
            dispatch.plan()
            self._do_chores()
            self._import()
            self._change_clients()
            self._send()
            return
        threads = [
            _Repeated("planning", dispatch.plan, settings.SCHEDULER_INTERVAL, self._stop),
            _Repeated("chores", self._do_chores, _CHORES_EVERY_SECONDS, self._stop),
            _Repeated("importing", self._import, _IMPORT_EVERY_SECONDS, self._stop),
            _Repeated("changing", self._change_clients, _CHANGE_EVERY_SECONDS, self._stop),
        ]
        for thread in threads:
            thread.start()
        send = _Persistent("sending", self._send)
        try:
            while not self._stop.wait(_LOOK_EVERY_SECONDS):
                send()
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _send(self) -> None:
        while not self._stop.is_set() and dispatch.work_waits():
            if not dispatch.send(interrupted=self._stop.is_set):
                return  # nothing left for now, the server is away, or another sender has the slot

    def _import(self) -> None:
        while not self._stop.is_set() and dispatch.imports_wait():
            dispatch.import_clients(interrupted=self._stop.is_set)

    def _change_clients(self) -> None:
        while not self._stop.is_set() and clientele.work_waits():
            clientele.carry_on(_CHANGE_SECONDS)

    def _do_chores(self) -> None:
        mail.send_due(timezone.now(), interrupted=self._stop.is_set)
        closing.erase_due(timezone.now(), seconds=1)
        dispatch.do_chores()
        if time.monotonic() >= self._forget_at and not dispatch.forget(seconds=1):
            self._forget_at = time.monotonic() + _FORGET_EVERY_SECONDS


class _Persistent:
    """A piece of work that fails without a fuss, to be tried again: the log has one line of it."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._name = name
        self._work = work
        self._trouble = ""

    def __call__(self) -> None:
        try:
            self._work()
        except (DatabaseError, InterfaceError, OSError) as error:
            # The database is away, or the disk is full.
            connections.close_all()  # those of this thread: a broken one never mends
            if str(error) != self._trouble:
                logger.error("%s waits: %s", self._name, error)  # noqa: TRY400
            self._trouble = str(error)
        except Exception as error:
            if str(error) != self._trouble:
                logger.exception("%s has failed and is tried again", self._name)
            self._trouble = str(error)
        else:
            if self._trouble:
                logger.warning("%s goes on", self._name)
            self._trouble = ""


class _Repeated(threading.Thread):
    """Does its work whenever the clock shows a multiple of so many seconds, and at once."""

    def __init__(
        self, name: str, work: Callable[[], None], seconds: float, stop: threading.Event
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._work = _Persistent(name, work)
        self._seconds = seconds
        self._told_to_stop = stop

    def run(self) -> None:
        try:
            while not self._told_to_stop.is_set():
                self._work()
                rest = self._seconds - time.time() % self._seconds
                self._told_to_stop.wait(rest + _PAST_THE_SECOND)
        finally:
            connections.close_all()
