from __future__ import annotations

import pytest
from django.utils import translation

from mailing.enums import Unit
from mailing.intervals import interval_name


@pytest.mark.parametrize(
    ("unit", "count", "english", "russian"),
    [
        (Unit.ONCE, 1, "once", "один раз"),
        (Unit.DAY, 1, "every day", "каждый день"),
        (Unit.DAY, 2, "every 2 days", "каждые 2 дня"),
        (Unit.DAY, 5, "every 5 days", "каждые 5 дней"),
        (Unit.DAY, 21, "every 21 days", "каждый 21 день"),
        (Unit.WEEK, 1, "every week", "каждую неделю"),
        (Unit.WEEK, 2, "every 2 weeks", "каждые 2 недели"),
        (Unit.MONTH, 3, "every 3 months", "каждые 3 месяца"),
        (Unit.HOUR, 1, "every hour", "каждый час"),
        (Unit.MINUTE, 30, "every 30 minutes", "каждые 30 минут"),
    ],
)
def test_names(unit: Unit, count: int, english: str, russian: str) -> None:
    with translation.override("en"):
        assert interval_name(unit, count) == english
    with translation.override("ru"):
        assert interval_name(unit, count) == russian
