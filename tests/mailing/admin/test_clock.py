from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mailing.admin.clock import dates_on_the_wall


@pytest.mark.parametrize(
    ("zone", "wall", "offset"),
    [
        ("UTC", (2026, 7, 1, 12), "UTC"),
        ("Europe/London", (2026, 7, 1, 13), "UTC+1"),
        ("Asia/Kathmandu", (2026, 7, 1, 17, 45), "UTC+5:45"),
        ("America/St_Johns", (2026, 7, 1, 9, 30), "UTC-2:30"),
        ("Pacific/Kiritimati", (2026, 7, 2, 2), "UTC+14"),
    ],
)
def test_a_date_tells_its_clock_and_how_far_that_is_from_utc(
    zone: str, wall: tuple[int, ...], offset: str
) -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(ZoneInfo(zone))
    assert dates_on_the_wall([noon]) == [(datetime(*wall), offset)]
