"""Run the mail catcher of development sites."""

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from site_project.mailcatcher.box import Box
from site_project.mailcatcher.server import LOOPBACK, controller


class Command(BaseCommand):
    help = "Catch mail on this machine instead of sending it; read it at /mail/."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--delay", type=float, default=0.0, help="seconds that each letter takes (default 0)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder, host, port = settings.MAIL_CATCHER_DIR, settings.EMAIL_HOST, settings.EMAIL_PORT
        if folder is None:
            raise CommandError("MAIL_CATCHER_DIR is not set: there is nowhere to keep letters.")
        if host not in LOOPBACK:
            raise CommandError(f"EMAIL_URL names {host}, which is not this machine.")
        server = controller(Box(folder), host=host, port=port, delay_seconds=options["delay"])
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            server.start()
        except OSError as error:
            raise CommandError(f"Port {port} cannot be used: {error.strerror}") from error
        self.stdout.write(f"Mail catcher listens on {host}:{port}")
        stop.wait()
        server.stop()
