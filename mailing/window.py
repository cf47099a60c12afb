"""The hours of a day in which letters of a mailing may leave. Pure: no clock, no database.

A window decides when letters leave, never when a mailing falls due: what is due at 03:00 waits for
09:00, and what has not left by 18:00 waits for the next day's 09:00. Its bounds are wall times and
follow the clocks like occurrences do (see `schedule`): in a missing hour a bound is the first valid
instant after it, in a double hour the first of the two. A window that closes no later than it opens
closes on the next day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from mailing.schedule import instant

_DAY = timedelta(days=1)


class Span(NamedTuple):
    """Letters may leave from `opens` on and before `closes`, both in UTC."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """Opens at one wall time and closes at another, which must not be the same."""

    opens: time
    closes: time
    time_zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.opens == self.closes:
            raise ValueError("a window from a time to the same time never opens")

    def span_at_or_after(self, moment: datetime) -> Span:
        """Return the span that contains `moment`, or else the next one."""
        there = moment.astimezone(self.time_zone).replace(tzinfo=None)
        day = datetime.combine(there.date(), time(0)) - _DAY  # yesterday's may still be open
        while True:
            span = self._span(day)
            # Both bounds of a short one may lie in the same missing hour: it does not open then.
            if moment < span.closes and span.opens < span.closes:
                return span
            day += _DAY

    def _span(self, day: datetime) -> Span:
        closing_day = day if self.opens < self.closes else day + _DAY
        return Span(
            instant(datetime.combine(day, self.opens), self.time_zone),
            instant(datetime.combine(closing_day, self.closes), self.time_zone),
        )
