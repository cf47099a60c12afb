"""Whom an owner must not mail: the only module of the engine that writes suppressions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction

from mailing.engine.classify import DISABLED
from mailing.engine.leases import raise_revision
from mailing.engine.ledger import Finding
from mailing.enums import SuppressionReason
from mailing.models import Attempt, Delivery, Suppression

DISABLED_FOR_GOOD = timedelta(hours=72)


def suppress(
    *, owner_id: int, email_normalized: str, reason: SuppressionReason, now: datetime
) -> None:
    """Keep an address from the owner's mailings from now on, also in a run under way.

    Call inside a transaction. Only what is armed already (about a tenth of a second) still leaves.
    What the person or the mail server says takes the place of the owner's own exclusion, which the
    owner could lift; nothing takes theirs.
    """
    raise_revision(owner_id)
    _row, is_new = Suppression.objects.get_or_create(
        owner_id=owner_id,
        email_normalized=email_normalized,
        defaults={"reason": reason, "created_at": now},
    )
    if not is_new:
        Suppression.objects.filter(
            owner_id=owner_id,
            email_normalized=email_normalized,
            reason=SuppressionReason.EXCLUDED,
        ).update(reason=reason, created_at=now)


def exclude(*, owner_id: int, addresses: Collection[str], now: datetime) -> int:
    """Keep addresses from the owner's mailings because the owner says so; return how many are new.

    Call inside a transaction. What the person or the mail server has said stays as it is.
    """
    raise_revision(owner_id)
    suppressions = Suppression.objects.filter(owner_id=owner_id)
    there = suppressions.filter(email_normalized__in=addresses).count()
    Suppression.objects.bulk_create(
        (
            Suppression(
                owner_id=owner_id,
                email_normalized=address,
                reason=SuppressionReason.EXCLUDED,
                created_at=now,
            )
            for address in addresses
        ),
        ignore_conflicts=True,
    )
    return len(addresses) - there


def readmit(*, owner_id: int, addresses: Collection[str]) -> int:
    """Lift the owner's own exclusions of addresses; return how many those were."""
    lifted, _by_model = Suppression.objects.filter(
        owner_id=owner_id, email_normalized__in=addresses, reason=SuppressionReason.EXCLUDED
    ).delete()
    return int(lifted)


def suppressed_among(*, owner_id: int, addresses: Collection[str]) -> int:
    """Return how many of the addresses the owner must not mail."""
    rows = Suppression.objects.filter(owner_id=owner_id, email_normalized__in=addresses)
    return rows.count()


def suppress_refused(findings: Iterable[Finding]) -> None:
    """Suppress the addresses that do not exist; twice is harmless.

    A sender calls this before `record` and in no transaction: it would lock the gates of several
    owners in one, and two senders wait for each other.
    """
    for finding in findings:
        if finding.suppress:
            with transaction.atomic():
                _suppress_address_of(finding)


def _suppress_address_of(finding: Finding) -> None:
    delivery = (
        Delivery.objects.select_related("run__mailing").filter(pk=finding.delivery_id).first()
    )
    if delivery is None:
        return  # gone with its owner's account
    owner_id = delivery.run.mailing.owner_id
    if finding.reply.enhanced == DISABLED and not _was_disabled_before(
        owner_id, delivery.email_normalized, finding.at
    ):
        return
    suppress(
        owner_id=owner_id,
        email_normalized=delivery.email_normalized,
        reason=SuppressionReason.BOUNCED,
        now=finding.at,
    )


def _was_disabled_before(owner_id: int, email_normalized: str, at: datetime) -> bool:
    return Attempt.objects.filter(
        delivery__run__mailing__owner=owner_id,
        delivery__email_normalized=email_normalized,
        enhanced=DISABLED,
        at__lte=at - DISABLED_FOR_GOOD,
    ).exists()
