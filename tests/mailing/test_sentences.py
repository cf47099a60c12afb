from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from mailing.enums import MonthDay, Unit
from mailing.schedule import Schedule, instant
from mailing.sentences import schedule_sentence
from mailing.window import Window

MOSCOW = ZoneInfo("Europe/Moscow")
MONDAY = datetime(2030, 7, 1, 9)
WEDNESDAY = datetime(2030, 7, 31, 9)
SUNDAY = datetime(2030, 7, 28, 9)


def say(language: str, start: datetime, unit: Unit, count: int = 1, **more: Any) -> str:
    window = more.pop("window", None)
    rule = Schedule(
        **{
            "unit": unit,
            "count": count,
            "starts_at": instant(start, MOSCOW),
            "ends_at": None,
            "time_zone": MOSCOW,
            **more,
        }
    )
    with translation.override(language):
        return schedule_sentence(rule, window)


@pytest.mark.parametrize(
    ("rule", "english", "russian"),
    [
        (
            (MONDAY, Unit.ONCE),
            "Once, on 1 July 2030 at 09:00 (Europe/Moscow).",
            "Один раз, 1 июля 2030 в 09:00 (Europe/Moscow).",
        ),
        (
            (MONDAY, Unit.MINUTE, 30),
            "Every 30 minutes (Europe/Moscow), from 1 July 2030, 09:00.",
            "Каждые 30 минут (Europe/Moscow), с 1 июля 2030, 09:00.",
        ),
        (
            (MONDAY, Unit.DAY),
            "Every day at 09:00 (Europe/Moscow), from 1 July 2030.",
            "Каждый день в 09:00 (Europe/Moscow), с 1 июля 2030.",
        ),
        (
            (MONDAY, Unit.WEEK),
            "Every Monday at 09:00 (Europe/Moscow), from 1 July 2030.",
            "Каждый понедельник в 09:00 (Europe/Moscow), с 1 июля 2030.",
        ),
        (
            (WEDNESDAY, Unit.WEEK, 2),
            "Every 2 weeks on Wednesdays at 09:00 (Europe/Moscow), from 31 July 2030.",
            "Каждые 2 недели по средам в 09:00 (Europe/Moscow), с 31 июля 2030.",
        ),
        (
            (MONDAY, Unit.MONTH),
            "Every month on day 1 at 09:00 (Europe/Moscow), from 1 July 2030.",
            "Каждый месяц 1-го числа в 09:00 (Europe/Moscow), с 1 июля 2030.",
        ),
        (
            (WEDNESDAY, Unit.MONTH),
            "Every month on day 31 (the last one of a shorter month) at 09:00 (Europe/Moscow), "
            "from 31 July 2030.",
            "Каждый месяц 31-го числа (в коротком месяце — в последний день) в 09:00 "
            "(Europe/Moscow), с 31 июля 2030.",
        ),
        (
            (MONDAY, Unit.YEAR),
            "Every year on 1 July at 09:00 (Europe/Moscow), from 1 July 2030.",
            "Каждый год 1 июля в 09:00 (Europe/Moscow), с 1 июля 2030.",
        ),
        (
            (datetime(2032, 2, 29, 9), Unit.YEAR),
            "Every year on 29 February (the 28th in common years) at 09:00 (Europe/Moscow), "
            "from 29 February 2032.",
            "Каждый год 29 февраля (в невисокосные годы — 28-го) в 09:00 (Europe/Moscow), "
            "с 29 февраля 2032.",
        ),
    ],
    ids=str,
)
def test_rules(rule: tuple[Any, ...], english: str, russian: str) -> None:
    assert say("en", *rule) == english
    assert say("ru", *rule) == russian


@pytest.mark.parametrize(
    ("weekdays", "english", "russian"),
    [
        ({6}, "Every Sunday at", "Каждое воскресенье в"),
        ({2}, "Every Wednesday at", "Каждую среду в"),
        (
            {0, 4},
            "Every week on Mondays and Fridays at",
            "Каждую неделю по понедельникам и пятницам в",
        ),
        (
            {0, 2, 5},
            "Every week on Mondays, Wednesdays and Saturdays at",
            "Каждую неделю по понедельникам, средам и субботам в",
        ),
        (
            set(range(5)),
            "Every week from Monday to Friday at",
            "Каждую неделю с понедельника по пятницу в",
        ),
    ],
    ids=str,
)
def test_weekdays_of_weeks(weekdays: set[int], english: str, russian: str) -> None:
    chosen = frozenset(weekdays)
    assert say("en", MONDAY, Unit.WEEK, weekdays=chosen).startswith(english)
    assert say("ru", MONDAY, Unit.WEEK, weekdays=chosen).startswith(russian)


