"""Figures: each is a query over rows, so the parts add up to the whole (I4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count

from mailing.enums import DeliveryState
from mailing.models import Batch, Client, Delivery, Mailing, Run

_FIGURES_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """What the front page shows."""

    mailings: int
    active_mailings: int
    unique_clients: int


def service_figures() -> ServiceFigures:
    """Return the figures of the whole service, at most a minute old."""
    figures = cache.get("mailing:figures")
    if not isinstance(figures, ServiceFigures):
        figures = ServiceFigures(
            mailings=Mailing.objects.kept().count(),
            active_mailings=Mailing.objects.active().count(),
            unique_clients=Client.objects.aggregate(n=Count("email_normalized", distinct=True))[
                "n"
            ],
        )
        cache.set("mailing:figures", figures, _FIGURES_SECONDS)
    return figures


@dataclass(frozen=True, slots=True)
class Tally:
    """How many deliveries of a run are in each state; the states add up to `audience`."""

    states: Mapping[DeliveryState, int]

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
    """Return the state of every delivery of a run, by one query over them and one over batches."""
    states = {
        DeliveryState(state): n
        for state, n in Delivery.objects.filter(run=run).count_by_state().items()
    }
    sending = min(_armed(run), states.get(DeliveryState.PENDING, 0))
    if sending:
        states[DeliveryState.SENDING] = sending
        states[DeliveryState.PENDING] -= sending
    return Tally({state: states[state] for state in DeliveryState if states.get(state)})


def _armed(run: Run) -> int:
    """Return how many pending deliveries lie below the watermark of their batch."""
    armed = 0
    for batch in Batch.objects.filter(run=run, done=False, armed_to__gt=0):
        armed += Delivery.objects.filter(
            run=run, pk__range=(batch.first_id, batch.armed_to), state=DeliveryState.PENDING
        ).count()
    return armed
