"""Figures: each is a query over rows, so the parts add up to the whole (I4).

What takes a while to count is shown from a copy that is at most a minute old, or a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.core.cache import cache
from django.db.models import Count
from django.utils import timezone
from django.utils.crypto import salted_hmac

from mailing.enums import DeliveryState, RunStatus
from mailing.models import Batch, Client, Delivery, Mailing, Run, RunTally

_FIGURES_SECONDS = 60
_UNIQUE_CLIENTS = "mailing:unique-clients"
_UNIQUE_CLIENTS_SECONDS = 24 * 60 * 60
FEW_CLIENTS = 20
"""Fewer than that may be shown as none."""
LARGE = 100_000
"""Letters from which on counting them takes longer than a page may take."""


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """What the front page shows."""

    mailings: int
    active_mailings: int
    unique_clients: int
    """At least so many different addresses; 0 for fewer than `FEW_CLIENTS` (ADR 22), and for more
    than `LARGE` until they have been counted."""


def service_figures() -> ServiceFigures:
    """Return the figures of the whole service; clients are counted once a day."""
    return ServiceFigures(
        mailings=Mailing.objects.kept().count(),
        active_mailings=Mailing.objects.active().count(),
        unique_clients=_unique_clients(),
    )


def _unique_clients() -> int:
    number = cache.get(_UNIQUE_CLIENTS)
    if isinstance(number, int):
        return number
    # Of more it takes longer than a page may: until the planner has counted, none is named.
    is_quick = Client.objects.order_by()[: LARGE + 1].count() <= LARGE
    return _count_unique_clients() if is_quick else 0


def note_unique_clients() -> None:
    """Count different addresses for the front page, once a day."""
    if not isinstance(cache.get(_UNIQUE_CLIENTS), int):
        _count_unique_clients()


def _count_unique_clients() -> int:
    counted = Client.objects.aggregate(n=Count("email_normalized", distinct=True))["n"]
    number = without_last_digits(counted, day=timezone.now().date())
    cache.set(_UNIQUE_CLIENTS, number, _UNIQUE_CLIENTS_SECONDS)
    return number


def without_last_digits(number: int, *, day: date) -> int:
    """Round down to two digits, or to tens, from a place that nobody knows and each day moves.

    So nobody can tell from the figure whether an address that they have added was there before.
    """
    step = max(10, 10 ** (len(str(number)) - 2))
    secret = salted_hmac("mailing.statistics", day.isoformat(), algorithm="sha256").digest()
    shown: int = (number - int.from_bytes(secret[:8]) % step) // step * step
    return max(0, shown)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many deliveries of a run are in each state; the states add up to `audience`."""

    states: Mapping[DeliveryState, int]
    counted_at: datetime | None = None
    """When a copy was made; None if this is no copy."""

    @property
    def audience(self) -> int:
        return sum(self.states.values())

    @property
    def sent(self) -> int:
        return self.states.get(DeliveryState.SENT, 0)

    @property
    def settled(self) -> int:
        """How many are beyond further sending."""
        waiting = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.DEFERRED)
        return self.audience - sum(self.states.get(state, 0) for state in waiting)


def tally(run: Run) -> Tally:
    """Return the state of every delivery of a run."""
    return tallies([run])[run.pk]


def tallies(runs: Iterable[Run]) -> dict[int, Tally]:
    """Return the tally of each run by its id: one query over deliveries, one over their batches.

    That of a large run is counted anew once a minute, and when the run's status has changed; once
    it is completed, a copy is kept.
    """
    runs = list(runs)
    large = [run for run in runs if run.audience_size >= LARGE]
    kept = _kept([run for run in large if run.status == RunStatus.COMPLETED])
    return kept | _counted([run for run in runs if run.pk not in kept])


def _kept(completed: list[Run]) -> dict[int, Tally]:
    """Return the tallies of completed runs from their copies; count and copy what has none."""
    if not completed:
        return {}
    copies = RunTally.objects.in_bulk([run.pk for run in completed])
    found = {
        run.pk: Tally(
            {state: copy.states[state.value] for state in DeliveryState if state in copy.states},
            copy.counted_at,
        )
        for run in completed
        if (copy := copies.get(run.pk)) and run.finished_at and copy.counted_at > run.finished_at
    }
    now = timezone.now()
    counted = _count([run for run in completed if run.pk not in found])
    RunTally.objects.bulk_create(
        (
            RunTally(
                run_id=pk,
                states={state.value: n for state, n in tally.states.items()},
                counted_at=now,
            )
            for pk, tally in counted.items()
        ),
        update_conflicts=True,
        unique_fields=["run"],
        update_fields=["states", "counted_at"],
    )
    return found | {pk: replace(tally, counted_at=now) for pk, tally in counted.items()}


def _counted(runs: list[Run]) -> dict[int, Tally]:
    """Return the tallies of runs that may still move, or are small."""
    keys = {f"mailing:tally:{r.pk}:{r.status}": r.pk for r in runs if r.audience_size >= LARGE}
    copies = cache.get_many(keys) if keys else {}
    found = {keys[key]: copy for key, copy in copies.items() if isinstance(copy, Tally)}
    counted = _count([run for run in runs if run.pk not in found])
    for key, run_id in keys.items():
        if run_id in counted:
            found[run_id] = replace(counted[run_id], counted_at=timezone.now())
            cache.set(key, found[run_id], _FIGURES_SECONDS)
    return counted | found


def _count(runs: list[Run]) -> dict[int, Tally]:
    if not runs:
        return {}
    states: dict[int, dict[DeliveryState, int]] = {run.pk: {} for run in runs}
    rows = Delivery.objects.filter(run__in=states).order_by().values_list("run", "state")
    for run_id, state, n in rows.annotate(n=Count("pk")):
        states[run_id][DeliveryState(state)] = n
    for batch in Batch.objects.filter(run__in=states, done=False, armed_to__gt=0):
        _show_armed_as_sending(states[batch.run_id], batch)
    return {
        run_id: Tally({state: counts[state] for state in DeliveryState if counts.get(state)})
        for run_id, counts in states.items()
    }


def _show_armed_as_sending(counts: dict[DeliveryState, int], batch: Batch) -> None:
    armed = Delivery.objects.filter(
        run=batch.run_id, pk__range=(batch.first_id, batch.armed_to), state=DeliveryState.PENDING
    ).count()
    armed = min(armed, counts.get(DeliveryState.PENDING, 0))
    if armed:
        counts[DeliveryState.SENDING] = counts.get(DeliveryState.SENDING, 0) + armed
        counts[DeliveryState.PENDING] -= armed
