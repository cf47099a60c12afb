"""What runs in the processes of an installation: tasks that leave traces, and first data."""

from __future__ import annotations

import os
import time
from pathlib import Path


def note(path: str, word: str) -> None:
    """Add one line; `O_APPEND` keeps the lines of several workers apart."""
    with Path(path).open("a") as file:
        file.write(f"{word} {os.getpid()}\n")


def work(path: str, word: str, seconds: float) -> None:
    """Note the beginning and the end of a piece of work, which `seconds` of work are between."""
    note(path, f"{word}-begun")
    time.sleep(seconds)
    note(path, f"{word}-done")


def be_stuck(path: str, word: str) -> None:
    """Work for ever, deaf to the exception that ends a task at its time-out."""
    note(path, f"{word}-begun")
    while True:
        try:
            time.sleep(3600)
        except BaseException:  # noqa: BLE001, S112 - it is deaf
            continue


def make_due_mailing(clients: int, unit: str = "once") -> None:
    """Make a mailing that is due; called by `manage.py shell`."""
    from django.utils import timezone

    from accounts.models import User
    from mailing.enums import MailingStatus, Unit
    from tests.factories import make_clients, make_mailing

    now = timezone.now().replace(second=0, microsecond=0)
    make_mailing(
        User.objects.create_user("alice@people.test", "correct-horse-battery"),
        make_clients(User.objects.get(), [f"ok+{number}@x.test" for number in range(clients)]),
        unit=Unit(unit),
        status=MailingStatus.SCHEDULED,
        starts_at=now,
        next_due_at=now,
    )
