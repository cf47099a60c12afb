"""When a mailing falls due. Pure: no clock, no database.

An occurrence is computed from the rule and the place, never from the run before, so nothing drifts:
09:00 stays 09:00 when the clocks change, and the 31st comes back after a shorter month.

* Minutes and hours are spans of real time. Days, weeks and months are steps on the wall calendar.
* A wall time that the clocks skip means the first valid instant after the gap; one that comes twice
  means the first of the two.
* A month without the start's day has its occurrence on its last day.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from mailing.enums import Unit

_SPANS = {Unit.MINUTE: timedelta(minutes=1), Unit.HOUR: timedelta(hours=1)}
_DAYS = {Unit.DAY: 1, Unit.WEEK: 7}
_MONTHS_AT_MOST = 31 * 24 * 3600
_YEAR_MAX = 9000


def exists(wall: datetime, zone: ZoneInfo) -> bool:
    """Return whether the naive `wall` time is ever shown by the clocks of `zone`."""
    there = wall.replace(tzinfo=zone)
    return there.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of the naive `wall` time in `zone` (see the module's rules)."""
    if exists(wall, zone):
        return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    # Inside a gap, the offset after it (fold 1) reads as an instant before the change of the clocks
    # and the offset before it (fold 0) as one after: the change lies between.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    old_offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == old_offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rule: every `count` units from `starts_at`, at its wall time in `time_zone`."""

    unit: Unit
    count: int
    starts_at: datetime
    ends_at: datetime | None
    time_zone: ZoneInfo

    def next_after(self, after: datetime) -> datetime | None:
        """Return the first occurrence later than `after`, or None if there is none."""
        return next(self._from(self._steps_before(after), after), None)

    def latest_until(self, until: datetime) -> datetime | None:
        """Return the last occurrence not later than `until`, or None if there is none."""
        if self.ends_at is not None:
            until = min(until, self.ends_at)
        latest = None
        step = max(0, self._steps_before(until) - 1)
        while (occurrence := self._at(step)) is not None and occurrence <= until:
            latest = occurrence
            step += 1
        return latest

    def upcoming(self, after: datetime, limit: int) -> list[datetime]:
        """Return up to `limit` occurrences later than `after`, in order."""
        found: list[datetime] = []
        for occurrence in self._from(self._steps_before(after), after):
            if len(found) == limit:
                break
            found.append(occurrence)
        return found

    @property
    def period(self) -> timedelta | None:
        """Return the length of one interval (a month counts 28 days), None if it runs once."""
        if self.unit == Unit.ONCE:
            return None
        if self.unit in _SPANS:
            return _SPANS[self.unit] * self.count
        return timedelta(days=_DAYS.get(self.unit, 28) * self.count)

    def _from(self, step: int, after: datetime) -> Iterator[datetime]:
        while (occurrence := self._at(step)) is not None:
            if occurrence > after:
                yield occurrence
            step += 1

    def _steps_before(self, moment: datetime) -> int:
        """Return a number of steps that is certainly not past `moment`, but near it."""
        passed = (moment - self.starts_at).total_seconds()
        if passed <= 0 or self.unit == Unit.ONCE:
            return 0
        if self.unit == Unit.MONTH:
            seconds = float(_MONTHS_AT_MOST)
        elif self.unit in _SPANS:
            seconds = _SPANS[self.unit].total_seconds()
        else:
            seconds = _DAYS[self.unit] * 86_400.0
        # Two steps of room for the hour that a change of the clocks adds or takes.
        return max(0, int(passed / (seconds * self.count)) - 2)

    def _at(self, step: int) -> datetime | None:
        """Return the occurrence after `step` intervals, None if it lies past the end."""
        if self.unit == Unit.ONCE and step > 0:
            return None
        if self.unit in _SPANS:
            occurrence = self.starts_at.astimezone(UTC) + _SPANS[self.unit] * self.count * step
        else:
            wall = self._wall_time(step * self.count)
            if wall.year > _YEAR_MAX:
                return None
            occurrence = instant(wall, self.time_zone) if step else self.starts_at.astimezone(UTC)
        if self.ends_at is not None and occurrence > self.ends_at:
            return None
        return occurrence

    def _wall_time(self, units: int) -> datetime:
        first = self.starts_at.astimezone(self.time_zone).replace(tzinfo=None)
        if self.unit in _DAYS:
            return first + timedelta(days=_DAYS[self.unit] * units)
        if self.unit != Unit.MONTH:
            return first
        years, month = divmod(first.month - 1 + units, 12)
        year, month = first.year + years, month + 1
        day = min(first.day, calendar.monthrange(min(year, _YEAR_MAX), month)[1])
        return first.replace(year=min(year, _YEAR_MAX + 1), month=month, day=day)
