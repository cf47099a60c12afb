"""An oracle for `mailing.schedule` and `mailing.window`: it looks at the clocks, minute by minute.

It shares no code and no formula with them. What the clocks of a place show is read from the zone
at every quarter of an hour, and at every minute where that has changed. Whether a day or a minute
belongs to a rule is decided by looking at that day or minute and counting on from the start, by the
sentences in docs/scheduling.md.

Instants are whole minutes since 1970 in UTC; wall times are minutes since 1970 by the clocks.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from mailing.enums import MonthDay, Unit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = 24 * 60
_FIRST_DAY = date(1970, 1, 1)
_MARGIN = 40 * DAY
"""The table begins before and ends after its years, so that rules may look over the edge."""


def minute(moment: datetime) -> int:
    return (moment - EPOCH) // MINUTE


def moment(minute: int) -> datetime:
    return EPOCH + minute * MINUTE


class Clocks:
    """What the clocks of `zone` show from the beginning of year `first` to the end of `last`."""

    def __init__(self, zone: str, first: int, last: int) -> None:
        self.zone = ZoneInfo(zone)
        self.begin = minute(datetime(first, 1, 1, tzinfo=UTC))
        self.end = minute(datetime(last + 1, 1, 1, tzinfo=UTC))
        self.changes = list(self._changes())
        """Minutes at which the clocks were changed, with what they differ from UTC since then."""
        self._origin = self.begin - _MARGIN
        self._first_shown = self._table()
        midnights = range(self._origin - self._origin % DAY + 2 * DAY, self.end + _MARGIN, DAY)
        self._days = [_FIRST_DAY + timedelta(days=wall // DAY) for wall in midnights]
        self._day_begins = [self.first_shown(wall) for wall in midnights]

    def first_shown(self, wall: int) -> int:
        """Return the first minute at which the clocks show `wall` or later."""
        return self._first_shown[wall - self._origin]

    def day(self, minute: int) -> date:
        """Return the latest day whose midnight the clocks have shown."""
        return self._days[bisect_right(self._day_begins, minute) - 1]

    def shown(self, minute: int) -> int:
        """Return what the clocks show."""
        return minute + self._offset(minute)

    def transitions(self) -> list[int]:
        """Return the changes within the years; one quiet minute if there are none."""
        found = [at for at, _ in self.changes if self.begin <= at < self.end]
        return found or [self.begin + 200 * DAY]

    def odd_times(self) -> list[int]:
        """Return minutes of the day in the middle of the hours that are skipped or come twice."""
        odd = []
        for (_, before), (at, after) in zip(self.changes, self.changes[1:], strict=False):
            if self.begin <= at < self.end:
                odd.append((at + (before + after) // 2) % DAY)
        return list(dict.fromkeys(odd))

    def _offset(self, minute: int) -> int:
        offset = moment(minute).astimezone(self.zone).utcoffset()
        assert offset is not None
        assert not offset % MINUTE, "this oracle knows whole minutes only"
        return offset // MINUTE

    def _changes(self) -> Iterator[tuple[int, int]]:
        at = self.begin - _MARGIN
        offset = self._offset(at)
        yield at, offset
        for later in range(at + 15, self.end + _MARGIN, 15):
            if self._offset(later) == offset:
                continue
            at = next(m for m in range(later - 14, later + 1) if self._offset(m) != offset)
            offset = self._offset(at)
            yield at, offset

    def _table(self) -> array[int]:
        """Go through all minutes and note when the clocks show each wall time first."""
        table = array("i", [self._origin]) * (self.changes[0][1] if self.changes[0][1] > 0 else 0)
        ends = [at for at, _ in self.changes[1:]] + [self.end + _MARGIN]
        for (at, offset), end in zip(self.changes, ends, strict=True):
            shown_up_to = self._origin + len(table)  # the first wall time not shown yet
            if at + offset > shown_up_to:
                table.extend(array("i", [at]) * (at + offset - shown_up_to))
                shown_up_to = at + offset
            table.extend(array("i", range(shown_up_to - offset, end)))
        return table


@lru_cache(maxsize=2)
def clocks(zone: str, first: int) -> Clocks:
    """Return the clocks of ten years."""
    return Clocks(zone, first, first + 9)


@dataclass(frozen=True)
class Rule:
    unit: Unit
    count: int
    weekdays: frozenset[int] = frozenset()
    month_day: MonthDay = MonthDay.SAME_DAY


@dataclass(frozen=True)
class Oracle:
    """Knows when `rule`, started when the clocks showed `start` first, falls due."""

    clocks: Clocks
    rule: Rule
    start: int

    def between(self, low: int, high: int) -> list[int]:
        """Return the minutes from `low` and before `high` at which the rule falls due."""
        if self.rule.unit in {Unit.MINUTE, Unit.HOUR}:
            return [m for m in range(low, high) if self._is_span(m)]
        first = _FIRST_DAY + timedelta(days=self.start // DAY)
        due = {
            self.clocks.first_shown((day - _FIRST_DAY).days * DAY + self.start % DAY)
            for day in days_of(self.rule, first, self.clocks.day(high - 1))
        }
        return sorted(m for m in due if low <= m < high)

    def _is_span(self, minute: int) -> bool:
        length = self.rule.count * (60 if self.rule.unit == Unit.HOUR else 1)
        passed = minute - self.clocks.first_shown(self.start)
        return (
            passed >= 0 and passed % length == 0 and _is_wanted(self.rule, self.clocks.day(minute))
        )


@lru_cache(maxsize=1000)
def days_of(rule: Rule, first: date, last: date) -> list[date]:
    """Walk from the first day to the last, counting, and keep those of the rule."""
    found = []
    day = first
    days = weeks = months = 0
    while day <= last:
        if rule.unit == Unit.DAY:
            belongs = days % rule.count == 0 and _is_wanted(rule, day)
        elif rule.unit == Unit.WEEK:
            belongs = weeks % rule.count == 0 and _is_day_of_week(rule, day, first)
        elif rule.unit == Unit.MONTH:
            belongs = months % rule.count == 0 and _is_day_of_month(rule, day, first)
        elif rule.unit == Unit.YEAR:
            belongs = months % (12 * rule.count) == 0 and _is_day_of_month(rule, day, first)
        else:
            belongs = days == 0 and _is_wanted(rule, day)
        if belongs:
            found.append(day)
        day += timedelta(days=1)
        days += 1
        weeks += day.weekday() == 0
        months += day.day == 1
    return found


def _is_wanted(rule: Rule, day: date) -> bool:
    return not rule.weekdays or day.weekday() in rule.weekdays


def _is_day_of_week(rule: Rule, day: date, first: date) -> bool:
    return _is_wanted(rule, day) if rule.weekdays else day.weekday() == first.weekday()


def _is_day_of_month(rule: Rule, day: date, first: date) -> bool:
    if not _is_wanted(rule, day):
        return False
    if rule.month_day == MonthDay.SAME_DAY:
        return day.day == first.day or (_is_last(day) and day.day < first.day)
    if rule.month_day == MonthDay.LAST_DAY:
        return _is_last(day)
    if day.weekday() != first.weekday():
        return False
    if rule.month_day == MonthDay.LAST_WEEKDAY:
        return _is_last_weekday(day)
    return _number(day) == _number(first) or (_number(first) == 5 and _is_last_weekday(day))


def _is_last(day: date) -> bool:
    return (day + timedelta(days=1)).month != day.month


def _is_last_weekday(day: date) -> bool:
    return (day + timedelta(days=7)).month != day.month


def _number(day: date) -> int:
    """Return which Monday (or Tuesday…) of its month a day is."""
    return sum(
        day.replace(day=number).weekday() == day.weekday() for number in range(1, day.day + 1)
    )


def open_spans(clocks: Clocks, opens: int, closes: int, low: int, high: int) -> list[list[int]]:
    """Return the first and the last minute of each time a window is open, by walking.

    `opens` and `closes` are minutes of the day; it is open from one until the clocks come to the
    other, on whichever day that is.
    """
    changes: dict[int, list[bool]] = {}
    for wall in range(low - low % DAY - 2 * DAY, high + 3 * DAY, DAY):
        begin = clocks.first_shown(wall + opens)
        end = clocks.first_shown(wall + closes + (DAY if closes <= opens else 0))
        if begin != end:
            changes.setdefault(begin, []).append(True)
            changes.setdefault(end, []).append(False)
    spans: list[list[int]] = []
    is_open = False
    for at in sorted(changes):
        if is_open and False in changes[at]:
            spans[-1].append(at)
            is_open = False
        if True in changes[at]:
            spans.append([at])
            is_open = True
    return [span for span in spans if len(span) == 2]
