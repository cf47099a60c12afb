"""Rates: how many letters may leave in a second and in a day, for an owner and for a mail server.

A sender takes letters out of a budget for up to a second at a time and gives back what it has not
armed, so a row is touched about once a second. A sender that dies keeps what it took: the budget
errs on the safe side.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest

SECOND = timedelta(seconds=1)
NO_LIMIT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Rate:
    """Letters that may leave; 0 stands for no limit. Days are those of UTC."""

    per_second: int = 0
    per_day: int = 0

    @property
    def is_unlimited(self) -> bool:
        return not self.per_second and not self.per_day


UNLIMITED = Rate()


def take(rows: QuerySet[Any], rate: Rate, wanted: int, now: datetime) -> int:
    """Take up to `wanted` letters out of the budget in the one row of `rows`; return how many.

    Call inside a transaction. 0 means that the second or the day is used up.
    """
    if rate.is_unlimited:
        return wanted
    row = rows.select_for_update().get()
    goes_on = row.second_at is not None and row.second_at <= now < row.second_at + SECOND
    second_used = row.second_used if goes_on else 0
    day_used = row.day_used if row.day == day_of(now) else 0
    granted = min(
        wanted,
        (rate.per_second or NO_LIMIT) - second_used,
        (rate.per_day or NO_LIMIT) - day_used,
    )
    if granted <= 0:
        return 0
    rows.update(
        second_at=row.second_at if goes_on else now,
        second_used=second_used + granted,
        day=day_of(now),
        day_used=day_used + granted,
    )
    return granted


def give_back(rows: QuerySet[Any], letters: int, now: datetime) -> None:
    """Return letters that were taken and not armed to the budget of the day."""
    if letters:
        rows.filter(day=day_of(now)).update(day_used=Greatest(F("day_used") - letters, 0))


def spent_day(rate: Rate, now: datetime) -> Q:
    """Return the condition on a row that its day is used up."""
    if not rate.per_day:
        return Q(pk__in=())
    return Q(day=day_of(now), day_used__gte=rate.per_day)


def day_of(now: datetime) -> date:
    return now.astimezone(UTC).date()
