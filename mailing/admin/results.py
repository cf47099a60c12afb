"""Runs with their figures, as lists and pages show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from mailing.admin.chips import status_chip
from mailing.enums import UNSENT_RUNS, DeliveryState, RunStatus
from mailing.models import Run
from mailing.statistics import Tally, tallies

_IN_THE_BAR = ("sent", "sending", "deferred", "failed", "unknown", "suppressed")


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of the stacked bar; `x` and `width` in per cent."""

    state: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Result:
    """A run with its figures, for one line of a table."""

    run: Run
    tally: Tally

    @property
    def chip(self) -> SafeString:
        return status_chip(RunStatus(self.run.status))

    @property
    def has_letters(self) -> bool:
        return self.run.status not in UNSENT_RUNS

    @property
    def explanation(self) -> str:
        """Return why a run has no letters, empty if it has."""
        since = self.run.missed_since
        if self.run.status == RunStatus.MISSED and since and since < self.run.due_at:
            return _(
                "The service was not running: all dates from %(date)s on have passed, and nobody "
                "got a late letter."
            ) % {"date": date_format(localtime(since), "SHORT_DATETIME_FORMAT")}
        if self.run.status == RunStatus.MISSED:
            return _("The service was not running at that time; nobody got a late letter.")
        if self.run.status == RunStatus.SKIPPED:
            return _("The run before it was still going on.")
        return ""

    @property
    def bars(self) -> list[Bar]:
        return stacked(self.tally)

    @property
    def figures(self) -> list[tuple[str, int]]:
        """Return what the bar shows as words and numbers."""
        return [(str(state.label), n) for state, n in self.tally.states.items()]


def results_of(runs: Iterable[Run]) -> list[Result]:
    """Return the runs with their figures, by a fixed number of queries."""
    runs = list(runs)
    figures = tallies(runs)
    return [Result(run, figures[run.pk]) for run in runs]


def with_latest_result(mailings: Iterable[Any]) -> list[Any]:
    """Give each mailing that knows its `latest_run_id` that run as `result`."""
    mailings = list(mailings)
    runs = Run.objects.filter(pk__in=[m.latest_run_id for m in mailings if m.latest_run_id])
    results = {result.run.pk: result for result in results_of(runs)}
    for mailing in mailings:
        mailing.result = results.get(mailing.latest_run_id)
    return mailings


def stacked(figures: Tally) -> list[Bar]:
    """Return the stretches of a bar for all states that show, from the left."""
    bars, x = [], 0.0
    for state in _IN_THE_BAR:
        count = figures.states.get(DeliveryState(state), 0)
        if count:
            width = 100 * count / figures.audience
            bars.append(Bar(state, f"{x:.2f}%", f"{width:.2f}%"))
            x += width
    return bars
