"""When a mailing falls due. Pure: no clock, no database.

An occurrence is computed from the rule and the place, never from the run before, so nothing drifts:
09:00 stays 09:00 when the clocks change, and the 31st comes back after a shorter month.

* Minutes and hours are spans of real time. Days, weeks, months and years are steps on the calendar;
  the time of day is what the clocks showed at the start.
* A wall time that the clocks skip means the first valid instant after the gap; one that comes twice
  means the first of the two. Two dates that a skipped day brings to one instant are one.
* Months and years step from the start's month. On "the same day", a month without that day has its
  occurrence on its last one: the 31st on 30 April, 29 February on the 28th. "The same weekday" is
  the second Tuesday if the start was one; a fifth one is the last where a month has only four.
* Weekdays: with weeks, every chosen day of each n-th week; weeks begin on Monday and count from the
  start's. With any other unit, occurrences on other days are left out. A day lasts from the first
  time the clocks show its midnight to the first time they show the next.
* Nothing falls due before the start, after the end, or beyond the given number of occurrences,
  which counts those of the rule whether or not anything was sent. What has no date in 400 years,
  after which the calendar repeats itself, has none.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta, weekday

from mailing.enums import MonthDay, Unit

_SPANS = {Unit.MINUTE: timedelta(minutes=1), Unit.HOUR: timedelta(hours=1)}
_DAYS = {Unit.ONCE: 1, Unit.DAY: 1, Unit.WEEK: 7}
_MONTHS = {Unit.MONTH: 1, Unit.YEAR: 12}
_DAY = timedelta(days=1)
_MIDNIGHT = time(0)
_CALENDAR_CYCLE = timedelta(days=146_097)  # 400 years, whole weeks
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)  # with room for a cycle before Python's calendar ends


def exists(wall: datetime, zone: ZoneInfo) -> bool:
    """Return whether the naive `wall` time is ever shown by the clocks of `zone`."""
    there = wall.replace(tzinfo=zone)
    return there.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of the naive `wall` time in `zone` (see the module's rules)."""
    # PEP 495: where the offset of fold 1 is the larger one, `wall` lies in a gap, and read with
    # fold 1 it is an instant before the change of the clocks, with fold 0 one after.
    first, second = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    after = first.astimezone(UTC)
    if first.utcoffset() == second.utcoffset():
        return after
    before = second.astimezone(UTC)
    if before > after:
        return after
    old_offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == old_offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


@dataclass(frozen=True)
class Schedule:
    """A rule: every `count` units from `starts_at`, at its wall time in `time_zone`.

    `weekdays` are numbers from 0 for Monday; none means all of them, and with weeks the start's.
    `ends_at` is the last instant at which it may fall due.
    """

    unit: Unit
    count: int
    starts_at: datetime
    ends_at: datetime | None
    time_zone: ZoneInfo
    month_day: MonthDay = MonthDay.SAME_DAY
    weekdays: frozenset[int] = frozenset()
    max_runs: int | None = None

    def next_after(self, after: datetime) -> datetime | None:
        """Return the first occurrence later than `after`, or None if there is none."""
        return next(self._later(after), None)

    def latest_until(self, until: datetime) -> datetime | None:
        """Return the last occurrence not later than `until`, or None if there is none."""
        if self._end is not None:
            until = min(until, self._end)
        return self._rule.latest(until)

    def upcoming(self, after: datetime, limit: int) -> list[datetime]:
        """Return up to `limit` occurrences later than `after`, in order."""
        return list(itertools.islice(self._later(after), limit))

    @property
    def first(self) -> datetime | None:
        """Return the first occurrence of all, or None if the rule leaves none."""
        return self.next_after(self.starts_at - _DAY)

    @property
    def period(self) -> timedelta | None:
        """Return the length of one interval, None if it runs once.

        A month counts 28 days, a year 365; the weekdays are not looked at.
        """
        if self.unit == Unit.ONCE:
            return None
        if self.unit in _SPANS:
            return _SPANS[self.unit] * self.count
        days = {**_DAYS, Unit.MONTH: 28, Unit.YEAR: 365}
        return timedelta(days=days[self.unit] * self.count)

    def _later(self, after: datetime) -> Iterator[datetime]:
        for occurrence in self._rule.later(after):
            if self._end is not None and occurrence > self._end:
                return
            yield occurrence

    @cached_property
    def _end(self) -> datetime | None:
        """The last instant at which it may fall due, by date and by number."""
        if self.max_runs is None:
            return self.ends_at
        from_start = self._rule.later(self.starts_at - _DAY)
        last = next(itertools.islice(from_start, self.max_runs - 1, None), None)
        return min((end for end in (self.ends_at, last) if end is not None), default=None)

    @cached_property
    def _rule(self) -> _Spans | _Steps:
        start = self.starts_at.astimezone(UTC)
        if self.unit in _SPANS:
            span = _SPANS[self.unit] * self.count
            return _Spans(start, span, self.time_zone, self.weekdays)
        return _Steps(
            start=start,
            first=start.astimezone(self.time_zone).replace(tzinfo=None),
            unit=self.unit,
            count=self.count,
            zone=self.time_zone,
            month_day=self.month_day,
            weekdays=self.weekdays,
        )


