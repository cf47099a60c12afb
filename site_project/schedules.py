"""What the task queue does by the clock, and how account mails wake it."""

from __future__ import annotations

import logging

from django.conf import settings
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from accounts import mail

logger = logging.getLogger(__name__)

_SCHEDULES = {
    "tick": "mailing.tasks.tick",
    "account mails": "site_project.schedules.send_account_mails",
}


def ensure_schedules() -> None:
    """Make the schedules, or remove them where SCHEDULER_ACTIVE is off. Idempotent."""
    if not settings.SCHEDULER_ACTIVE:
        Schedule.objects.filter(name__in=_SCHEDULES).delete()
        return
    for name, func in _SCHEDULES.items():
        # `name` is not unique in django-q2, so it is looked up first.
        Schedule.objects.get_or_create(
            name=name,
            defaults={"func": func, "schedule_type": Schedule.MINUTES, "minutes": 1},
        )


def send_account_mails() -> None:
    """Send the account mails that are due. The clock is read here, for `accounts.mail`."""
    mail.send_due(timezone.now())


def wake_account_mails() -> None:
    """Have the account mails sent soon; if the queue is away, the schedule finds them."""
    async_task("site_project.schedules.send_account_mails", save=False)
