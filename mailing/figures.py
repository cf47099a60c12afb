"""What statistics show of a span of days, read from counts (`HourlyCount`, `DailyGrowth`).

Every figure of attempts is the number of rows that the list of attempts has for the same span,
outcome, cause and mailing, unless the oldest of those are forgotten by now.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.db.models import Count, QuerySet, Sum

from mailing.enums import Cause, Outcome
from mailing.models import Client, DailyGrowth, HourlyCount, Mailing
from mailing.span import Span

if TYPE_CHECKING:
    from mailing.permissions import Person

FEWEST_LETTERS = 20
"""A mailing with fewer has no share to speak of: one of one is not the best."""
COMPARED = 5
_DAY_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Piece:
    """A day or a month with its attempts by outcome, and the clients there were at its end."""

    span: Span
    outcomes: Mapping[Outcome, int]
    clients: int

    @property
    def total(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class MailingFigures:
    """What became of a mailing's letters; those put off have another attempt to come."""

    mailing: Mailing
    outcomes: Mapping[Outcome, int]

    @property
    def ended(self) -> int:
        """How many letters the span has brought to an end."""
        return sum(n for outcome, n in self.outcomes.items() if outcome != Outcome.TRANSIENT)

    @property
    def sent_share(self) -> float:
        return self.outcomes.get(Outcome.ACCEPTED, 0) / self.ended if self.ended else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """All that the page of statistics says of a span."""

    span: Span
    pieces: list[Piece]
    outcomes: Mapping[Outcome, int]
    before: Mapping[Outcome, int]
    causes: list[tuple[Outcome, Cause, int]]
    mailings: list[MailingFigures]
    clients: int
    clients_before: int
    compared: list[MailingFigures] = field(init=False)

    def __post_init__(self) -> None:
        enough = [m for m in self.mailings if m.ended >= FEWEST_LETTERS]
        object.__setattr__(self, "compared", sorted(enough, key=lambda m: -m.sent_share))

    @property
    def best(self) -> list[MailingFigures]:
        """Return those whose letters got through best; with few mailings, half of them."""
        return self.compared[: min(COMPARED, (len(self.compared) + 1) // 2)]

    @property
    def worst(self) -> list[MailingFigures]:
        """Return those whose letters got through worst, from the last; none is in both."""
        return self.compared[: len(self.best) - 1 : -1][:COMPARED]


def figures(user: Person, span: Span, now: datetime, owner_id: int | None = None) -> Figures:
    """Return what `user` may see: of one owner if given, else of all whose rows they see."""
    whose = {} if owner_id is None else {"owner": owner_id}
    counts = HourlyCount.objects.visible_to(user).filter(**whose)
    clients = Client.objects.visible_to(user).filter(**whose)
    changes = DailyGrowth.objects.visible_to(user).filter(**whose)
    total = clients.order_by().count()
    pieces = span.pieces()
    client_counts = _clients_at_ends(changes, pieces, total, now)
    within = _within(counts, span)
    by_hour = within.values_list("hour", "outcome").annotate(count=Sum("n")).order_by()
    starts = [piece.hours.start for piece in pieces]
    outcomes: list[Counter[Outcome]] = [Counter() for _ in pieces]
    for hour, outcome, n in by_hour:
        outcomes[bisect_right(starts, hour) - 1][Outcome(outcome)] += n
    return Figures(
        span=span,
        pieces=[Piece(*row) for row in zip(pieces, outcomes, client_counts[1:], strict=True)],
        outcomes=sum(outcomes, Counter()),
        before=_by_outcome(_within(counts, span.before)),
        causes=_by_cause(within),
        mailings=_by_mailing(within),
        clients=client_counts[-1],
        clients_before=client_counts[0],
    )


def sent_in(user: Person, span: Span) -> Mapping[Outcome, int]:
    """Return the attempts of a span by outcome, for a line of figures."""
    return _by_outcome(_within(HourlyCount.objects.visible_to(user), span))


def note_clients(now: datetime) -> None:
    """Keep how many clients everybody had when this day began. At the first call of a day.

    Twice is harmless, later in the day a little late.
    """
    today = now.astimezone(UTC).date()
    key = f"mailing:clients-noted:{today}"
    if cache.get(key):
        return
    owners = Client.objects.order_by().values_list("owner").annotate(n=Count("pk"))
    known = DailyGrowth.objects.order_by().values_list("owner").annotate(n=Sum("change"))
    changes = Counter(dict(owners))
    changes.subtract(dict(known))
    DailyGrowth.objects.bulk_create(
        (DailyGrowth(owner_id=pk, day=today, change=n) for pk, n in changes.items() if n),
        ignore_conflicts=True,
    )
    cache.set(key, True, 2 * _DAY_SECONDS)


def _within(counts: QuerySet[HourlyCount], span: Span) -> QuerySet[HourlyCount]:
    return counts.filter(hour__gte=span.hours.start, hour__lt=span.hours.stop)


def _by_outcome(counts: QuerySet[HourlyCount]) -> Mapping[Outcome, int]:
    rows = counts.order_by().values_list("outcome").annotate(count=Sum("n"))
    return {Outcome(outcome): n for outcome, n in rows}


def _by_cause(counts: QuerySet[HourlyCount]) -> list[tuple[Outcome, Cause, int]]:
    rows = counts.exclude(cause=0).order_by().values_list("outcome", "cause")
    found = [(Outcome(o), Cause(c), n) for o, c, n in rows.annotate(count=Sum("n")) if n > 0]
    return sorted(found, key=lambda row: (-row[2], row[1]))


def _by_mailing(counts: QuerySet[HourlyCount]) -> list[MailingFigures]:
    """Return all mailings with attempts, those with most letters first: two queries."""
    found: dict[int, Counter[Outcome]] = {}
    rows = counts.order_by().values_list("mailing", "outcome").annotate(count=Sum("n"))
    for pk, outcome, n in rows:
        found.setdefault(pk, Counter())[Outcome(outcome)] += n
    mailings = Mailing.objects.select_related("owner").in_bulk(list(found))
    figures = [
        MailingFigures(mailings[pk], outcomes)
        for pk, outcomes in found.items()
        if pk in mailings  # not one whose account is being erased at this moment
    ]
    return sorted(figures, key=lambda m: (-m.ended, m.mailing.pk))


def _clients_at_ends(
    changes: QuerySet[DailyGrowth], pieces: list[Span], total: int, now: datetime
) -> list[int]:
    """Return the clients before the first piece, then at the end of each; today's are `total`.

    What is noted is as of the beginning of a day in UTC: the nearest to the end of a piece.
    """
    ends = [piece.last + timedelta(days=1) for piece in pieces]
    first = pieces[0].first
    before = changes.filter(day__lte=first).aggregate(n=Sum("change"))["n"] or 0
    counts = [0] * len(pieces)
    rows = changes.filter(day__gt=first, day__lte=ends[-1]).order_by()
    for day, change in rows.values_list("day").annotate(n=Sum("change")):
        counts[next(i for i, end in enumerate(ends) if day <= end)] += change
    found = [before]
    for n in counts:
        found.append(found[-1] + n)
    today = now.astimezone(pieces[0].zone).date()
    return [
        found[0],
        *(total if end > today else n for n, end in zip(found[1:], ends, strict=True)),
    ]