@dataclass(frozen=True, slots=True)
class _Spans:
    """Minutes and hours: every `span` of real time, on the wanted weekdays."""

    start: datetime
    span: timedelta
    zone: ZoneInfo
    weekdays: frozenset[int]

    def later(self, after: datetime) -> Iterator[datetime]:
        step = max(0, (after - self.start) // self.span + 1)
        horizon = _horizon(after, self.start)
        while (occurrence := self.start + self.span * step) <= horizon:
            if self._is_wanted(occurrence):
                yield occurrence
                step += 1
            else:
                step = self._steps_before(self._wanted_day(self._day(occurrence), _DAY))

    def latest(self, moment: datetime) -> datetime | None:
        step = (moment - self.start) // self.span
        while step >= 0:
            occurrence = self.start + self.span * step
            if self._is_wanted(occurrence):
                return occurrence
            day_before = self._wanted_day(self._day(occurrence), -_DAY)
            step = self._steps_before(day_before + _DAY) - 1
        return None

    def _steps_before(self, day: date) -> int:
        """Return how many occurrences of the bare span lie before `day`."""
        return -((self.start - instant(datetime.combine(day, _MIDNIGHT), self.zone)) // self.span)

    def _day(self, moment: datetime) -> date:
        """Return the day that `moment` belongs to."""
        day = moment.astimezone(self.zone).date()
        midnight = datetime.combine(day + _DAY, _MIDNIGHT)
        # The clocks may be set back to before a midnight that they have already shown.
        return day + _DAY if instant(midnight, self.zone) <= moment else day

    def _is_wanted(self, occurrence: datetime) -> bool:
        return not self.weekdays or self._day(occurrence).weekday() in self.weekdays

    def _wanted_day(self, day: date, step: timedelta) -> date:
        """Return the wanted day that is next to `day`, onwards or backwards."""
        days = (day + step * n for n in range(1, 8))
        return next(day for day in days if day.weekday() in self.weekdays)


@dataclass(frozen=True, slots=True)
class _Steps:
    """Days, weeks, months and years: steps on the calendar from the naive wall time `first`."""

    start: datetime
    first: datetime
    unit: Unit
    count: int
    zone: ZoneInfo
    month_day: MonthDay
    weekdays: frozenset[int]

    def later(self, after: datetime) -> Iterator[datetime]:
        horizon = _horizon(after, self.start).date()
        latest = after
        for step in self._steps_from(max(0, self._steps_until(after))):
            try:
                days = self._days(step)
            except (OverflowError, ValueError):  # beyond the year 9999
                return
            if days[0] > horizon:
                return
            for occurrence in self._occurrences(days):
                if occurrence > latest:
                    latest = occurrence
                    yield occurrence

    def latest(self, moment: datetime) -> datetime | None:
        # One step more: weeks count from Mondays, and a midnight already shown may come again.
        for step in range(self._steps_until(moment) + 1, -1, -1):
            try:
                days = self._days(step)
            except (OverflowError, ValueError):
                continue
            for occurrence in reversed(list(self._occurrences(days))):
                if occurrence <= moment:
                    return occurrence
        return None

    def _steps_from(self, step: int) -> Iterable[int]:
        return range(step, 1) if self.unit == Unit.ONCE else itertools.count(step)

    def _steps_until(self, moment: datetime) -> int:
        """Return how many whole steps the calendar has made on the day of `moment`."""
        if self.unit == Unit.ONCE:
            return -1
        first, day = self.first.date(), moment.astimezone(self.zone).date()
        if self.unit in _MONTHS:
            months = 12 * (day.year - first.year) + day.month - first.month
            return months // (_MONTHS[self.unit] * self.count)
        return (day - first).days // (_DAYS[self.unit] * self.count)

    def _days(self, step: int) -> list[date]:
        """Return the days that `step` leads to, in order, whether they are wanted or not."""
        first, number = self.first.date(), step * self.count
        if self.unit in _MONTHS:
            return [self._day_of_month(number * _MONTHS[self.unit])]
        day = first + timedelta(days=number * _DAYS[self.unit])
        if self.unit != Unit.WEEK:
            return [day]
        monday = day - timedelta(days=day.weekday())
        return [monday + timedelta(days=n) for n in sorted(self.weekdays or {first.weekday()})]

    def _day_of_month(self, months: int) -> date:
        first = self.first.date()
        if self.month_day == MonthDay.SAME_DAY:
            return first + relativedelta(months=months)
        if self.month_day == MonthDay.LAST_DAY:
            return first + relativedelta(months=months, day=31)
        last = first + relativedelta(months=months, day=31, weekday=weekday(first.weekday(), -1))
        if self.month_day == MonthDay.LAST_WEEKDAY:
            return last
        nth = weekday(first.weekday(), (first.day + 6) // 7)
        return min(last, first + relativedelta(months=months, day=1, weekday=nth))

    def _occurrences(self, days: list[date]) -> Iterator[datetime]:
        for day in days:
            if day >= self.first.date() and (not self.weekdays or day.weekday() in self.weekdays):
                there = datetime.combine(day, self.first.time())
                # A start in the second of two equal hours is not its own wall time's instant.
                yield max(instant(there, self.zone), self.start)


def _horizon(after: datetime, start: datetime) -> datetime:
    return min(max(after, start), _LATEST) + _CALENDAR_CYCLE
