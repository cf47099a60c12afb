"""Dates and windows against the oracle of `tests.mailing.clocks`: every answer must be the same.

A short selection in the fast suite; `make test-oracle` asks for all: six kinds of rule, forty zones
chosen for what their clocks have done, ten years of each.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from itertools import pairwise

import pytest

from mailing.enums import MonthDay, Unit
from mailing.schedule import Schedule
from mailing.window import Window
from tests.mailing.clocks import DAY, Clocks, Oracle, Rule, clocks, minute, moment, open_spans

FIRST_YEARS = {
    "Africa/Cairo": 2007,  # four changes in 2010 and in 2014
    "Africa/Casablanca": 2014,  # off for Ramadan; negative saving since 2018
    "Africa/Juba": 2016,  # an hour back in 2021, for good
    "Africa/Sao_Tome": 2014,
    "Africa/Windhoek": 2009,
    "America/Asuncion": 2015,  # at midnight
    "America/Caracas": 2007,  # half an hour back, half an hour on
    "America/Havana": 2016,  # 00:00 is skipped, and comes twice
    "America/Los_Angeles": 2017,
    "America/New_York": 2017,
    "America/Nuuk": 2018,
    "America/Santiago": 2014,
    "America/Sao_Paulo": 2010,  # 00:00 is skipped
    "America/Scoresbysund": 2018,
    "America/St_Johns": 2002,  # at one minute past midnight: the day before comes again
    "Antarctica/Casey": 2009,  # three hours at once
    "Antarctica/Troll": 2016,  # two hours
    "Asia/Amman": 2014,
    "Asia/Beirut": 2016,
    "Asia/Famagusta": 2014,
    "Asia/Gaza": 2014,  # another hour every year
    "Asia/Kathmandu": 2016,
    "Asia/Kolkata": 2016,
    "Asia/Pyongyang": 2012,  # half an hour, at midnight
    "Asia/Tehran": 2014,  # half past, at midnight
    "Asia/Ulaanbaatar": 2009,
    "Atlantic/Azores": 2016,
    "Australia/Adelaide": 2016,
    "Australia/Lord_Howe": 2016,  # saves half an hour
    "Europe/Dublin": 2016,  # saves in winter, backwards
    "Europe/Istanbul": 2010,
    "Europe/London": 2017,
    "Europe/Moscow": 2007,  # stopped saving in 2011, moved in 2014
    "Europe/Volgograd": 2014,
    "Pacific/Apia": 2006,  # 30 December 2011 does not exist
    "Pacific/Chatham": 2016,  # 45 minutes
    "Pacific/Fiji": 2012,
    "Pacific/Kiritimati": 1990,  # 31 December 1994 (or the day after) does not exist
    "Pacific/Norfolk": 2014,
    "UTC": 2017,
}
SELECTION = ("America/St_Johns", "Pacific/Apia")
ALL = os.environ.get("ORACLE") == "all"
ZONES = tuple(FIRST_YEARS) if ALL else SELECTION

WORKDAYS = frozenset(range(5))
WEEKEND = frozenset({5, 6})
SUNDAY = frozenset({6})
ODD = frozenset({0, 2, 6})

RULES = {
    Unit.MINUTE: (
        Rule(Unit.MINUTE, 5),
        Rule(Unit.MINUTE, 7),
        Rule(Unit.MINUTE, 30, WORKDAYS),
        Rule(Unit.MINUTE, 45, SUNDAY),
    ),
    Unit.HOUR: (
        Rule(Unit.HOUR, 1),
        Rule(Unit.HOUR, 1, SUNDAY),
        Rule(Unit.HOUR, 5, WEEKEND),
        Rule(Unit.HOUR, 24),
        Rule(Unit.HOUR, 36, WORKDAYS),
    ),
    Unit.DAY: (
        Rule(Unit.DAY, 1),
        Rule(Unit.DAY, 1, WORKDAYS),
        Rule(Unit.DAY, 3, WEEKEND),
        Rule(Unit.DAY, 10),
    ),
    Unit.WEEK: (
        Rule(Unit.WEEK, 1),
        Rule(Unit.WEEK, 2),
        Rule(Unit.WEEK, 2, ODD),
        Rule(Unit.WEEK, 3, frozenset(range(7))),
    ),
    Unit.MONTH: tuple(
        Rule(Unit.MONTH, count, weekdays, month_day)
        for month_day in MonthDay
        for count, weekdays in ((1, frozenset[int]()), (1, WORKDAYS), (5, frozenset[int]()))
    ),
    Unit.YEAR: (Rule(Unit.YEAR, 1), Rule(Unit.YEAR, 1, WORKDAYS), Rule(Unit.YEAR, 3)),
}
WINDOWS = ((9 * 60, 18 * 60), (22 * 60, 6 * 60), (130, 160), (0, 30), (23 * 60 + 30, 45))


@pytest.fixture(scope="module", params=ZONES)
def place(request: pytest.FixtureRequest) -> Clocks:
    return clocks(request.param, FIRST_YEARS[request.param])


def times_of_day(place: Clocks) -> list[int]:
    """Return the odd times of the place, an ordinary one and the earliest one."""
    return [*place.odd_times()[:2], 9 * 60, 0]


def first_days(place: Clocks, unit: Unit) -> list[date]:
    year = place.day(place.begin + DAY).year
    if unit == Unit.MONTH:
        return [date(year, 1, 31), date(year, 1, 29), date(year, 3, 14)]
    leap = next(y for y in range(year, year + 8) if y % 4 == 0 and (y % 100 or y % 400 == 0))
    if unit == Unit.YEAR:
        changed = {place.day(at) for at in place.transitions()[:4]}
        return [date(leap, 2, 29), date(year, 12, 31), *sorted(changed)]
    return [date(year, 1, 3)]


def starts(place: Clocks, unit: Unit) -> Iterator[int]:
    """Return wall times to start at. A form takes no start that the clocks skip."""
    times = times_of_day(place)
    if unit in {Unit.MINUTE, Unit.HOUR}:
        times = times[-2:-1]  # spans of real time know no odd hours
    for day in first_days(place, unit):
        for time_of_day in times:
            wall = (day - date(1970, 1, 1)).days * DAY + time_of_day
            if place.shown(place.first_shown(wall)) == wall:
                yield wall


def schedule(oracle: Oracle, **limits: object) -> Schedule:
    rule = oracle.rule
    return Schedule(
        unit=rule.unit,
        count=rule.count,
        starts_at=moment(oracle.clocks.first_shown(oracle.start)),
        time_zone=oracle.clocks.zone,
        month_day=rule.month_day,
        weekdays=rule.weekdays,
        **{"ends_at": None, **limits},
    )


def compare(schedule: Schedule, due: list[int], low: int) -> int:
    """Ask all three questions at every date and a second before it; return how many were asked."""
    dates = [moment(m) for m in due]
    assert schedule.upcoming(moment(low) - timedelta(seconds=1), len(due)) == dates
    for date_, following in pairwise(dates):
        just_before = following - timedelta(seconds=1)
        assert schedule.next_after(date_) == following
        assert schedule.next_after(just_before) == following
        assert schedule.latest_until(just_before) == date_
        assert schedule.latest_until(following) == following
    return len(due) + 4 * max(0, len(due) - 1)


@pytest.mark.parametrize("unit", RULES)
def test_dates(place: Clocks, unit: Unit, record_property: Callable[[str, object], None]) -> None:
    asked = 0
    for rule in RULES[unit]:
        for start in starts(place, unit):
            oracle = Oracle(place, rule, start)
            if unit in {Unit.MINUTE, Unit.HOUR}:
                stretches = [(at - 3 * DAY, at + 3 * DAY) for at in place.transitions()]
            else:
                stretches = [(place.begin, place.end)]
            for low, high in stretches:
                asked += compare(schedule(oracle), oracle.between(low, high), low)
    assert asked
    record_property("asked", asked)


@pytest.mark.parametrize("unit", RULES)
def test_ends(place: Clocks, unit: Unit, record_property: Callable[[str, object], None]) -> None:
    asked = 0
    for rule in RULES[unit]:
        oracle = Oracle(place, rule, next(starts(place, unit)))
        begin = place.first_shown(oracle.start)
        end = begin + 60 * DAY if unit in {Unit.MINUTE, Unit.HOUR} else place.end
        due = [moment(m) for m in oracle.between(begin, end)]
        if not due:  # no date of this one is on a wanted weekday
            assert schedule(oracle, ends_at=moment(end)).first is None
        for number in {1, 2, len(due) // 2, len(due)} & set(range(1, len(due) + 1)):
            kept = due[:number]
            for limits in ({"max_runs": number}, {"ends_at": kept[-1]}):
                limited = schedule(oracle, **limits)
                assert limited.upcoming(kept[0] - timedelta(days=9), number + 1) == kept
                assert limited.next_after(kept[-1]) is None
                assert limited.next_after(kept[-1] - timedelta(seconds=1)) == kept[-1]
                assert limited.latest_until(moment(place.end)) == kept[-1]
                asked += number + 3
    assert asked
    record_property("asked", asked)


def test_windows(place: Clocks, record_property: Callable[[str, object], None]) -> None:
    asked = 0
    for opens, closes in WINDOWS:
        window = Window(time(*divmod(opens, 60)), time(*divmod(closes, 60)), place.zone)
        for at in place.transitions():
            low, high = at - 3 * DAY, at + 3 * DAY
            spans = open_spans(place, opens, closes, low, high)
            bounds = {m for span in spans for m in (span[0] - 1, *span) if low <= m < high}
            ends = [end for _, end in spans]
            for asked_at in {*range(low, high, 37), *bounds}:
                expected = spans[bisect_right(ends, asked_at)]
                found = window.span_at_or_after(moment(asked_at))
                assert [minute(bound) for bound in found] == expected
                asked += 1
    assert asked
    record_property("asked", asked)
