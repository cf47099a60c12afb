"""What the task queue does by the clock, and what wakes it for account mails and erasures."""

from __future__ import annotations

import logging
from math import ceil

from django.conf import settings
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from accounts import closing, mail
from blog import pictures, readership, workflow

logger = logging.getLogger(__name__)


def ensure_schedules() -> None:
    """Make the schedules, or bring them up to date. Idempotent.

    What a tick does is up to SCHEDULER_ACTIVE. django-q2 knows no seconds, so SCHEDULER_INTERVAL is
    rounded up to minutes.
    """
    _ensure("tick", "mailing.tasks.tick", minutes=ceil(settings.SCHEDULER_INTERVAL / 60))
    _ensure("account mails", "site_project.schedules.send_account_mails")
    _ensure("dates of posts", "site_project.schedules.keep_dates_of_posts")
    # What publishing has not woken: a worker that was killed, or an encoder that came later.
    _ensure("pictures of posts", "site_project.schedules.draw_pictures_of_posts", Schedule.HOURLY)
    _ensure("readers of posts", "site_project.schedules.write_down_readers")
    _ensure("closed accounts", "site_project.schedules.erase_closed_accounts")
    _ensure("retention", "mailing.tasks.forget", Schedule.DAILY)


def _ensure(name: str, func: str, schedule_type: str = Schedule.MINUTES, minutes: int = 1) -> None:
    # Mailings fall due on whole minutes. django-q2 adds minutes to the first date, whose seconds
    # would otherwise be those of the migration: with :45 each mailing would be 45 seconds late.
    this_minute = timezone.now().replace(second=0, microsecond=0)
    # Names are not unique in django-q2: two first migrations at once may have left two rows.
    first = Schedule.objects.filter(name=name).order_by("pk").first()
    if first is None:
        first = Schedule(name=name, func=func, schedule_type=schedule_type)
    else:
        Schedule.objects.filter(name=name).exclude(pk=first.pk).delete()
    if first.pk is None or first.minutes != minutes or first.next_run.second:
        first.minutes, first.next_run = minutes, this_minute
        first.save()


def send_account_mails() -> None:
    """Send the account mails that are due. The clock is read here, for `accounts.mail`."""
    mail.send_due(timezone.now())


def keep_dates_of_posts() -> None:
    """Publish and take back the posts whose hour has come, SCHEDULER_ACTIVE or not."""
    workflow.keep_dates(timezone.now())


def write_down_readers() -> None:
    """Write down how often posts were read."""
    readership.write_down()


def wake_account_mails() -> None:
    """Have the account mails sent soon; if the queue is away, the schedule finds them."""
    async_task("site_project.schedules.send_account_mails", save=False)


def erase_closed_accounts() -> None:
    """Erase closed accounts for one slice, and come back at once if more is left."""
    if closing.erase_due(timezone.now()):
        wake_erasures()


def draw_pictures_of_posts() -> None:
    """Draw the pictures of published posts for one slice, and come back if more is left."""
    if pictures.draw_missing():
        wake_pictures_of_posts()


def wake_pictures_of_posts() -> None:
    async_task("site_project.schedules.draw_pictures_of_posts", save=False)


def wake_erasures() -> None:
    async_task("site_project.schedules.erase_closed_accounts", save=False)
