"""Spans of days for statistics: as somebody asks for them, as instants, and cut into pieces.

Attempts are counted by whole hours, so in the few time zones whose days do not begin with one a day
begins at the whole hour before. Counts and lists cut at the same instants, so they agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

MOST_DAYS = 5 * 366
_HOUR_SECONDS = 3600
_DAYS_SHOWN = 92
"""A longer span is cut into months."""


@dataclass(frozen=True, slots=True)
class Span:
    """From the first day to the last, both included, in a time zone."""

    first: date
    last: date
    zone: tzinfo

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime:
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """Return the instant after the last one."""
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def hours(self) -> range:
        """Return the hours that it holds, numbered as in `HourlyCount`."""
        return range(_hour(self.start), _hour(self.end))

    @property
    def before(self) -> Span:
        """Return the span of as many days that ends where this one begins."""
        return Span(
            self.first - timedelta(days=self.days), self.first - timedelta(days=1), self.zone
        )

    @property
    def by_month(self) -> bool:
        return self.days > _DAYS_SHOWN

    def pieces(self) -> list[Span]:
        """Return its days, or its months if those are many; the first and last may be shorter."""
        pieces, first = [], self.first
        while first <= self.last:
            last = min(_month_end(first), self.last) if self.by_month else first
            pieces.append(Span(first, last, self.zone))
            first = last + timedelta(days=1)
        return pieces

    def __str__(self) -> str:
        return f"{self.first:%Y-%m-%d}..{self.last:%Y-%m-%d}"


def last_days(days: int, today: date, zone: tzinfo) -> Span:
    """Return so many days up to today."""
    return Span(today - timedelta(days=days - 1), today, zone)


def parse(text: str, zone: tzinfo) -> Span | None:
    """Return the span that `str` of it has written, None if it is none or longer than allowed."""
    first, _, last = text.partition("..")
    try:
        span = Span(date.fromisoformat(first), date.fromisoformat(last), zone)
    except ValueError:
        return None
    return span if is_possible(span) else None


def is_possible(span: Span) -> bool:
    """Return whether it is in order, of a length that a chart can show, and on the calendar."""
    return span.first.year > 1970 and span.last.year < 9999 and 1 <= span.days <= MOST_DAYS


def _midnight(day: date, zone: tzinfo) -> datetime:
    moment = datetime.combine(day, time(), zone).timestamp()
    return datetime.fromtimestamp(moment // _HOUR_SECONDS * _HOUR_SECONDS, UTC)


def _hour(moment: datetime) -> int:
    return int(moment.timestamp()) // _HOUR_SECONDS


def _month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
