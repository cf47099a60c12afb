"""Mails to owners about what others, or the service, have done to their mailings.

They are account mails, queued in the transaction of what they tell of: none is lost, none doubled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format

from accounts import mail
from accounts.models import User
from mailing.enums import MailingStatus, RunStatus
from mailing.models import Mailing, Run

_QUIET = timedelta(hours=1)
_PATIENCE = timedelta(minutes=1)
_LONGEST_LIST = 100


def tell(now: datetime) -> None:
    """Tell owners of runs that were missed, or paused because their letters were refused.

    Safe in many processes at once: each run is told of once. Missed dates come in one mail for each
    owner, once planners are through with what is due of that owner, and then not for an hour.
    """
    with_news = Run.objects.filter(untold=True, mailing__owner=OuterRef("pk"))
    for owner in User.objects.filter(Exists(with_news), is_active=True):
        paused = Run.objects.owned_by(owner).filter(untold=True, status=RunStatus.PAUSED)
        if _is_too_soon(owner, now) and not paused.exists():
            continue  # before anything is locked: senders write too
        with transaction.atomic():
            _lock(owner)
            untold = Run.objects.owned_by(owner).filter(untold=True)
            if _is_too_soon(owner, now):
                untold = untold.exclude(status=RunStatus.MISSED)
            _tell_of(owner, list(untold.select_related("mailing").order_by("due_at", "pk")), now)


def tell_deactivated(mailing: Mailing, *, now: datetime) -> None:
    """Tell the owner that, and why, a manager has stopped the mailing."""
    _post(mailing.owner, "mailing_deactivated", _facts(mailing) | {"reason": mailing.reason}, now)


def tell_lifted(mailing: Mailing, *, now: datetime) -> None:
    """Tell the owner that the mailing may be resumed, or that nothing is left of it."""
    is_over = mailing.status == MailingStatus.COMPLETED
    _post(mailing.owner, "mailing_lifted", _facts(mailing) | {"is_over": is_over}, now)


def tell_unfit(mailing: Mailing, *, now: datetime) -> None:
    """Tell the owner that the mailing is paused because its message cannot become a letter."""
    path = reverse("mailing_message_modeladmin_edit", args=[mailing.message_id])
    facts = _facts(mailing) | {"reason": mailing.reason, "message_url": settings.SITE_URL + path}
    _post(mailing.owner, "mailing_unfit", facts, now)


def _lock(owner: User) -> None:
    """Let one process at a time look what is to be told."""
    list(User.objects.filter(pk=owner.pk).select_for_update(no_key=True).values_list("pk"))


def _is_too_soon(owner: User, now: datetime) -> bool:
    missed = Run.objects.owned_by(owner).filter(status=RunStatus.MISSED)
    if missed.filter(untold=False, opened_at__gt=now - _QUIET).exists():
        return True
    # A planner has more of this owner to open, unless that one cannot be opened at all.
    patient = not missed.filter(untold=True, opened_at__lte=now - _PATIENCE).exists()
    return patient and Mailing.objects.due(now).owned_by(owner).exists()


def _tell_of(owner: User, runs: Sequence[Run], now: datetime) -> None:
    Run.objects.filter(pk__in=[run.pk for run in runs]).update(untold=False)
    there = [run for run in runs if run.mailing.deleted_at is None]
    with translation.override(owner.preferred_language):
        missed = [_missed(run) for run in there if run.status == RunStatus.MISSED]
        # Whoever has resumed a mailing meanwhile knows of the pause.
        paused = [
            _facts(run.mailing) | {"reason": run.mailing.reason}
            for run in there
            if run.status == RunStatus.PAUSED and run.mailing.status == MailingStatus.PAUSED
        ]
    for template, lines in (("dates_missed", missed), ("mailings_paused", paused)):
        if lines:
            context = {
                "number": len(lines),
                "mailings": lines[:_LONGEST_LIST],
                "left_out": len(lines[_LONGEST_LIST:]),
            }
            _post(owner, template, context, now)


def _missed(run: Run) -> dict[str, str]:
    first, last = run.missed_since or run.due_at, run.due_at
    return _facts(run.mailing) | {
        "date": _wall_clock(run.mailing, last),
        "since": _wall_clock(run.mailing, first) if first < last else "",
        "zone": str(run.mailing.time_zone),
    }


def _wall_clock(mailing: Mailing, moment: datetime) -> str:
    return date_format(moment.astimezone(mailing.time_zone), "j E Y, H:i")


def _facts(mailing: Mailing) -> dict[str, str]:
    path = reverse("mailing_mailing_modeladmin_inspect", args=[mailing.pk])
    return {"name": mailing.name, "url": settings.SITE_URL + path}


def _post(owner: User, name: str, context: dict[str, Any], now: datetime) -> None:
    mail.notify(owner, template=f"mailing/email/{name}", context=context, now=now)
