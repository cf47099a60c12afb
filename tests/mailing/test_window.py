from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailing.schedule import instant
from mailing.window import Window

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Window(time(9), time(18), BERLIN)
NIGHT = Window(time(22), time(6), BERLIN)


def span(window: Window, *at: int) -> list[str]:
    """Return the span at or after a wall time in Berlin, by the clocks of Berlin."""
    found = window.span_at_or_after(instant(datetime(*at), BERLIN))
    return [f"{bound.astimezone(BERLIN):%d %H:%M}" for bound in found]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((2026, 11, 23, 3), ["23 09:00", "23 18:00"]),
        ((2026, 11, 23, 9), ["23 09:00", "23 18:00"]),
        ((2026, 11, 23, 17, 59), ["23 09:00", "23 18:00"]),
        ((2026, 11, 23, 18), ["24 09:00", "24 18:00"]),
    ],
)
def test_it_is_open_from_its_first_minute_until_before_its_last(
    at: tuple[int, ...], expected: list[str]
) -> None:
    assert span(OFFICE, *at) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((2026, 11, 23, 5, 59), ["22 22:00", "23 06:00"]),
        ((2026, 11, 23, 6), ["23 22:00", "24 06:00"]),
        ((2026, 11, 23, 23), ["23 22:00", "24 06:00"]),
    ],
)
def test_it_may_be_open_over_midnight(at: tuple[int, ...], expected: list[str]) -> None:
    assert span(NIGHT, *at) == expected


def test_a_bound_in_the_missing_hour_is_the_first_instant_after_it() -> None:
    assert span(Window(time(2, 30), time(5), BERLIN), 2027, 3, 28, 0) == ["28 03:00", "28 05:00"]


def test_one_that_lies_in_the_missing_hour_stays_shut_that_day() -> None:
    assert span(Window(time(2, 10), time(2, 50), BERLIN), 2027, 3, 28, 0) == [
        "29 02:10",
        "29 02:50",
    ]


def test_a_bound_in_the_double_hour_is_the_first_of_the_two() -> None:
    window = Window(time(2, 30), time(4), BERLIN)
    opens, closes = window.span_at_or_after(datetime(2026, 10, 24, 22, tzinfo=UTC))
    assert opens == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert closes - opens == timedelta(hours=2, minutes=30)


def test_one_that_never_opens_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="never opens"):
        Window(time(9), time(9), BERLIN)
