from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailing.enums import Unit
from mailing.schedule import Schedule, exists, instant

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # changes its clocks by half an hour


def rule(
    unit: Unit,
    count: int,
    start: datetime,
    zone: ZoneInfo = BERLIN,
    ends_at: datetime | None = None,
) -> Schedule:
    """Return a rule whose first wall time in `zone` is the naive `start`."""
    return Schedule(unit, count, instant(start, zone), ends_at, zone)


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
