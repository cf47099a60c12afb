"""Points the installation at a mail server of the test, as the environment does."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from mailing.enums import MailingStatus
from mailing.models import Mailing
from tests.factories import make_clients, make_mailing


def use_server(settings: Settings, folder: Path, port: int) -> None:
    """Have mailings go to the server at this port of this machine."""
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.SMTP_CONNECTIONS = 1
    settings.JOURNAL_DIR = folder / "journal"


def due_now(owner: User, *addresses: str) -> Mailing:
    """Return a mailing that is due by the real clock."""
    due_at = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=1)
    return make_mailing(
        owner,
        make_clients(owner, list(addresses)),
        status=MailingStatus.SCHEDULED,
        starts_at=due_at,
        next_due_at=due_at,
    )