@pytest.mark.parametrize(
    ("rule", "english", "russian"),
    [
        (
            (MONDAY, Unit.DAY),
            "Every day on Saturdays and Sundays at 09:00",
            "Каждый день по субботам и воскресеньям в 09:00",
        ),
        (
            (MONDAY, Unit.HOUR, 2),
            "Every 2 hours on Saturdays and Sundays (Europe/Moscow), from 6 July 2030, 01:00.",
            "Каждые 2 часа по субботам и воскресеньям (Europe/Moscow), с 6 июля 2030, 01:00.",
        ),
        (
            (MONDAY, Unit.MONTH),
            "Every month on day 1, but only on Saturdays and Sundays, at 09:00",
            "Каждый месяц 1-го числа, но только по субботам и воскресеньям, в 09:00",
        ),
    ],
    ids=str,
)
def test_weekdays_that_leave_dates_out(rule: tuple[Any, ...], english: str, russian: str) -> None:
    weekend = frozenset({5, 6})
    assert say("en", *rule, weekdays=weekend).startswith(english)
    assert say("ru", *rule, weekdays=weekend).startswith(russian)


@pytest.mark.parametrize(
    ("month_day", "start", "english", "russian"),
    [
        (MonthDay.LAST_DAY, MONDAY, "on the last day", "в последний день"),
        (MonthDay.NTH_WEEKDAY, MONDAY, "on the first Monday", "в первый понедельник"),
        (
            MonthDay.NTH_WEEKDAY,
            datetime(2030, 7, 9, 9),
            "on the second Tuesday",
            "во второй вторник",
        ),
        (
            MonthDay.NTH_WEEKDAY,
            datetime(2030, 7, 10, 9),
            "on the second Wednesday",
            "во вторую среду",
        ),
        (
            MonthDay.NTH_WEEKDAY,
            datetime(2030, 7, 21, 9),
            "on the third Sunday",
            "в третье воскресенье",
        ),
        (
            MonthDay.NTH_WEEKDAY,
            WEDNESDAY,
            "on the fifth or last Wednesday",
            "в пятую или последнюю среду",
        ),
        (MonthDay.LAST_WEEKDAY, SUNDAY, "on the last Sunday", "в последнее воскресенье"),
        (MonthDay.LAST_WEEKDAY, MONDAY, "on the last Monday", "в последний понедельник"),
    ],
    ids=str,
)
def test_days_of_a_month(month_day: MonthDay, start: datetime, english: str, russian: str) -> None:
    said = say("en", start, Unit.MONTH, month_day=month_day)
    assert said.startswith(f"Every month {english} at 09:00 (Europe/Moscow), from ")
    said = say("ru", start, Unit.MONTH, month_day=month_day)
    assert said.startswith(f"Каждый месяц {russian} в 09:00 (Europe/Moscow), с ")


@pytest.mark.parametrize(
    ("limits", "english", "russian"),
    [
        (
            {"ends_at": datetime(2030, 12, 31, 20, 59, tzinfo=UTC)},
            ", until 31 December 2030.",
            ", по 31 декабря 2030.",
        ),
        ({"max_runs": 1}, ", 1 time.", ", 1 раз."),
        ({"max_runs": 3}, ", 3 times.", ", 3 раза."),
        ({"max_runs": 11}, ", 11 times.", ", 11 раз."),
        ({"max_runs": 21}, ", 21 times.", ", 21 раз."),
    ],
    ids=str,
)
def test_ends(limits: dict[str, Any], english: str, russian: str) -> None:
    assert say("en", MONDAY, Unit.DAY, **limits).endswith(f"from 1 July 2030{english}")
    assert say("ru", MONDAY, Unit.DAY, **limits).endswith(f"с 1 июля 2030{russian}")


def test_hours() -> None:
    window = Window(time(22), time(6), MOSCOW)
    assert say("en", MONDAY, Unit.DAY, window=window).endswith(
        "2030. Letters leave between 22:00 and 06:00."
    )
    assert say("ru", MONDAY, Unit.DAY, window=window).endswith(
        "2030. Письма уходят с 22:00 до 06:00."
    )
