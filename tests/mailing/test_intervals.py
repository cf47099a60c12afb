from __future__ import annotations

import pytest
from django.utils import translation

from mailing.enums import MonthDay, Unit
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
        (Unit.YEAR, 1, "every year", "каждый год"),
        (Unit.YEAR, 2, "every 2 years", "каждые 2 года"),
        (Unit.YEAR, 5, "every 5 years", "каждые 5 лет"),
        (Unit.MINUTE, 30, "every 30 minutes", "каждые 30 минут"),
    ],
)
def test_names(unit: Unit, count: int, english: str, russian: str) -> None:
    with translation.override("en"):
        assert interval_name(unit, count) == english
    with translation.override("ru"):
        assert interval_name(unit, count) == russian


@pytest.mark.parametrize(
    ("month_day", "english", "russian"),
    [
        (MonthDay.SAME_DAY, "every 2 months", "каждые 2 месяца"),
        (
            MonthDay.LAST_DAY,
            "every 2 months, on the last day",
            "каждые 2 месяца, в последний день",
        ),
        (
            MonthDay.NTH_WEEKDAY,
            "every 2 months, on the same weekday, such as the second Tuesday",
            "каждые 2 месяца, в тот же день недели, например во второй вторник",
        ),
        (
            MonthDay.LAST_WEEKDAY,
            "every 2 months, on the last such weekday, such as the last Tuesday",
            "каждые 2 месяца, в последний такой день недели, например в последний вторник",
        ),
    ],
)
def test_names_of_months(month_day: MonthDay, english: str, russian: str) -> None:
    with translation.override("en"):
        assert interval_name(Unit.MONTH, 2, month_day) == english
    with translation.override("ru"):
        assert interval_name(Unit.MONTH, 2, month_day) == russian
