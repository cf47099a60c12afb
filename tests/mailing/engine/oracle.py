"""What must hold whatever has happened: the database against the sink's ledger.

The nine points of the fault harness, for one run:

1. drained, every client of the audience is in exactly one final state, and nobody holds a lease
2. nobody gets two letters, unless a person has sent an unknown one again
3. a sent letter has arrived
4. a failed, suppressed, cancelled, expired or pending one has not
5. an unknown one has or has not
6. there are no more unknown ones than connections were open when something broke
7. the figures that are shown are the rows
8. a run is completed if and only if none of its letters is open
9. attempts are numbered without a gap, and the last one is the state's reason
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from mailing.enums import OPEN_DELIVERIES, DeliveryState, Outcome, RunStatus
from mailing.models import Attempt, Batch, Delivery, Run
from mailing.statistics import tally

_REASONS = {
    DeliveryState.SENT: Outcome.ACCEPTED,
    DeliveryState.UNKNOWN: Outcome.UNKNOWN,
    DeliveryState.FAILED: Outcome.PERMANENT,
    DeliveryState.DEFERRED: Outcome.TRANSIENT,
}


def check(
    run: Run,
    arrived: Iterable[str | int],
    *,
    unknown_at_most: int = 0,
    drained: bool = False,
    settled: bool = True,
) -> None:
    """Assert the nine points; `arrived` is the sink's ledger as addresses or as delivery ids.

    Not `settled` is a run whose sender has just died: the next tick closes it. What it had armed is
    in doubt until then, so one more copy of it than the log knows may have arrived.
    """
    run = Run.objects.get(pk=run.pk)
    copies = Counter(arrived)
    deliveries = list(Delivery.objects.filter(run=run))
    in_doubt = set() if settled else _armed(run)
    doubts = 0
    for delivery in deliveries:
        log = list(Attempt.objects.filter(delivery=delivery).order_by("number"))
        _check_attempts(delivery, log)
        outcomes = Counter(attempt.outcome for attempt in log)
        certain, doubtful = outcomes[Outcome.ACCEPTED], outcomes[Outcome.UNKNOWN]
        count = copies[delivery.pk] + (copies[delivery.email] if delivery.email else 0)
        assert certain <= 1, f"{delivery} was sent again after it was accepted"
        at_most = certain + doubtful + (delivery.pk in in_doubt)
        assert certain <= count <= at_most, (
            f"{delivery} is {delivery.state}: {count} letters arrived, log {dict(outcomes)}"
        )
        doubts += doubtful
    assert doubts <= unknown_at_most, f"{doubts} unknown letters"
    states = Counter(DeliveryState(delivery.state) for delivery in deliveries)
    _check_figures(run, states)
    still_open = any(state in OPEN_DELIVERIES for state in states)
    shown = f"the run is {run.status}, its letters {dict(states)}"
    if still_open:
        assert run.status != RunStatus.COMPLETED, shown
    elif settled:
        assert run.status != RunStatus.SENDING, shown
    if drained:
        assert not still_open, f"not all was sent: {dict(states)}"
        assert not Batch.objects.filter(run=run, done=False).exists()
        assert not Batch.objects.filter(run=run).exclude(lease_token=None).exists()


def _armed(run: Run) -> set[int]:
    """Return the deliveries without an outcome that a sender holds and may have sent."""
    held = Batch.objects.filter(run=run).exclude(lease_token=None)
    letters = Delivery.objects.filter(run=run, state__in=OPEN_DELIVERIES)
    return {
        pk
        for batch in held
        for pk in letters.filter(pk__range=(batch.first_id, batch.armed_to)).values_list(
            "pk", flat=True
        )
    }


def _check_attempts(delivery: Delivery, log: list[Attempt]) -> None:
    assert [attempt.number for attempt in log] == list(range(1, len(log) + 1))
    assert delivery.attempts == len(log)
    reason = _REASONS.get(DeliveryState(delivery.state))
    if reason is not None:
        assert log, f"{delivery} is {delivery.state} without an attempt"
        assert log[-1].outcome == reason, f"{delivery} is {delivery.state} by {log[-1].outcome}"


def _check_figures(run: Run, states: Counter[DeliveryState]) -> None:
    shown = tally(run)
    assert shown.audience == run.audience_size == states.total()
    assert shown.sent == states[DeliveryState.SENT]
    still_open = sum(states[state] for state in OPEN_DELIVERIES)
    assert shown.settled == states.total() - still_open
    for state in set(DeliveryState) - OPEN_DELIVERIES - {DeliveryState.SENDING}:
        assert shown.states.get(state, 0) == states[state], f"shown as {state}"
