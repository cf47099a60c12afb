"""Suppresses again whom the refusals of a closed account name.

Whoever closes an account and signs up anew with the same address has lost the suppressions, but not
their fingerprints (`accounts.refusals`): before a run gets its audience, clients are compared.
"""

from __future__ import annotations

from accounts import refusals
from accounts.models import User
from mailing.models import Client, Suppression

STEP = 2000


def recall(owner_id: int) -> None:
    """Suppress the clients of this owner that a former account of theirs must not mail, once.

    One query for all owners but those who have closed an account before. Call it inside the
    transaction that freezes an audience, so that no client slips in between.
    """
    email = User.objects.values_list("email", flat=True).get(pk=owner_id)
    if not refusals.any_kept(email):
        return
    last = 0
    clients = Client.objects.filter(owner=owner_id).order_by("pk")
    while rows := list(clients.filter(pk__gt=last).values_list("pk", "email_normalized")[:STEP]):
        last = rows[-1][0]
        found = refusals.take(email, [address for _pk, address in rows])
        Suppression.objects.bulk_create(
            [
                Suppression(
                    owner_id=owner_id, email_normalized=address, reason=reason, created_at=at
                )
                for address, reason, at in found
            ],
            ignore_conflicts=True,
        )
