"""Forgets what mail servers have said about letters of long ago."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from mailing.engine.database import instant
from mailing.models import Attempt, Delivery

STEP = 1000
"""Attempts that are deleted in one transaction: so few that no sender waits for it."""


def forget(before: datetime) -> bool:
    """Delete the oldest attempts, a step at most; return whether older ones than `before` are left.

    A delivery without attempts keeps its state and code, not the server's words, which often name
    the address. Rows are added in the order of time, give or take a run, so the oldest are the
    first by their key: no other index is needed, and one that is not is reached another day.
    """
    oldest = list(Attempt.objects.order_by("pk").values_list("pk", "delivery", "at")[:STEP])
    old = [delivery for _pk, delivery, at in oldest if at < before]
    if not old:
        return False
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Not by the ORM, which would announce each row to those who listen to all deletions.
            cursor.execute(
                "DELETE FROM mailing_attempt WHERE id BETWEEN %s AND %s AND at < %s",
                [oldest[0][0], oldest[-1][0], instant(before)],
            )
        kept = Attempt.objects.filter(delivery=OuterRef("pk"))
        Delivery.objects.filter(~Exists(kept), pk__in=old).exclude(last_reply="").update(
            last_reply=""
        )
    return len(old) == STEP
