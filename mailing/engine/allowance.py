"""What a sender may still send of the budgets of its server and of the letters' owners.

A second's share is taken out of a budget at once and spent step by step, so that the budgets' rows
are not written for every step; what is not spent within that second goes back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from mailing.engine import budget
from mailing.engine.budget import Rate
from mailing.models import OwnerGate, ServerGate

STEPS_A_SECOND = 10
_SECOND = 1.01  # after which the second that a budget has begun is over for certain


@dataclass(slots=True)
class _Share:
    """Letters taken out of one budget."""

    rows: QuerySet[Any]
    rate: Rate
    left: int = 0
    until: float = 0.0  # monotonic
    is_dry: bool = False  # the budget had nothing left when it was asked last


class Allowance:
    """One sender's shares. Call its methods inside a transaction."""

    def __init__(
        self, server: str, server_rate: Rate, owner_rate: Rate, clock: Callable[[], datetime]
    ) -> None:
        self._clock = clock
        self._owner_rate = owner_rate
        self._server = _Share(ServerGate.objects.filter(server=server), server_rate)
        self._owners: dict[int, _Share] = {}
        self.throttled_until = 0.0
        """On the monotonic clock: when a budget that has nothing for this second may have again."""

    def server_is_spent(self) -> bool:
        """Return whether the server may get no letter any more today."""
        spent = budget.spent_day(self._server.rate, self._clock())
        return self._server.rows.filter(spent).exists()

    def server_is_dry(self) -> bool:
        return not self._server.left

    def dry_owners(self) -> set[int]:
        """Return the owners who have nothing left for this second."""
        now = time.monotonic()
        return {pk for pk, share in self._owners.items() if share.is_dry and now < share.until}

    def available(self, owner_id: int, wanted: int) -> int:
        """Return how many of `wanted` letters of an owner may leave now."""
        for share in (self._server, self._owner(owner_id)):
            self._refill(share, wanted)
            wanted = min(wanted, share.left)
        return wanted

    def spend(self, owner_id: int, letters: int) -> None:
        self._server.left -= letters
        self._owner(owner_id).left -= letters

    def forget(self) -> None:
        """Take it that nothing is left: the transaction has failed in which it was taken out."""
        for share in (self._server, *self._owners.values()):
            share.left = 0

    def give_back(self) -> None:
        """Return what is not spent; in an order in which no two senders wait for each other."""
        for share in (self._server, *(share for _pk, share in sorted(self._owners.items()))):
            if not share.rate.is_unlimited:
                budget.give_back(share.rows, share.left, self._clock())
                share.left = 0

    def _owner(self, owner_id: int) -> _Share:
        share = self._owners.get(owner_id)
        if share is None:
            rows = OwnerGate.objects.filter(owner=owner_id)
            share = self._owners[owner_id] = _Share(rows, self._owner_rate)
        return share

    def _refill(self, share: _Share, wanted: int) -> None:
        if share.rate.is_unlimited:
            share.left = wanted
            return
        monotonic, now = time.monotonic(), self._clock()
        if monotonic >= share.until:
            budget.give_back(share.rows, share.left, now)
            share.left, share.until = 0, monotonic + _SECOND
        if not share.left:
            share.left = budget.take(share.rows, share.rate, STEPS_A_SECOND * wanted, now)
        share.is_dry = not share.left
        if share.is_dry and not share.rows.filter(budget.spent_day(share.rate, now)).exists():
            self.throttled_until = max(self.throttled_until, share.until)
