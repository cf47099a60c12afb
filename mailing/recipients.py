"""Whom mailings would go to now: as far as can be said at once, or exactly.

Counting the members of a large list takes longer than a page may. So pages show what `at_once`
says, and fetch what `exactly` says a moment later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, F

from mailing import reach
from mailing.engine.audience import Size, sizes
from mailing.models import Mailing

__all__ = ["Recipients", "Size", "at_once", "exactly", "within_budget"]
_COUNTED_AT_ONCE = 1000
_COUNTED_TOGETHER = 5000


@dataclass(frozen=True, slots=True)
class Recipients:
    """Of one mailing: `size` is None if counting takes longer; `at_least` are there anyhow."""

    size: Size | None
    at_least: int


def within_budget(members: Mapping[int, int]) -> list[int]:
    """Return those whose members a page may go through: few each, and not too many together."""
    chosen, together = [], 0
    for pk, number in members.items():
        if number <= _COUNTED_AT_ONCE and together + number <= _COUNTED_TOGETHER:
            chosen.append(pk)
            together += number
    return chosen


def at_once(mailing_ids: Iterable[int], most: int) -> dict[int, Recipients]:
    """Return what can be said of each mailing by four queries; lists are counted up to `most`."""
    ids = list(mailing_ids)
    lists = _lists_of(ids)
    members = reach.sizes({pk for chosen in lists.values() for pk in chosen}, most)
    singles = dict(
        Mailing.clients.through.objects.filter(mailing__in=ids)
        .values_list("mailing")
        .annotate(n=Count("pk"))
        .order_by()
    )
    parts = {pk: [*(members.get(n, 0) for n in lists[pk]), singles.get(pk, 0)] for pk in ids}
    # Of none as well, so that a page costs the same number of queries whatever is on it.
    counted = sizes(within_budget({pk: sum(parts[pk]) for pk in ids}) or [0])
    return {
        pk: Recipients(size, size.clients)
        if (size := counted.get(pk)) is not None
        else Recipients(None, max(parts[pk]))
        for pk in ids
    }


def exactly(mailings: Iterable[Mailing]) -> dict[int, Size]:
    """Return whom each mailing would go to; if those are many, as it was within the last minute."""
    mailings = list(mailings)
    lists = _lists_of([mailing.pk for mailing in mailings])
    clients: dict[int, list[int]] = {mailing.pk: [] for mailing in mailings}
    singles = Mailing.clients.through.objects.filter(mailing__in=clients)
    for mailing_id, client_id in singles.values_list("mailing", "client"):
        clients[mailing_id].append(client_id)
    found = {}
    for mailing in mailings:
        # Those that go to the same people are counted once: `reach` keeps copies of large figures.
        whom = reach.exactly(mailing.owner_id, lists[mailing.pk], clients[mailing.pk])
        found[mailing.pk] = Size(whom.clients, whom.without_letters)
    return found


def _lists_of(mailing_ids: list[int]) -> dict[int, list[int]]:
    """Return the lists of each mailing; those of another owner count for nothing."""
    found: dict[int, list[int]] = {pk: [] for pk in mailing_ids}
    rows = Mailing.lists.through.objects.filter(
        mailing__in=mailing_ids, clientlist__owner=F("mailing__owner")
    )
    for mailing_id, list_id in rows.values_list("mailing", "clientlist"):
        found[mailing_id].append(list_id)
    return found
