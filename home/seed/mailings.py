"""Makes the mailings of an owner by their plans, each with what has become of it so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from wagtail.log_actions import log

from accounts.models import User
from home.seed.history import Past, write_history
from home.seed.letters import Messages, ensure_messages
from home.seed.plans import Plan
from mailing import schedule
from mailing.composer.render import freeze
from mailing.enums import MailingStatus, MonthDay
from mailing.models import ClientList, DatePeriod, Mailing

_QUIET_BEFORE = timedelta(hours=3)
_QUIET_AFTER = timedelta(minutes=70)
"""Only the mailing that is meant to be due falls due near the moment of seeding."""


def ensure_mailings(
    owner: User, plans: Sequence[Plan], *, language: str, manager: User, now: datetime
) -> None:
    """Make the mailings with messages, runs and log, unless the first of them is there already.

    `language` is the one the plans' letters are written in.
    """
    if Mailing.objects.owned_by(owner).filter(name=plans[0].name).exists():
        return
    letters = list(dict.fromkeys(letter for plan in plans for letter in plan.letters))
    messages = ensure_messages(owner, letters, language, now)
    # Rendering may write picture files, so it is done before the transaction.
    pasts = [_draft(plan, owner, messages, now) for plan in plans]
    with transaction.atomic():
        for past in pasts:
            _save(past, now)
        write_history(owner, pasts, now)
        for past in pasts:
            _log(past, manager, now)


def _draft(plan: Plan, owner: User, messages: Messages, now: datetime) -> Past:
    unit, count = plan.period
    mailing = Mailing(
        owner=owner,
        name=plan.name,
        message=messages[plan.letters[0]],
        period=DatePeriod.objects.get(unit=unit, count=count, month_day=MonthDay.SAME_DAY),
        starts_at=now,
        time_zone=owner.time_zone,
        status=plan.status,
        reason=plan.reason,
    )
    _set_dates(mailing, plan, now)
    contents = []
    for letter in plan.letters:
        mailing.message = messages[letter]
        contents.append(freeze(mailing))
    mailing.message = messages[plan.letters[0]]
    return Past(plan=plan, mailing=mailing, contents=contents, until=_until(mailing, plan, now))


def _set_dates(mailing: Mailing, plan: Plan, now: datetime) -> None:
    zone = mailing.time_zone
    wall = plan.start(now.astimezone(zone).replace(tzinfo=None))
    mailing.starts_at = schedule.instant(wall, zone)
    if plan.lasts_days:
        mailing.ends_at = mailing.starts_at + timedelta(days=plan.lasts_days)
    if plan.is_due:
        mailing.next_due_at = mailing.schedule.latest_until(now)
        return
    if plan.status != MailingStatus.SENDING and _is_near(mailing, now):
        mailing.starts_at = schedule.instant(wall + timedelta(hours=5), zone)
    if plan.status in {MailingStatus.SCHEDULED, MailingStatus.PAUSED, MailingStatus.DEACTIVATED}:
        mailing.next_due_at = mailing.schedule.next_after(_until(mailing, plan, now))


def _is_near(mailing: Mailing, now: datetime) -> bool:
    following = mailing.schedule.next_after(now - _QUIET_BEFORE)
    return following is not None and following <= now + _QUIET_AFTER


def _until(mailing: Mailing, plan: Plan, now: datetime) -> datetime:
    """Return the instant up to which its occurrences have had their runs."""
    if plan.is_due and mailing.next_due_at is not None:
        return mailing.next_due_at - timedelta(minutes=1)
    return now - timedelta(days=plan.stopped_days_ago)


def _save(past: Past, now: datetime) -> None:
    mailing = past.mailing
    mailing.save()
    mailing.lists.set(ClientList.objects.owned_by(mailing.owner).filter(name__in=past.plan.lists))
    past.created_at = min(mailing.starts_at, now) - past.plan.prepared
    Mailing.objects.filter(pk=mailing.pk).update(
        created_at=past.created_at, updated_at=past.created_at
    )


def _log(past: Past, manager: User, now: datetime) -> None:
    """Write the entries that the use cases in `mailing.lifecycle` would have written."""
    mailing, status = past.mailing, past.plan.status
    owner = mailing.owner
    log(instance=mailing, action="wagtail.create", user=owner, timestamp=past.created_at)
    if status == MailingStatus.CREATED:
        return
    started_at = past.created_at + timedelta(minutes=12)
    log(instance=mailing, action="mailing.start", user=owner, timestamp=started_at)
    if status == MailingStatus.DEACTIVATED:
        reason = {"reason": mailing.reason}
        action, by = "mailing.deactivate", manager
        log(instance=mailing, action=action, user=by, data=reason, timestamp=past.until)
    elif status == MailingStatus.PAUSED:
        stopped_at = past.stopped_at or past.until
        data = {"reason": ""}
        log(instance=mailing, action="mailing.pause", user=owner, data=data, timestamp=stopped_at)
    elif past.stopped_at is not None:
        action = "mailing.cancel_run"
        log(instance=mailing, action=action, user=owner, timestamp=past.stopped_at)
