"""Spans of days: their ends in every zone, their pieces, and what is none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailing.engine.hourly import hour_of
from mailing.span import MOST_DAYS, Span, last_days, parse

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("UTC", "2026-10-25T00:00", "2026-10-26T00:00"),
        ("Europe/London", "2026-10-24T23:00", "2026-10-26T00:00"),  # 25 hours: the clocks go back
        ("Europe/Moscow", "2026-10-24T21:00", "2026-10-25T21:00"),
        ("Asia/Kolkata", "2026-10-24T18:00", "2026-10-25T18:00"),  # half past, from the hour before
        ("America/St_Johns", "2026-10-25T02:00", "2026-10-26T02:00"),
    ],
)
def test_a_day_begins_with_a_whole_hour(zone: str, start: str, end: str) -> None:
    day = Span(date(2026, 10, 25), date(2026, 10, 25), ZoneInfo(zone))
    assert day.start == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert day.end == datetime.fromisoformat(end).replace(tzinfo=UTC)
    assert day.hours == range(hour_of(day.start), hour_of(day.end))


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe"])
@pytest.mark.parametrize("days", [1, 7, 92, 93, 365, 800])
def test_pieces_are_the_whole_without_gaps(zone: str, days: int) -> None:
    span = last_days(days, date(2026, 11, 23), ZoneInfo(zone))
    pieces = span.pieces()
    assert sum(piece.days for piece in pieces) == span.days == days
    assert [h for piece in pieces for h in piece.hours] == list(span.hours)
    assert len(pieces) == days if not span.by_month else len(pieces) <= days / 28 + 2
    assert span.before.end == span.start
    assert span.before.days == days


def test_it_is_read_as_it_is_written() -> None:
    span = last_days(30, date(2026, 11, 23), LONDON)
    assert parse(str(span), LONDON) == span


@pytest.mark.parametrize(
    "text",
    ["", "..", "x", "2026-01-01", "2026-01-02..2026-01-01", "0001-01-01..0001-01-02",
     "9999-12-31..9999-12-31", "2026-01-01..2026-02-30", "2026-01-01..2026-01-02..", "\x00.."],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    assert parse(text, LONDON) is None


def test_the_longest() -> None:
    last = date(2026, 11, 23)
    first = last - timedelta(days=MOST_DAYS - 1)
    assert parse(f"{first}..{last}", LONDON) is not None
    assert parse(f"{first - timedelta(days=1)}..{last}", LONDON) is None
