"""What a mailing's page says about the run that is going on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mailing import heartbeat
from mailing.admin.chips import status_chip, tone
from mailing.admin.clock import wall_clock
from mailing.admin.results import Bar, stacked
from mailing.dispatch import mail_server, owner_rate, server_rate
from mailing.engine import budget
from mailing.enums import UNSENT_RUNS, DeliveryState, RunStatus
from mailing.models import Attempt, Delivery, Mailing, OwnerGate, Run, ServerGate
from mailing.statistics import LARGE, Tally, tally

_RATE_OVER = timedelta(minutes=1)
_CAUSES_SHOWN = 8
_CAUSES_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of the tally, with the list behind it."""

    label: str
    tone: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Deliveries that failed or wait for the same reason."""

    chip: SafeString
    answer: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class Progress:
    run: Run
    tally: Tally
    bars: list[Bar]
    lines: list[Line]
    causes: list[Cause]
    per_minute: int
    minutes_left: int | None
    waiting_for: str
    is_live: bool
    failed: int
    unknown: int
    deferred: int

    @property
    def percent(self) -> int:
        return 100 * self.tally.settled // self.tally.audience if self.tally.audience else 100


@dataclass(frozen=True, slots=True)
class Watch:
    """Whether anything works at all, and the latest run if there is one."""

    worker_runs: bool
    progress: Progress | None


def progress_of(mailing: Mailing, now: datetime) -> Watch:
    run = mailing.runs.exclude(status__in=UNSENT_RUNS).first()
    return Watch(heartbeat.is_beating(now), _progress(run, now) if run else None)


def _progress(run: Run, now: datetime) -> Progress:
    figures = tally(run)
    rate = _rate(run, now) if run.status == RunStatus.SENDING else 0
    left = figures.audience - figures.settled - figures.states.get(DeliveryState.DEFERRED, 0)
    return Progress(
        run=run,
        tally=figures,
        bars=stacked(figures),
        lines=[
            Line(str(state.label), tone(state), n, _deliveries_url(run, state))
            for state, n in figures.states.items()
        ],
        causes=_causes(run),
        per_minute=rate,
        minutes_left=-(-left // rate) if rate and left else None,
        waiting_for=_waiting_for(run, now),
        is_live=run.status == RunStatus.SENDING,
        failed=figures.states.get(DeliveryState.FAILED, 0),
        unknown=figures.states.get(DeliveryState.UNKNOWN, 0),
        deferred=figures.states.get(DeliveryState.DEFERRED, 0),
    )


def _rate(run: Run, now: datetime) -> int:
    """Return how many letters were answered within the last minute.

    Counted from the newest attempt back, as the log is written in order of time.
    """
    recent = Attempt.objects.filter(delivery__run=run, at__gte=now - _RATE_OVER).count()
    elapsed = min(now - run.opened_at, _RATE_OVER).total_seconds()
    return round(recent * 60 / elapsed) if elapsed >= 1 else 0


def _causes(run: Run) -> list[Cause]:
    if run.audience_size >= LARGE:
        key = f"mailing:causes:{run.pk}:{run.status}"
        rows = cache.get_or_set(key, lambda: _count_causes(run), _CAUSES_SECONDS) or []
    else:
        rows = _count_causes(run)
    return [
        Cause(
            status_chip(DeliveryState(row["state"])),
            f"{row['last_code'] or ''} {row['last_reply']}".strip(),
            row["n"],
            _deliveries_url(run, DeliveryState(row["state"])),
        )
        for row in rows
    ]


def _count_causes(run: Run) -> list[dict[str, Any]]:
    return list(
        Delivery.objects.filter(
            run=run,
            state__in=(DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNKNOWN),
        )
        .unsent()
        .order_by()
        .values("state", "last_code", "last_reply")
        .annotate(n=Count("pk"))
        .order_by("-n")[:_CAUSES_SHOWN]
    )


def _waiting_for(run: Run, now: datetime) -> str:
    """Return why a run that is being sent does not move, empty if it does."""
    if run.status != RunStatus.SENDING:
        return ""
    if run.sends_from is not None and run.sends_from > now:
        zone = run.mailing.time_zone
        text = _("Waiting for the hours of this mailing: letters leave from %(time)s (%(zone)s).")
        return text % {"time": wall_clock(run.sends_from, zone), "zone": zone}
    server = ServerGate.objects.filter(server=mail_server().name)
    closed = server.filter(open_until__gt=now).first()
    if closed is not None:
        return _("Waiting for the mail server: %(reason)s") % {"reason": closed.reason}
    owner = OwnerGate.objects.filter(owner=run.mailing.owner_id)
    if (
        server.filter(budget.spent_day(server_rate(), now)).exists()
        or owner.filter(budget.spent_day(owner_rate(), now)).exists()
    ):
        return _("Waiting for tomorrow (UTC): the letters that may leave in one day have left.")
    return ""


def _deliveries_url(run: Run, state: DeliveryState) -> str:
    url = reverse("mailing_delivery_modeladmin_index")
    if state == DeliveryState.SENDING:  # not stored: it shows among the pending
        state = DeliveryState.PENDING
    return f"{url}?run={run.pk}&state={state.value}"
