"""Suppressions: what a person, an owner or a mail server says, and from when it counts."""

from __future__ import annotations

import pytest

from accounts.models import User
from mailing.engine import suppressions
from mailing.enums import MailingStatus, SuppressionReason, Unit
from mailing.models import OwnerGate, Suppression
from tests.factories import NOW, make_clients, make_mailing
from tests.mailing.engine.conftest import Stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("reason", [SuppressionReason.UNSUBSCRIBED, SuppressionReason.BOUNCED])
def test_what_others_say_takes_the_place_of_an_exclusion_and_never_the_reverse(
    alice: User, reason: SuppressionReason
) -> None:
    address = "rose@x.test"
    for _ in range(2):  # the second time the exclusion finds the reason of others
        suppressions.exclude(owner_id=alice.pk, addresses=[address], now=NOW)
        suppressions.suppress(owner_id=alice.pk, email_normalized=address, reason=reason, now=NOW)
        assert Suppression.objects.get().reason == reason
    assert suppressions.exclude(owner_id=alice.pk, addresses=[address], now=NOW) == 0
    assert suppressions.readmit(owner_id=alice.pk, addresses=[address]) == 0
    assert suppressions.suppressed_among(owner_id=alice.pk, addresses=[address]) == 1


def test_each_of_them_makes_senders_read_their_rows_again(alice: User, bob: User) -> None:
    suppressions.exclude(owner_id=alice.pk, addresses=["rose@x.test"], now=NOW)
    suppressions.suppress(
        owner_id=alice.pk,
        email_normalized="lily@x.test",
        reason=SuppressionReason.UNSUBSCRIBED,
        now=NOW,
    )
    assert OwnerGate.objects.get(owner=alice).revision == 2
    assert not OwnerGate.objects.filter(owner=bob, revision__gt=0).exists()


def test_a_mailbox_that_is_switched_off_is_suppressed_at_the_second_time(
    alice: User, stage: Stage
) -> None:
    mailing = make_mailing(
        alice,
        make_clients(alice, ["off+a@x.test"]),
        status=MailingStatus.SCHEDULED,
        next_due_at=NOW,
        unit=Unit.DAY,
    )
    for days in (0, 1):
        stage.plan()
        stage.send()
        stage.later(days=1)
        assert not Suppression.objects.exists(), f"after {days} days"
    stage.later(days=2)
    stage.plan()
    stage.send()
    assert Suppression.objects.get().email_normalized == "off+a@x.test"
    assert mailing.runs.count() == 3
