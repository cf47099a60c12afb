"""Erasing beside a sender, and beside other owners. The whole is in tests/accounts/test_closing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import closing
from accounts.models import Erasure, User
from mailing import clientele, erasure
from mailing.engine import hourly
from mailing.enums import ClientAction, DeliveryState, ImportState, Outcome, RunStatus
from mailing.importing import jobs
from mailing.models import (
    Batch,
    Client,
    ClientChange,
    ClientImport,
    DailyGrowth,
    Delivery,
    HourlyCount,
    ImportFault,
    Mailing,
    Run,
)
from mailing.models.importing import private_storage
from mailing.selection import Selection
from tests.factories import NOW, make_client, make_mailing
from tests.mailing.importing.files import make_import

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


def test_closing_stops_what_would_bring_clients_back(
    alice: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    running, draft = (make_import(alice, ["email", "anna@x.test"]) for _ in range(2))
    jobs.start(running, now=timezone.now())
    names = [running.file.name, draft.file.name]
    job = jobs.claim(timezone.now())
    assert job is not None
    make_client(alice)
    clientele.begin(alice, ClientAction.TAG, Selection(), tags=["a"])
    with django_capture_on_commit_callbacks(execute=True):
        closing.close(alice, now=timezone.now())
    assert not job.update(attempts=0), "who is at it writes no more"
    assert set(ClientImport.objects.values_list("state", flat=True)) == {ImportState.CANCELLED}
    assert not any(private_storage().exists(name) for name in names)
    assert not ClientChange.objects.exists()


def test_counts_and_imports_are_erased_by_steps_of_their_own(alice: User, bob: User) -> None:
    for owner in (alice, bob):
        mailing = make_mailing(owner, [make_client(owner)])
        hourly.add({hourly.Key(owner.pk, mailing.pk, 1, Outcome.ACCEPTED, 0): 1}, [1])
        DailyGrowth.objects.create(owner=owner, day=NOW.date(), change=1)
        row = make_import(owner, ["email", "anna@x.test"])
        Client.objects.filter(owner=owner).update(last_import=row)
        ImportFault.objects.create(client_import=row, line=2, reason="no_address")
    User.objects.filter(pk=alice.pk).update(is_active=False, closed_at=NOW)
    closed = Erasure.objects.create(user=alice, email=alice.email, language="en", due_at=NOW)
    assert erasure.erase(closed, never)
    for model in (HourlyCount, DailyGrowth, ClientImport):
        assert model.objects.get().owner == bob
    assert ImportFault.objects.get().client_import.owner == bob
