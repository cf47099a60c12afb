"""Run everything a developer needs with one command."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from site_project.processes import Together, manage


class Command(BaseCommand):
    help = (
        "Run web server, cluster and mail catcher together until Ctrl-C. The web server reloads "
        "changed code, the cluster does not: start anew after changing what it runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", nargs="?", default="8000", help="[address:]port")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("DEBUG is off: this is for development.")
        together = Together()
        together.catch_signals()
        try:
            if settings.MAIL_CATCHER_DIR is not None:
                together.start("mail catcher", manage("mailcatcher"))
                together.wait_until_listening(settings.EMAIL_HOST, settings.EMAIL_PORT)
            together.start("cluster", manage("qcluster"))
            together.start("web server", manage("runserver", options["address"]))
            ended = together.wait()
        finally:
            together.stop()
        if ended is not None:
            raise CommandError(f"The {ended} has ended, so all was stopped.")
