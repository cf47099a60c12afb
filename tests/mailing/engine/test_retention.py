"""What is forgotten of old letters, and what stays."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from mailing.engine import retention
from mailing.enums import DeliveryState, MailingStatus, Outcome, Stage
from mailing.models import Attempt, Delivery, Run
from mailing.statistics import tally
from tests.factories import NOW, make_clients, make_mailing

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def run(alice: User) -> Run:
    """A run of five letters, all of which were refused."""
    clients = make_clients(alice, [f"anna{n}@x.test" for n in range(5)])
    mailing = make_mailing(alice, clients, status=MailingStatus.COMPLETED)
    run = Run.objects.create(
        mailing=mailing, due_at=NOW, status="completed", opened_at=NOW, expires_at=NOW
    )
    Delivery.objects.bulk_create(
        Delivery(
            run=run,
            client=client,
            email=client.email,
            email_normalized=client.email_normalized,
            state=DeliveryState.FAILED,
            attempts=1,
            last_code=550,
            last_reply=f"5.1.1 No {client.email} here",
        )
        for client in clients
    )
    return run


def refuse(delivery: Delivery, at: datetime, number: int = 1) -> Attempt:
    return Attempt.objects.create(
        owner_id=delivery.run.mailing.owner_id,
        delivery=delivery,
        number=number,
        at=at,
        outcome=Outcome.PERMANENT,
        stage=Stage.RCPT,
        code=550,
        reply=delivery.last_reply,
    )


def test_attempts_and_words_go_and_the_figures_stay(run: Run) -> None:
    before = tally(run)
    old, young, *_rest = run.deliveries.order_by("pk")
    refuse(old, NOW - DAY)
    kept = refuse(young, NOW)
    assert not retention.forget(NOW)
    assert Attempt.objects.get() == kept
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.state, old.attempts, old.last_code, old.last_reply) == ("failed", 1, 550, "")
    assert young.last_reply.startswith("5.1.1")
    assert tally(run) == before


def test_of_a_letter_that_was_sent_again_the_latest_words_stay(run: Run) -> None:
    delivery = run.deliveries.latest("pk")
    refuse(delivery, NOW - DAY)
    refuse(delivery, NOW, number=2)
    retention.forget(NOW)
    assert Attempt.objects.get().number == 2
    delivery.refresh_from_db()
    assert delivery.last_reply


def test_it_goes_in_steps(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP", 2)
    for delivery in run.deliveries.all():
        refuse(delivery, NOW - DAY)
    left = []
    while retention.forget(NOW):
        left.append(Attempt.objects.count())
    assert left == [3, 1]
    assert not Attempt.objects.exists()


def test_with_nothing_to_forget_it_writes_nothing(run: Run) -> None:
    refuse(run.deliveries.latest("pk"), NOW)
    with CaptureQueriesContext(connection) as queries:
        assert not retention.forget(NOW)
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]


def test_an_old_one_among_young_ones_goes_too(run: Run) -> None:
    """Several senders write at once, so keys follow the time only roughly."""
    first, second, third, *_rest = run.deliveries.order_by("pk")
    refuse(first, NOW - DAY)
    refuse(second, NOW)
    refuse(third, NOW - DAY)
    retention.forget(NOW)
    assert Attempt.objects.get().delivery == second
