"""What must hold whatever has happened: the database against the sink's ledger."""

from __future__ import annotations

from collections import Counter

from mailing.enums import OPEN_DELIVERIES, DeliveryState, Outcome, RunStatus
from mailing.models import Attempt, Delivery, Run
from mailing.statistics import tally


def check(run: Run, arrived: list[str], *, unknown_at_most: int = 0) -> None:
    """Assert the nine points for one run; `arrived` is the sink's ledger."""
    run = Run.objects.get(pk=run.pk)
    copies = Counter(arrived)
    deliveries = list(Delivery.objects.filter(run=run))
    states = Counter(delivery.state for delivery in deliveries)
    for delivery in deliveries:
        count = copies[delivery.email]
        state = DeliveryState(delivery.state)
        assert count <= 1, f"{delivery.email} got {count} letters"
        if state == DeliveryState.SENT:
            assert count == 1, f"{delivery.email} is sent, but nothing arrived"
        elif state != DeliveryState.UNKNOWN:
            assert count == 0, f"{delivery.email} is {state}, but a letter arrived"
        _check_attempts(delivery)
    assert states[DeliveryState.UNKNOWN] <= unknown_at_most
    figures = tally(run)
    assert figures.audience == len(deliveries) == run.audience_size
    assert figures.sent == states[DeliveryState.SENT]
    still_open = any(state in OPEN_DELIVERIES for state in states)
    assert (run.status == RunStatus.COMPLETED) == (
        not still_open and run.status not in {RunStatus.CANCELLED, RunStatus.PAUSED}
    )


def _check_attempts(delivery: Delivery) -> None:
    log = list(Attempt.objects.filter(delivery=delivery).order_by("number"))
    assert [attempt.number for attempt in log] == list(range(1, len(log) + 1))
    assert delivery.attempts == len(log)
    outcome = log[-1].outcome if log else None
    if delivery.state == DeliveryState.SENT:
        assert outcome == Outcome.ACCEPTED
    if delivery.state == DeliveryState.UNKNOWN:
        assert outcome == Outcome.UNKNOWN
    if delivery.state == DeliveryState.FAILED:
        assert outcome == Outcome.PERMANENT
