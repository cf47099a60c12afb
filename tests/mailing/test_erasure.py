"""Erasing beside a sender, and beside other owners. The whole is in tests/accounts/test_closing."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Erasure, User
from mailing import erasure
from mailing.enums import DeliveryState, RunStatus
from mailing.models import Batch, Client, Delivery, Mailing, Run
from tests.factories import NOW, make_client, make_mailing

pytestmark = pytest.mark.django_db


def never() -> bool:
    return False


@pytest.fixture
def run(alice: User) -> Run:
    """A run with a letter that is armed and one that is not."""
    clients = [make_client(alice), make_client(alice)]
    mailing = make_mailing(alice, clients)
    run = Run.objects.create(
        mailing=mailing,
        due_at=NOW,
        status=RunStatus.SENDING,
        opened_at=NOW,
        expires_at=NOW + timedelta(days=2),
    )
    letters = [
        Delivery.objects.create(
            run=run, client=client, email=client.email, email_normalized=client.email_normalized
        )
        for client in clients
    ]
    Batch.objects.create(
        run=run,
        first_id=letters[0].pk,
        last_id=letters[1].pk,
        armed_to=letters[0].pk,
        due_at=NOW,
        lease_token=uuid.uuid4(),
        lease_until=timezone.now() + timedelta(minutes=1),
    )
    return run


@pytest.fixture
def closed(alice: User) -> Erasure:
    User.objects.filter(pk=alice.pk).update(is_active=False, closed_at=NOW)
    return Erasure.objects.create(user=alice, email=alice.email, language="en", due_at=NOW)


def test_it_waits_for_replies_to_what_is_on_the_wire(run: Run, closed: Erasure) -> None:
    assert not erasure.erase(closed, never)
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    states = run.deliveries.order_by("pk").values_list("state", flat=True)
    assert list(states) == [DeliveryState.PENDING, DeliveryState.CANCELLED]
    Batch.objects.update(lease_token=None, lease_until=None)
    assert erasure.erase(closed, never)
    assert not Delivery.objects.exists()
    assert not Run.objects.exists()


def test_it_leaves_others_alone(alice: User, bob: User, closed: Erasure) -> None:
    mailing = make_mailing(bob, [make_client(bob)])
    make_mailing(alice, [make_client(alice)])
    assert erasure.erase(closed, never)
    assert Mailing.objects.get() == mailing
    assert Client.objects.get().owner == bob
    assert mailing.clients.count() == 1
