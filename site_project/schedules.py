"""What the task queue does by the clock, and how account mails wake it."""

from __future__ import annotations

import logging

from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from accounts import mail

logger = logging.getLogger(__name__)


def ensure_schedules() -> None:
    """Make the schedules. Idempotent; what a tick does is up to SCHEDULER_ACTIVE."""
    _ensure("tick", "mailing.tasks.tick")
    _ensure("account mails", "site_project.schedules.send_account_mails")
    _ensure("retention", "mailing.tasks.forget", Schedule.DAILY)


def _ensure(name: str, func: str, schedule_type: str = Schedule.MINUTES) -> None:
    # Names are not unique in django-q2: two first migrations at once may have left two rows.
    first = Schedule.objects.filter(name=name).order_by("pk").first()
    if first is None:
        Schedule.objects.create(name=name, func=func, schedule_type=schedule_type, minutes=1)
    else:
        Schedule.objects.filter(name=name).exclude(pk=first.pk).delete()


def send_account_mails() -> None:
    """Send the account mails that are due. The clock is read here, for `accounts.mail`."""
    mail.send_due(timezone.now())


def wake_account_mails() -> None:
    """Have the account mails sent soon; if the queue is away, the schedule finds them."""
    async_task("site_project.schedules.send_account_mails", save=False)
