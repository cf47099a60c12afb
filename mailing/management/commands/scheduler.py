"""Periodic sending without the task queue. Running it beside a cluster, or twice, is safe."""

import logging
import signal
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from accounts import mail
from mailing import dispatch, heartbeat

logger = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 5.0
_FORGET_EVERY_SECONDS = 86_400.0


class Command(BaseCommand):
    help = (
        "Open the mailings that are due and send their letters, again and again until SIGTERM or "
        "Ctrl-C (the letter under way is finished). With --once: what is due now, then end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="send what is due now, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        self._forget_at = time.monotonic()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            try:
                self._round(stop)
            except (DatabaseError, InterfaceError) as error:
                if options["once"]:
                    raise
                logger.error("nothing is sent until the database answers: %s", error)  # noqa: TRY400
                connection.close()
            if options["once"]:
                return
            stop.wait(_LOOK_EVERY_SECONDS)

    def _round(self, stop: threading.Event) -> None:
        heartbeat.beat(timezone.now())
        mail.send_due(timezone.now())
        dispatch.plan()
        if time.monotonic() >= self._forget_at and not dispatch.forget(seconds=1):
            self._forget_at = time.monotonic() + _FORGET_EVERY_SECONDS
        while not stop.is_set() and dispatch.work_waits():
            if not dispatch.send(interrupted=stop.is_set):
                return  # nothing left for now, the server is away, or another sender has the slot
