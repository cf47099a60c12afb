"""What the task queue and the `scheduler` command both do: plan, sweep, send a slice.

Here the engine gets its settings and its clock. Both callers only wake it; the tables decide what
is to be done, so any number of them may run at once.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from random import SystemRandom
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from mailing import figures, heartbeat, notices, statistics, tokens
from mailing.composer.render import freeze
from mailing.engine import circuit, hourly, journal, planner, retention, sweeper
from mailing.engine.budget import Rate
from mailing.engine.database import database_clock, is_postgresql
from mailing.engine.letter import Service
from mailing.engine.sender import SLICE_SECONDS, Sender
from mailing.engine.transport.server import MailServer, Security
from mailing.importing import retention as import_retention
from mailing.importing import slices
from mailing.models import Batch, ClientImport
from site_project import page_drops

_random = SystemRandom()
_chores: list[Callable[[], object]] = []


def do_also(*chores: Callable[[], object]) -> None:
    """Register what other packages have done by the clock, for the command `scheduler`."""
    _chores.extend(chore for chore in chores if chore not in _chores)


def do_chores() -> None:
    """Do what others have registered; the cluster has schedules of its own for it."""
    for chore in _chores:
        chore()


@page_drops.coalesced()
def plan() -> None:
    """Open what is due, take back what dead senders hold, and tell whom it concerns."""
    clock = database_clock(timezone.now())
    now = clock()
    heartbeat.beat(now)
    planner.open_due(now, freeze, _random, unfit=partial(notices.tell_unfit, now=now))
    planner.move_windows(now)
    # To open runs may take a minute, and senders renew their leases meanwhile.
    sweeper.sweep(clock(), host=host_name(), random=_random)
    circuit.alert(now)
    notices.tell(now)
    hourly.fold()
    figures.note_clients(now)
    statistics.note_unique_clients()


def work_waits() -> bool:
    """Return whether a sender would find something to do now."""
    now = database_clock(timezone.now())()
    return Batch.objects.waiting(now).exists() and not circuit.is_open(mail_server().name, now)


@page_drops.coalesced()
def send(
    seconds: float = SLICE_SECONDS, interrupted: Callable[[], bool] = lambda: False
) -> bool | None:
    """Send for one slice; return whether work is left, or None if all sender slots are taken."""
    clock = database_clock(timezone.now())
    with journal.hold(settings.JOURNAL_DIR, sender_slots()) as held:
        if held is None:
            return None
        sender = Sender(
            server=mail_server(),
            service=service(),
            journal=held,
            host=host_name(),
            clock=clock,
            random=_random,
            server_rate=server_rate(),
            owner_rate=owner_rate(),
            seconds=seconds,
            interrupted=interrupted,
        )
        work_left = sender.run()
    heartbeat.beat(timezone.now())
    return work_left


@page_drops.coalesced()
def forget(seconds: float = SLICE_SECONDS) -> bool:
    """Forget for one slice what is older than RETENTION_DAYS; return whether some is left."""
    import_retention.sweep_files(timezone.now())
    while import_retention.forget(timezone.now()):
        pass
    if not settings.RETENTION_DAYS:
        return False
    before = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    until = time.monotonic() + seconds
    while retention.forget(before):
        if time.monotonic() >= until:
            return True
    return False


def imports_wait() -> bool:
    """Return whether an import needs somebody to go on with it."""
    now = database_clock(timezone.now())()
    return ClientImport.objects.waiting(now).exists()


def import_clients(
    seconds: float = slices.SLICE_SECONDS, interrupted: Callable[[], bool] = lambda: False
) -> bool:
    """Go on with one import for a slice; return whether work is left."""
    slices.go_on(database_clock(timezone.now()), seconds, interrupted)
    return imports_wait()


def sender_slots() -> int:
    """Return how many senders may run on this host, so that a worker stays free for the tick.

    SQLite has one writer at a time: a second sender would only wait.
    """
    return settings.Q_WORKERS - 1 if is_postgresql() else 1


def mail_server() -> MailServer:
    security = Security.NONE
    if settings.EMAIL_USE_SSL:
        security = Security.TLS
    elif settings.EMAIL_USE_TLS:
        security = Security.STARTTLS
    return MailServer(
        host=settings.EMAIL_HOST,
        port=settings.EMAIL_PORT,
        security=security,
        user=settings.EMAIL_HOST_USER,
        password=settings.EMAIL_HOST_PASSWORD,
        local_name=urlsplit(settings.SITE_URL).hostname or "localhost",
        # The limit is the server's: the senders of this host share it.
        connections=max(1, settings.SMTP_CONNECTIONS // sender_slots()),
        messages_per_connection=settings.SMTP_MESSAGES_PER_CONNECTION,
    )


def server_rate() -> Rate:
    return Rate(settings.SERVER_LETTERS_PER_SECOND, settings.SERVER_LETTERS_PER_DAY)


def owner_rate() -> Rate:
    return Rate(settings.OWNER_LETTERS_PER_SECOND, settings.OWNER_LETTERS_PER_DAY)


def service() -> Service:
    return Service(
        sender_address=settings.SENDER_ADDRESS,
        host=urlsplit(settings.SITE_URL).hostname or "localhost",
        unsubscribe_url=tokens.unsubscribe_links(settings.SITE_URL),
        secret=settings.SECRET_KEY.encode(),
    )


def host_name() -> str:
    """Return what names this machine in a lease."""
    return socket.gethostname()
