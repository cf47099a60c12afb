from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailing.enums import MonthDay, Unit
from mailing.schedule import Schedule, exists, instant

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # changes its clocks by half an hour


def rule(
    unit: Unit,
    count: int,
    start: datetime,
    zone: ZoneInfo = BERLIN,
    ends_at: datetime | None = None,
    **more: Any,
) -> Schedule:
    """Return a rule whose first wall time in `zone` is the naive `start`."""
    return Schedule(unit, count, instant(start, zone), ends_at, zone, **more)


def walls(schedule: Schedule, after: datetime, limit: int) -> list[str]:
    return [
        f"{moment.astimezone(schedule.time_zone):%Y-%m-%d %H:%M}"
        for moment in schedule.upcoming(after, limit)
    ]


def test_nine_stays_nine_when_the_clocks_change() -> None:
    autumn = rule(Unit.DAY, 1, datetime(2026, 10, 23, 9))
    assert walls(autumn, datetime(2026, 10, 23, 12, tzinfo=UTC), 4) == [
        "2026-10-24 09:00",
        "2026-10-25 09:00",
        "2026-10-26 09:00",
        "2026-10-27 09:00",
    ]
    spring = rule(Unit.WEEK, 1, datetime(2027, 3, 22, 9))
    assert walls(spring, datetime(2027, 3, 22, 12, tzinfo=UTC), 2) == [
        "2027-03-29 09:00",
        "2027-04-05 09:00",
    ]


def test_the_hour_that_does_not_exist_means_the_first_that_does() -> None:
    daily = rule(Unit.DAY, 1, datetime(2027, 3, 26, 2, 30))
    assert walls(daily, datetime(2027, 3, 26, 12, tzinfo=UTC), 4) == [
        "2027-03-27 02:30",
        "2027-03-28 03:00",
        "2027-03-29 02:30",
        "2027-03-30 02:30",
    ]


def test_the_hour_that_comes_twice_counts_once() -> None:
    daily = rule(Unit.DAY, 1, datetime(2026, 10, 24, 2, 30))
    dates = daily.upcoming(datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert dates == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # the first 02:30, in summer time
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    ]


def test_half_an_hour_of_gap() -> None:
    assert not exists(datetime(2026, 10, 4, 2, 15), LORD_HOWE)
    there = instant(datetime(2026, 10, 4, 2, 15), LORD_HOWE).astimezone(LORD_HOWE)
    assert f"{there:%H:%M}" == "02:30"


def test_the_31st_comes_back_after_a_shorter_month() -> None:
    monthly = rule(Unit.MONTH, 1, datetime(2027, 1, 31, 9))
    assert walls(monthly, datetime(2027, 1, 31, 12, tzinfo=UTC), 5) == [
        "2027-02-28 09:00",
        "2027-03-31 09:00",
        "2027-04-30 09:00",
        "2027-05-31 09:00",
        "2027-06-30 09:00",
    ]


def test_29_february_every_year() -> None:
    yearly = rule(Unit.MONTH, 12, datetime(2028, 2, 29, 9))
    assert walls(yearly, datetime(2028, 3, 1, tzinfo=UTC), 4) == [
        "2029-02-28 09:00",
        "2030-02-28 09:00",
        "2031-02-28 09:00",
        "2032-02-29 09:00",
    ]


def days(schedule: Schedule, limit: int) -> list[str]:
    """Return the first dates with their weekdays."""
    before = schedule.starts_at - timedelta(days=1)
    return [
        f"{moment.astimezone(schedule.time_zone):%a %d %b %Y}"
        for moment in schedule.upcoming(before, limit)
    ]


