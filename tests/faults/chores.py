"""What runs in the processes of an installation: tasks that leave traces, and first data."""

from __future__ import annotations

import os
import time
from pathlib import Path
from uuid import uuid4


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


def make_waiting_mailing(owner: str, clients: int = 1, whole_seconds: int = 60) -> float:
    """Make somebody with a mailing that falls due in ten seconds or a little later; return when.

    It is when the clock shows a multiple of `whole_seconds`.
    """
    from datetime import UTC, datetime

    from accounts import roles
    from accounts.models import User
    from mailing.enums import MailingStatus
    from tests.factories import make_clients, make_mailing

    user = User.objects.create_user(f"{owner}@people.test", "correct-horse-battery")
    roles.give(user, roles.USERS)
    due_at = -(-(time.time() + 10) // whole_seconds) * whole_seconds
    moment = datetime.fromtimestamp(due_at, UTC)
    make_mailing(
        user,
        make_clients(user, [f"ok+{owner}{number}@x.test" for number in range(clients)]),
        status=MailingStatus.SCHEDULED,
        starts_at=moment,
        next_due_at=moment,
    )
    return due_at


def press_send_now(owner: str) -> float:
    """Press the button of somebody's only mailing; return the instant of that."""
    from django.test import Client

    from accounts.models import User
    from mailing.models import Mailing

    user = User.objects.get(email=f"{owner}@people.test")
    mailing = Mailing.objects.get(owner=user)
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    url = f"/admin/mailing/mailing/send_now/{mailing.pk}/"
    pressed_at = time.time()
    answer = browser.post(url, {"form_key": str(uuid4())})
    assert (answer.status_code, mailing.runs.count()) == (302, 1), answer.content
    return pressed_at
