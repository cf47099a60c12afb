"""A person who comes back does not mail whom the former account must not have mailed."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts import refusals
from accounts.models import User
from mailing.engine import suppressions
from mailing.enums import SuppressionReason
from mailing.models import Suppression
from mailing.recall import recall
from tests.factories import NOW, make_client

pytestmark = pytest.mark.django_db


def test_clients_that_are_added_again_stay_suppressed(alice: User, bob: User) -> None:
    refusals.keep(alice.email, [("rose@clients.test", SuppressionReason.UNSUBSCRIBED, NOW)])
    for owner in (alice, bob):
        make_client(owner, "Rose@clients.test")
        make_client(owner, "lily@clients.test")
        recall(owner.pk)
    found = Suppression.objects.get()
    assert (found.owner, found.email_normalized) == (alice, "rose@clients.test")
    assert (found.reason, found.created_at) == (SuppressionReason.UNSUBSCRIBED, NOW)
    recall(alice.pk)
    assert Suppression.objects.count() == 1


def test_for_all_others_it_is_two_small_queries(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_client(alice, "rose@clients.test")
    with django_assert_num_queries(2):
        recall(alice.pk)


def test_what_the_owner_has_lifted_stays_lifted(alice: User) -> None:
    refusals.keep(alice.email, [("rose@clients.test", SuppressionReason.EXCLUDED, NOW)])
    make_client(alice, "rose@clients.test")
    recall(alice.pk)
    assert suppressions.readmit(owner_id=alice.pk, addresses=["rose@clients.test"]) == 1
    recall(alice.pk)
    assert not Suppression.objects.exists()