@pytest.mark.parametrize(
    ("month_day", "start", "expected"),
    [
        (MonthDay.LAST_DAY, (2028, 1, 14), ["Mon 31 Jan 2028", "Tue 29 Feb 2028"]),
        (MonthDay.LAST_DAY, (2026, 2, 28), ["Sat 28 Feb 2026", "Tue 31 Mar 2026"]),
        (MonthDay.NTH_WEEKDAY, (2026, 12, 8), ["Tue 08 Dec 2026", "Tue 12 Jan 2027"]),
        (MonthDay.NTH_WEEKDAY, (2026, 12, 14), ["Mon 14 Dec 2026", "Mon 11 Jan 2027"]),
        (
            MonthDay.NTH_WEEKDAY,  # the fifth, or the last
            (2026, 12, 31),
            ["Thu 31 Dec 2026", "Thu 28 Jan 2027", "Thu 25 Feb 2027", "Thu 25 Mar 2027"],
        ),
        (MonthDay.LAST_WEEKDAY, (2026, 12, 8), ["Tue 29 Dec 2026", "Tue 26 Jan 2027"]),
    ],
)
def test_days_of_a_month(
    month_day: MonthDay, start: tuple[int, int, int], expected: list[str]
) -> None:
    monthly = rule(Unit.MONTH, 1, datetime(*start, 9), month_day=month_day)
    assert days(monthly, len(expected)) == expected


def test_every_year_on_29_february() -> None:
    yearly = rule(Unit.YEAR, 1, datetime(2028, 2, 29, 9))
    assert days(yearly, 5) == [
        "Tue 29 Feb 2028",
        "Wed 28 Feb 2029",
        "Thu 28 Feb 2030",
        "Fri 28 Feb 2031",
        "Sun 29 Feb 2032",
    ]


def test_weekdays_of_every_second_week_count_from_the_starts_week() -> None:
    start = datetime(2026, 11, 25, 9)  # a Wednesday
    fortnightly = rule(Unit.WEEK, 2, start, weekdays=frozenset({0, 4}))
    assert days(fortnightly, 4) == [
        "Fri 27 Nov 2026",
        "Mon 07 Dec 2026",
        "Fri 11 Dec 2026",
        "Mon 21 Dec 2026",
    ]


def test_other_weekdays_are_left_out_with_any_other_unit() -> None:
    workdays = frozenset(range(5))
    daily = rule(Unit.DAY, 1, datetime(2026, 11, 26, 9), weekdays=workdays)
    assert days(daily, 3) == ["Thu 26 Nov 2026", "Fri 27 Nov 2026", "Mon 30 Nov 2026"]
    monthly = rule(Unit.MONTH, 1, datetime(2026, 8, 1, 9), weekdays=workdays)
    assert days(monthly, 2) == ["Tue 01 Sep 2026", "Thu 01 Oct 2026"]
    hourly = rule(Unit.HOUR, 1, datetime(2026, 11, 27, 22, 30), weekdays=workdays)
    assert walls(hourly, datetime(2026, 11, 27, 12, tzinfo=UTC), 3) == [
        "2026-11-27 22:30",
        "2026-11-27 23:30",
        "2026-11-30 00:30",
    ]


@pytest.mark.parametrize(
    ("unit", "count", "more"),
    [
        (Unit.ONCE, 1, {}),
        (Unit.DAY, 7, {}),
        (Unit.HOUR, 84, {}),
        (Unit.MONTH, 1, {"month_day": MonthDay.NTH_WEEKDAY}),
        (Unit.MONTH, 4800, {}),
    ],
)
def test_weekdays_that_leave_no_date(unit: Unit, count: int, more: dict[str, Any]) -> None:
    never = rule(unit, count, datetime(2026, 11, 29, 9), weekdays=frozenset({0}), **more)
    assert never.first is None
    assert never.latest_until(datetime(2090, 1, 1, tzinfo=UTC)) is None


def test_a_number_of_runs_counts_the_dates_of_the_rule() -> None:
    workdays = frozenset(range(5))
    five = rule(Unit.DAY, 1, datetime(2026, 11, 26, 9), weekdays=workdays, max_runs=5)
    assert days(five, 10)[-1] == "Wed 02 Dec 2026"
    assert len(days(five, 10)) == 5
    assert five.next_after(datetime(2026, 12, 2, 12, tzinfo=UTC)) is None
    assert five.latest_until(datetime(2030, 1, 1, tzinfo=UTC)) == datetime(
        2026, 12, 2, 8, tzinfo=UTC
    )


def test_a_number_of_runs_that_the_rule_never_reaches_ends_nothing() -> None:
    once = rule(Unit.ONCE, 1, datetime(2026, 11, 26, 9), max_runs=5)
    assert once.first == once.starts_at


