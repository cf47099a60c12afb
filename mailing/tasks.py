"""Tasks of the queue. They carry no data: each looks into the tables for what is to be done.

A task may be lost, doubled or killed at any line; the rows alone keep the promises.
"""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone
from django_q.tasks import async_task

from mailing import clientele, dispatch, heartbeat


def tick() -> None:
    """Open what is due, take back what is lost, wake a sender if work waits.

    With SCHEDULER_ACTIVE off this is left to the command `scheduler`, but for changes of clients,
    which no clock rules.
    """
    if clientele.work_waits():
        wake_changer()
    if not settings.SCHEDULER_ACTIVE:
        return
    dispatch.plan()
    if dispatch.work_waits():
        wake_senders()
    if dispatch.imports_wait():
        wake_importer()


def deliver() -> None:
    """Send for one slice, and come back if work is left; without a free slot, others do."""
    if dispatch.send():
        _enqueue_deliver()


def import_clients() -> None:
    """Bring in clients for one slice, and come back if work is left."""
    if dispatch.import_clients():
        wake_importer()


def forget() -> None:
    """Forget old attempts for one slice, and come back if some are left."""
    if dispatch.forget():
        async_task("mailing.tasks.forget", save=False)


def change_clients() -> None:
    """Go on with what is being done to many clients for one slice; come back if some is left."""
    if clientele.carry_on():
        wake_changer()


def wake_changer() -> None:
    async_task("mailing.tasks.change_clients", save=False)


def pulse() -> None:
    """Prove that tasks are being run."""
    heartbeat.beat(timezone.now())


def wake_senders() -> None:
    """Have as many senders as this host may run look for work soon."""
    for _ in range(dispatch.sender_slots()):
        _enqueue_deliver()


def wake_importer() -> None:
    """Have somebody go on with what is to be imported soon."""
    async_task("mailing.tasks.import_clients", save=False)


def _enqueue_deliver() -> None:
    async_task("mailing.tasks.deliver", save=False)


def send_pulse() -> None:
    async_task("mailing.tasks.pulse", save=False)
