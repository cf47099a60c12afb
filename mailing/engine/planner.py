"""Opens a run for every mailing that has fallen due: each occurrence once, whoever asks (I1).

A run knows from when until when its letters may leave; the planner moves that on when the hours of
the mailing are over for the day.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import IntegrityError, transaction

from mailing.engine import audience, faults, runs
from mailing.engine.faults import Point
from mailing.engine.letter import Content
from mailing.enums import MailingStatus, RunStatus, mailing_sources
from mailing.models import Attempt, Mailing, Run
from mailing.recall import recall

logger = logging.getLogger(__name__)

Freeze = Callable[[Mailing], Content]
"""Renders a mailing's message as it is now; raises ContentError if that is impossible."""

GIVE_UP_AFTER = timedelta(hours=48)
"""Stale news is worse than none: what has not left by then expires."""
_LONGEST_GRACE = timedelta(hours=12)
_NEAR = 50


class ContentError(Exception):
    """The mailing's message cannot be rendered; the text says why."""


def grace(period: timedelta | None) -> timedelta:
    """Return how late an occurrence may still be served: half a period, twelve hours at most."""
    return _LONGEST_GRACE if period is None else min(_LONGEST_GRACE, period / 2)


def open_due(
    now: datetime,
    freeze: Freeze,
    random: Random | None = None,
    *,
    unfit: Callable[[Mailing], object] = lambda mailing: None,
) -> list[int]:
    """Open the runs of all mailings that are due and return the ids of those to be sent.

    However long nobody looked, a mailing gets at most one run: for its latest occurrence, if that
    is within the grace time; otherwise the run is kept as "missed" and nobody gets a late letter.
    One mailing that cannot be opened does not stop the others. One whose message cannot be rendered
    is paused, and `unfit` is called with it in the same transaction.

    With `random` it begins anywhere among them: planners that walk the same list together would
    come to each mailing at the same time, and all but one would render it in vain.
    """
    opened = []
    for mailing in _each_due(now, random):
        try:
            run = _open_occurrence(mailing, now, freeze)
        except ContentError as error:
            _pause_unfit(mailing, str(error)[:500], unfit)
            continue
        except Exception:  # whatever is wrong with this one, the others are due too
            logger.exception("mailing %s could not be opened", mailing.pk)
            continue
        faults.point(Point.OPENED)
        if run is not None and run.status == RunStatus.SENDING:
            opened.append(run.pk)
    return opened


def _pause_unfit(mailing: Mailing, reason: str, unfit: Callable[[Mailing], object]) -> None:
    with transaction.atomic():
        active = Mailing.objects.active().filter(pk=mailing.pk)
        if active.update(status=MailingStatus.PAUSED, reason=reason):
            mailing.reason = reason
            unfit(mailing)


def _each_due(now: datetime, random: Random | None) -> Iterator[Mailing]:
    """Yield what is due, each read when its turn comes: opening those before may have taken long.

    What another planner has opened meanwhile is passed by many at a time.
    """
    due = Mailing.objects.due(now)
    numbers = list(due.values_list("pk", flat=True))
    first = random.randrange(len(numbers)) if random and numbers else 0
    for rest in (numbers[first:], numbers[:first]):
        while rest:
            near = due.filter(pk__in=rest[:_NEAR]).select_related("period", "message", "owner")
            mailing = near.first()
            del rest[: rest.index(mailing.pk) + 1 if mailing else _NEAR]
            if mailing is not None:
                yield mailing


def open_now(mailing: Mailing, *, form_key: uuid.UUID, now: datetime, freeze: Freeze) -> Run | None:
    """Open a run at once because a person asks; None if this form was sent before."""
    content = freeze(mailing)
    with transaction.atomic():
        if Run.objects.filter(mailing=mailing).unfinished().exists():
            return None
        return _open(mailing, due_at=now, form_key=form_key, now=now, content=content)


def move_windows(now: datetime) -> None:
    """Let every unfinished run whose hours are over wait for the next ones."""
    for run in Run.objects.unfinished().filter(sends_until__lte=now).select_related("mailing"):
        _set_window(run, now)


