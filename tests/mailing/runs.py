"""Opens runs as the planner does, and brings mailings, letters and batches into each state."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from accounts.models import User
from mailing import lifecycle
from mailing.composer.render import freeze
from mailing.engine import hourly, planner
from mailing.engine.classify import Reply, cause_of
from mailing.enums import DeliveryState, MailingStatus, Outcome, RunStatus, Stage, Unit
from mailing.models import Attempt, Batch, Client, Delivery, Mailing, Run
from tests.factories import NOW, make_client, make_mailing


def open_run(owner: User, clients: list[Client] | int = 1, **fields: Any) -> Run:
    """Return the run of a mailing that is due at NOW, opened at NOW."""
    if isinstance(clients, int):
        clients = [make_client(owner) for _ in range(clients)]
    mailing = make_mailing(
        owner, clients, status=MailingStatus.SCHEDULED, **{"next_due_at": NOW, **fields}
    )
    planner.open_due(NOW, freeze)
    return mailing.runs.get()


def put(run: Run, *states: DeliveryState, **fields: Any) -> list[Delivery]:
    """Put the first letters of a run into these states, and return all of its letters."""
    deliveries = list(run.deliveries.order_by("pk"))
    for delivery, state in zip(deliveries, states, strict=False):
        Delivery.objects.filter(pk=delivery.pk).update(state=state, **fields)
    return list(run.deliveries.order_by("pk"))


def finish(run: Run, *states: DeliveryState, at: datetime = NOW) -> None:
    """End a run; its first letters end in these states, the others are sent."""
    run.deliveries.update(state=DeliveryState.SENT)
    put(run, *states)
    Batch.objects.filter(run=run).update(done=True)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.COMPLETED, finished_at=at)
    Mailing.objects.filter(pk=run.mailing_id).update(
        status=MailingStatus.SCHEDULED
        if run.mailing.period.unit != Unit.ONCE
        else MailingStatus.COMPLETED
    )


def arm(run: Run, up_to: Delivery) -> None:
    """Let a sender hold the batch of a letter and be about to send the letters up to it."""
    Batch.objects.filter(run=run, first_id__lte=up_to.pk, last_id__gte=up_to.pk).update(
        armed_to=up_to.pk, lease_token=uuid.uuid4(), lease_until=NOW, leased_at=NOW
    )


def attempt(delivery: Delivery, outcome: Outcome = Outcome.ACCEPTED, **fields: Any) -> Attempt:
    """Add an attempt to the log and to the counts, as `ledger.record` does."""
    number = Attempt.objects.filter(delivery=delivery).count() + 1
    defaults = {"number": number, "at": NOW, "stage": Stage.DOT, "code": 250, "reply": "Ok"}
    made = Attempt(delivery=delivery, outcome=outcome, **{**defaults, **fields})
    source = hourly.sources([delivery.run_id])[delivery.run_id]
    made.owner_id = source.owner_id
    made.cause = cause_of(outcome, Stage(made.stage), Reply(made.code or 0, made.enhanced))
    made.save()
    hourly.add(
        {hourly.Key(*source, hourly.hour_of(made.at), outcome, made.cause or 0): 1}, [made.pk]
    )
    return made


def daily_in(owner: User, status: MailingStatus) -> Mailing:
    """Return a daily mailing that has come into `status` in the usual way.

    A scheduled one is due at NOW, so the next call opens it: ask for it last.
    """
    if status == MailingStatus.CREATED:
        return make_mailing(owner, unit=Unit.DAY)
    if status == MailingStatus.SCHEDULED:
        return make_mailing(owner, unit=Unit.DAY, status=status, next_due_at=NOW)
    run = open_run(owner, unit=Unit.DAY)
    mailing = Mailing.objects.get(pk=run.mailing_id)
    if status == MailingStatus.PAUSED:
        lifecycle.pause(mailing, by=owner)
    elif status == MailingStatus.DEACTIVATED:
        lifecycle.deactivate(mailing, by=owner, reason="Spam", now=NOW)
    elif status == MailingStatus.COMPLETED:
        finish(run)
        Mailing.objects.filter(pk=mailing.pk).update(status=status, next_due_at=None)
    mailing.refresh_from_db()
    return mailing
