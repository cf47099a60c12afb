"""What people do with a mailing: start, pause, resume, deactivate, send again, delete.

Each is one conditional UPDATE whose row count is the answer, so two people or two tabs cannot both
succeed, and none undoes the other. Nobody calls these before asking `permissions`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from accounts.models import User
from mailing import notices, recipients
from mailing.composer.render import freeze
from mailing.engine import ledger, planner, runs
from mailing.enums import (
    OPEN_RUNS,
    DeliveryState,
    MailingStatus,
    RunStatus,
    mailing_sources,
    run_sources,
)
from mailing.models import Client, Mailing, Run


class NotNow(Exception):
    """The mailing is not in a state for this, or not fit for it; the text says why, for people."""


def start(mailing: Mailing, *, by: User, now: datetime) -> None:
    """Put a created mailing on its schedule. Raises NotNow."""
    _require_audience(mailing)
    with transaction.atomic():
        _move(mailing, MailingStatus.SCHEDULED, from_=(MailingStatus.CREATED,))
        first = mailing.schedule.next_after(now)  # as it is now that nobody can edit it
        if first is None:
            raise NotNow(_("All dates of this mailing are in the past. Choose a later start."))
        Mailing.objects.filter(pk=mailing.pk).update(next_due_at=first)
        mailing.next_due_at = first
        log(instance=mailing, action="mailing.start", user=by)


def send_now(mailing: Mailing, *, form_key: uuid.UUID, by: User, now: datetime) -> Run | None:
    """Open a run at once; None if this very form was sent before. Raises NotNow.

    A mailing that is sent once has had its sending with that.
    """
    if Run.objects.filter(mailing=mailing, form_key=form_key).exists():
        return None
    _require_audience(mailing)
    try:
        with transaction.atomic():
            if mailing.period.is_once:
                ready = (MailingStatus.CREATED, MailingStatus.SCHEDULED)
                _move(mailing, MailingStatus.SENDING, from_=ready, next_due_at=None)
            else:
                _move(mailing, MailingStatus.SENDING, from_=(MailingStatus.SCHEDULED,))
            run = planner.open_now(mailing, form_key=form_key, now=now, freeze=freeze)
            if run is None:
                raise NotNow(_("A run of this mailing is under way already."))
            log(instance=mailing, action="mailing.send_now", user=by)
    except planner.ContentError as error:
        raise NotNow(str(error)) from error
    return run


def pause(mailing: Mailing, *, by: User, reason: str = "") -> None:
    """Stop a mailing and its run; only letters already armed leave after this. Raises NotNow."""
    with transaction.atomic():
        _move(
            mailing,
            MailingStatus.PAUSED,
            from_=(MailingStatus.SCHEDULED, MailingStatus.SENDING),
            reason=reason,
        )
        _move_runs(mailing, RunStatus.PAUSED)
        log(instance=mailing, action="mailing.pause", user=by, data={"reason": reason})


def resume(mailing: Mailing, *, by: User, now: datetime) -> None:
    """Go on with a paused mailing; dates that passed meanwhile are left out. Raises NotNow."""
    following = _next_date(mailing, now)
    with transaction.atomic():
        open_run = Run.objects.filter(mailing=mailing).unfinished().first()
        if following is None and open_run is None:
            raise NotNow(_("All dates of this mailing are in the past. Choose a later date."))
        _move(
            mailing,
            MailingStatus.SENDING if open_run else MailingStatus.SCHEDULED,
            from_=(MailingStatus.PAUSED,),
            next_due_at=following,
            reason="",
        )
        _move_runs(mailing, RunStatus.SENDING, from_=(RunStatus.PAUSED,))
        log(instance=mailing, action="mailing.resume", user=by)
        if open_run is not None:
            runs.rest_mailing(mailing.pk)  # somebody may have cancelled it meanwhile
            runs.settle(open_run.pk, now)  # its last letters may have left before the pause took


def deactivate(mailing: Mailing, *, by: User, reason: str, now: datetime) -> None:
    """A manager stops a mailing, and its owner is told why. Raises NotNow.

    Only a manager lifts that.
    """
    with transaction.atomic():
        _move(
            mailing,
            MailingStatus.DEACTIVATED,
            from_=mailing_sources(MailingStatus.DEACTIVATED),
            reason=reason,
        )
        _move_runs(mailing, RunStatus.PAUSED)
        log(instance=mailing, action="mailing.deactivate", user=by, data={"reason": reason})
        notices.tell_deactivated(mailing, now=now)


def lift(mailing: Mailing, *, by: User, now: datetime) -> None:
    """A manager lifts a deactivation: the mailing is paused, and its owner may resume it.

    If its run was cancelled meanwhile and no date follows, it is completed. Raises NotNow.
    """
    with transaction.atomic():
        _move(mailing, MailingStatus.PAUSED, from_=(MailingStatus.DEACTIVATED,), reason="")
        log(instance=mailing, action="mailing.lift", user=by)
        runs.rest_mailing(mailing.pk)
        mailing.refresh_from_db()
        notices.tell_lifted(mailing, now=now)


def cancel_run(run: Run, *, by: User, now: datetime) -> None:
    """End a run for good; what has not left is cancelled, the mailing goes on. Raises NotNow."""
    with transaction.atomic():
        runs.lock_mailing_of(run.pk)
        if not Run.objects.filter(pk=run.pk, status__in=run_sources(RunStatus.CANCELLED)).update(
            status=RunStatus.CANCELLED, finished_at=now
        ):
            raise NotNow(_("This run has ended already."))
        ledger.cancel_unarmed(run.pk)
        runs.rest_mailing(run.mailing_id)
        log(instance=run.mailing, action="mailing.cancel_run", user=by)


def send_again(run: Run, states: Iterable[DeliveryState], *, by: User, now: datetime) -> int:
    """Send the failed or unknown letters of a run again; return how many. Raises NotNow."""
    with transaction.atomic():
        # The mailing first: whoever stops it waits for this row, and then finds the run going on.
        mailings = Mailing.objects.kept().filter(
            pk=run.mailing_id,
            status__in=(MailingStatus.SCHEDULED, MailingStatus.SENDING, MailingStatus.COMPLETED),
        )
        reopened = Run.objects.filter(
            pk=run.pk, status__in=(RunStatus.COMPLETED, RunStatus.SENDING)
        )
        moved = mailings.update(status=MailingStatus.SENDING)
        hours = planner.window_fields(Mailing.objects.get(pk=run.mailing_id), now)
        if not moved or not reopened.update(
            status=RunStatus.SENDING,
            finished_at=None,
            expires_at=planner.expiry(hours["sends_from"], now),
            **hours,
        ):
            raise NotNow(_("Letters can be sent again while their run is going on or completed."))
        again = ledger.reopen(run.pk, states, now)
        log(instance=run.mailing, action="mailing.send_again", user=by, data={"letters": again})
    runs.settle(run.pk, now)
    return again


def delete(mailing: Mailing, *, by: User, now: datetime) -> None:
    """Hide a mailing and cancel its runs; the history stays."""
    with transaction.atomic():
        if not Mailing.objects.filter(pk=mailing.pk, deleted_at=None).update(
            deleted_at=now, next_due_at=None, message=None
        ):
            return
        for run in Run.objects.filter(mailing=mailing).unfinished().order_by("pk"):
            Run.objects.filter(pk=run.pk, status__in=run_sources(RunStatus.CANCELLED)).update(
                status=RunStatus.CANCELLED, finished_at=now
            )
            ledger.cancel_unarmed(run.pk)
        log(instance=mailing, action="wagtail.delete", user=by)


def delete_client(client: Client) -> None:
    """Delete a client; letters that have not left are cancelled, those that have keep no name."""
    with transaction.atomic():
        ledger.cancel_for_clients([client.pk])
        client.delete()


def pause_all(owner: User, *, by: User) -> None:
    """Pause everything of an owner who is being blocked. Call inside the blocking transaction."""
    for mailing in Mailing.objects.owned_by(owner).active():
        with suppress(NotNow):  # it has just ended by itself
            pause(mailing, by=by, reason=_("The owner’s account is blocked."))


def reschedule(mailing: Mailing, *, now: datetime) -> None:
    """Take over a changed schedule: the next date is the first of the new rule that is to come."""
    following = _next_date(mailing, now)
    with transaction.atomic():
        active = Mailing.objects.active().filter(pk=mailing.pk)
        if mailing.schedule.latest_until(now) is not None:
            active = active.exclude(next_due_at__lte=now)  # due, and the tick has yet to come
        if active.update(next_due_at=following):
            runs.rest_mailing(mailing.pk)
        # A paused one must not be taken for one without dates when its run ends.
        Mailing.objects.kept().filter(pk=mailing.pk, status=MailingStatus.PAUSED).update(
            next_due_at=following
        )
        planner.take_over_window(mailing, now)


def duplicate(mailing: Mailing, *, by: User, now: datetime) -> Mailing:
    """Return a new created mailing with the same content.

    It starts with the first date of the original's rule that is a day or more away. An end that has
    passed by then is left out, and so are weekdays that leave a single sending no date.
    """
    tomorrow = (now + timedelta(days=1)).replace(second=0, microsecond=0)
    endless = replace(mailing.schedule, ends_at=None, max_runs=None)
    following = endless.next_after(tomorrow - timedelta(minutes=1))
    starts_at = following or tomorrow
    with transaction.atomic():
        copy = Mailing.objects.create(
            owner=by,
            name=_("%(name)s (copy)") % {"name": mailing.name[:140]},
            message=mailing.message,
            period=mailing.period,
            starts_at=starts_at,
            ends_at=mailing.ends_at if mailing.ends_at and mailing.ends_at >= starts_at else None,
            max_runs=mailing.max_runs,
            weekdays=mailing.weekdays if following else 0,
            window_from=mailing.window_from,
            window_until=mailing.window_until,
            time_zone=mailing.time_zone,
        )
        copy.lists.set(mailing.lists.all())
        copy.clients.set(mailing.clients.all())
        log(instance=copy, action="wagtail.create", user=by)
    return copy


def _next_date(mailing: Mailing, now: datetime) -> datetime | None:
    """Return the first date after `now`; what is sent once has had its date with its run."""
    if mailing.period.is_once and mailing.runs.exists():
        return None
    return mailing.schedule.next_after(now)


def _require_audience(mailing: Mailing) -> None:
    if not recipients.at_once([mailing.pk], most=1)[mailing.pk].at_least:
        raise NotNow(_("Nobody would get this mailing. Choose client lists or single clients."))


def _move(
    mailing: Mailing, target: MailingStatus, *, from_: Iterable[MailingStatus], **fields: object
) -> None:
    allowed = set(from_) & set(mailing_sources(target))
    moved = Mailing.objects.kept().filter(pk=mailing.pk, status__in=allowed)
    if not moved.update(status=target, **fields):
        raise NotNow(_("The mailing has changed meanwhile. Look at it again."))
    mailing.refresh_from_db()


def _move_runs(mailing: Mailing, target: RunStatus, from_: Iterable[RunStatus] = OPEN_RUNS) -> None:
    allowed = set(from_) & set(run_sources(target))
    Run.objects.filter(mailing=mailing, status__in=allowed).update(status=target)