def test_a_day_that_does_not_exist_falls_due_when_the_next_begins() -> None:
    apia = ZoneInfo("Pacific/Apia")  # went over the date line after 29 December 2011
    daily = rule(Unit.DAY, 1, datetime(2011, 12, 29, 9), apia)
    assert walls(daily, datetime(2011, 12, 29, tzinfo=UTC), 4) == [
        "2011-12-29 09:00",
        "2011-12-31 00:00",
        "2011-12-31 09:00",
        "2012-01-01 09:00",
    ]
    midnight = rule(Unit.DAY, 1, datetime(2011, 12, 29, 0), apia)
    assert walls(midnight, datetime(2011, 12, 29, tzinfo=UTC), 3) == [
        "2011-12-29 00:00",
        "2011-12-31 00:00",
        "2012-01-01 00:00",
    ]


def test_a_start_in_the_second_of_two_equal_hours_stays_where_it_is() -> None:
    start = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 in Berlin, for the second time
    daily = Schedule(Unit.DAY, 1, start, None, BERLIN)
    assert daily.first == start


@pytest.mark.parametrize("unit", [u for u in Unit if u != Unit.ONCE])
def test_far_from_its_start_a_rule_is_as_quick(unit: Unit) -> None:
    """Fifty years of minutes are 26 million steps: nobody could count them in this time."""
    ancient = rule(unit, 1, datetime(1976, 1, 1, 9), weekdays=frozenset({0, 1}))
    begun = perf_counter()
    for day in range(1, 11):
        moment = datetime(2026, 1, day, tzinfo=UTC)
        assert ancient.next_after(moment) is not None
        assert ancient.latest_until(moment) is not None
    assert perf_counter() - begun < 0.5


def test_hours_are_real_hours() -> None:
    hourly = rule(Unit.HOUR, 1, datetime(2026, 10, 25, 0))
    dates = hourly.upcoming(hourly.starts_at, 5)
    assert {b - a for a, b in pairwise(dates)} == {timedelta(hours=1)}


def test_once_is_once() -> None:
    once = rule(Unit.ONCE, 1, datetime(2026, 11, 23, 9))
    assert once.next_after(once.starts_at - timedelta(seconds=1)) == once.starts_at
    assert once.next_after(once.starts_at) is None
    assert once.latest_until(once.starts_at + timedelta(days=900)) == once.starts_at
    assert once.latest_until(once.starts_at - timedelta(seconds=1)) is None


def test_the_end_is_the_last_date_at_most() -> None:
    end = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
    daily = rule(Unit.DAY, 1, datetime(2026, 11, 23, 9), ends_at=end)
    assert len(daily.upcoming(datetime(2026, 1, 1, tzinfo=UTC), 10)) == 3
    assert daily.next_after(end) is None
    assert daily.latest_until(datetime(2030, 1, 1, tzinfo=UTC)) == end


@pytest.mark.parametrize("unit", list(Unit))
def test_a_rule_runs_out_of_calendar_without_an_error(unit: Unit) -> None:
    ancient = rule(unit, 1000, datetime(2026, 1, 1, 9))
    ancient.next_after(datetime(2026, 1, 1, tzinfo=UTC))
    ancient.upcoming(datetime(2100, 1, 1, tzinfo=UTC), 3)


@given(
    unit=st.sampled_from([u for u in Unit if u != Unit.ONCE]),
    count=st.integers(1, 40),
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(
        lambda d: d.replace(second=0, microsecond=0)
    ),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "UTC", "Australia/Lord_Howe"]),
    later=st.integers(0, 3_000_000),
)
@settings(max_examples=300, deadline=None)
def test_next_and_latest_agree(
    unit: Unit, count: int, start: datetime, zone: str, later: int
) -> None:
    place = ZoneInfo(zone)
    start = start if exists(start, place) else start + timedelta(hours=2)
    schedule = rule(unit, count, start, place)
    moment = schedule.starts_at + timedelta(minutes=later)
    following = schedule.next_after(moment)
    latest = schedule.latest_until(moment)
    assert following is not None
    assert latest is not None
    assert latest <= moment < following
    assert schedule.next_after(latest) == following
    assert schedule.latest_until(following) == following
    assert following.second == following.microsecond == 0
