"""What managers see that people have."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from accounts.workload import Workload
from accounts.workload import workloads as registered
from mailing import workload
from mailing.enums import MailingStatus
from tests.factories import make_clients, make_mailing

pytestmark = pytest.mark.django_db


def test_mailings_and_clients_are_counted(
    alice: User, bob: User, manager: User, django_assert_num_queries: Any
) -> None:
    clients = make_clients(alice, [f"c{n}@x.test" for n in range(3)])
    for status in (MailingStatus.SCHEDULED, MailingStatus.SENDING, MailingStatus.COMPLETED):
        make_mailing(alice, clients, status=status)
    make_mailing(bob)
    with django_assert_num_queries(3):
        found = registered([alice.pk, bob.pk, manager.pk])
    assert found == {
        alice.pk: Workload(mailings=3, active=2, clients=3),
        bob.pk: Workload(mailings=1, clients=1),
        manager.pk: Workload(),
    }


def test_very_many_clients_are_not_counted_to_the_end(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workload, "MOST_COUNTED", 2)
    make_clients(alice, [f"c{n}@x.test" for n in range(3)])
    make_clients(bob, [f"c{n}@x.test" for n in range(2)])
    found = workload.workloads([alice.pk, bob.pk])
    assert found[alice.pk] == Workload(clients=2, has_more_clients=True)
    assert found[bob.pk] == Workload(clients=2)