def take_over_window(mailing: Mailing, now: datetime) -> None:
    """Let the unfinished run of a mailing keep to the hours that the mailing has now."""
    for run in Run.objects.unfinished().filter(mailing=mailing):
        run.mailing = mailing
        _set_window(run, now)
        if not Attempt.objects.filter(delivery__run=run).exists():
            run.refresh_from_db(fields=["sends_from"])
            Run.objects.filter(pk=run.pk).update(expires_at=expiry(run.sends_from, now))


def _set_window(run: Run, now: datetime) -> None:
    # Only from what was read: another tick, or an edit meanwhile, may have moved it already.
    unmoved = Run.objects.unfinished().filter(pk=run.pk, sends_until=run.sends_until)
    unmoved.update(**window_fields(run.mailing, now))


def window_fields(mailing: Mailing, now: datetime) -> dict[str, datetime | None]:
    """Return when the letters of a run that is under way at `now` may leave, as fields of it."""
    window = mailing.window
    opens, closes = window.span_at_or_after(now) if window else (None, None)
    return {"sends_from": opens, "sends_until": closes}


def expiry(sends_from: datetime | None, now: datetime) -> datetime:
    """Return when letters that may leave from `sends_from` on, or from now on, are too old."""
    return max(now, sends_from or now) + GIVE_UP_AFTER


def _open_occurrence(mailing: Mailing, now: datetime, freeze: Freeze) -> Run | None:
    planned_for = mailing.next_due_at
    assert planned_for is not None  # noqa: S101 - `due` has selected by it
    due_at = mailing.schedule.latest_until(now) or planned_for
    following = mailing.schedule.next_after(max(now, due_at))
    late = now - due_at > grace(mailing.schedule.period)
    if not mailing.owner.is_active:
        return None
    content = None if late else freeze(mailing)
    with transaction.atomic():
        # Whoever moves `next_due_at` on has the occurrence; the constraint is the second lock.
        if (
            not Mailing.objects.active()
            .filter(pk=mailing.pk, next_due_at=planned_for)
            .update(next_due_at=following)
        ):
            return None
        faults.point(Point.OCCURRENCE_TAKEN)
        if content is None:
            run = _close_unsent(
                mailing, due_at, now, RunStatus.MISSED, missed_since=planned_for, untold=True
            )
        elif Run.objects.filter(mailing=mailing).unfinished().exists():
            run = _close_unsent(mailing, due_at, now, RunStatus.SKIPPED)
        else:
            run = _open(mailing, due_at=due_at, form_key=None, now=now, content=content)
        runs.rest_mailing(mailing.pk)
    return run


def _open(
    mailing: Mailing,
    *,
    due_at: datetime,
    form_key: uuid.UUID | None,
    now: datetime,
    content: Content,
) -> Run | None:
    window = window_fields(mailing, now)
    run = _insert(
        Run(
            mailing=mailing,
            due_at=due_at,
            form_key=form_key,
            status=RunStatus.SENDING,
            opened_at=now,
            expires_at=expiry(window["sends_from"], now),
            **window,
            subject=content.subject,
            html=content.html,
            text=content.text,
            sender_name=content.sender_name,
            reply_to=content.reply_to,
        )
    )
    if run is None:
        return None
    Mailing.objects.filter(pk=mailing.pk, status__in=mailing_sources(MailingStatus.SENDING)).update(
        status=MailingStatus.SENDING
    )
    faults.point(Point.RUN_MADE)
    recall(mailing.owner_id)
    run.audience_size = audience.freeze(run.pk, mailing.pk, mailing.owner_id, now)
    run.save(update_fields=["audience_size"])
    faults.point(Point.FROZEN)
    runs.settle(run.pk, now)  # an audience of nobody is finished at once
    return run


def _close_unsent(
    mailing: Mailing, due_at: datetime, now: datetime, status: RunStatus, **fields: Any
) -> Run | None:
    return _insert(
        Run(
            mailing=mailing,
            due_at=due_at,
            status=status,
            opened_at=now,
            finished_at=now,
            expires_at=now,
            **fields,
        )
    )


def _insert(run: Run) -> Run | None:
    """Save a new run; None if the occurrence or the form already has one."""
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:
        return None
    return run
