"""A schedule in plain words, as whole phrases in each language."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext, pgettext

from mailing.enums import MonthDay, Unit
from mailing.intervals import interval_name
from mailing.schedule import Schedule
from mailing.window import Window

_SPANS = frozenset({Unit.MINUTE, Unit.HOUR})
_WORKDAYS = frozenset(range(5))
_IN_EVERY_MONTH = 28


def schedule_sentence(schedule: Schedule, window: Window | None) -> str:
    """Return "Every Monday at 09:00 (Europe/Moscow), from … until …." and the hours, if any."""
    sentence = capfirst(schedule_phrase(schedule)) + "."
    return f"{sentence} {window_sentence(window)}" if window else sentence


def schedule_phrase(schedule: Schedule) -> str:
    """Return "every Monday at 09:00 (Europe/Moscow), from 1 July 2030 until 31 December 2030"."""
    there = (schedule.first or schedule.starts_at).astimezone(schedule.time_zone)
    facts = {
        "rule": _rule(schedule, there.date()),
        "time": date_format(there, "H:i"),
        "zone": schedule.time_zone,
        "start": _full(there),
    }
    if schedule.unit == Unit.ONCE:
        return gettext("once, on %(start)s at %(time)s (%(zone)s)") % facts
    if schedule.unit in _SPANS:
        phrase = gettext("%(rule)s (%(zone)s), from %(start)s, %(time)s") % facts
    else:
        phrase = gettext("%(rule)s at %(time)s (%(zone)s), from %(start)s") % facts
    return phrase + _end(schedule)


def window_sentence(window: Window) -> str:
    bounds = {"from": f"{window.opens:%H:%M}", "until": f"{window.closes:%H:%M}"}
    return gettext("Letters leave between %(from)s and %(until)s.") % bounds


def _end(schedule: Schedule) -> str:
    if schedule.max_runs is not None:
        number = schedule.max_runs
        return ngettext(", %(count)d time", ", %(count)d times", number) % {"count": number}
    if schedule.ends_at is not None:
        end = _full(schedule.ends_at.astimezone(schedule.time_zone))
        return gettext(", until %(end)s") % {"end": end}
    return ""


def _rule(schedule: Schedule, first: date) -> str:
    """Return how often, and on which days; `first` is the first date."""
    interval = interval_name(schedule.unit, schedule.count)
    weekdays = schedule.weekdays
    if schedule.unit == Unit.WEEK:
        weekdays = weekdays or frozenset({first.weekday()})
        if schedule.count == 1 and len(weekdays) == 1:
            return _every_weekday(*weekdays)
        return f"{interval} {_on_weekdays(weekdays)}"
    if schedule.unit == Unit.MONTH:
        interval = f"{interval} {_on_day_of_month(schedule)}"
    elif schedule.unit == Unit.YEAR:
        interval = f"{interval} {_on_day_of_year(schedule)}"
    if not weekdays:
        return interval
    if schedule.unit in _SPANS or (schedule.unit, schedule.count) == (Unit.DAY, 1):
        return f"{interval} {_on_weekdays(weekdays)}"
    only = {"interval": interval, "weekdays": _on_weekdays(weekdays)}
    return gettext("%(interval)s, but only %(weekdays)s,") % only


def _every_weekday(weekday: int) -> str:
    return (
        gettext("every Monday"),
        gettext("every Tuesday"),
        gettext("every Wednesday"),
        gettext("every Thursday"),
        gettext("every Friday"),
        gettext("every Saturday"),
        gettext("every Sunday"),
    )[weekday]


def _on_weekdays(weekdays: Collection[int]) -> str:
    if weekdays == _WORKDAYS:
        return gettext("from Monday to Friday")
    names = (
        pgettext("on …", "Mondays"),
        pgettext("on …", "Tuesdays"),
        pgettext("on …", "Wednesdays"),
        pgettext("on …", "Thursdays"),
        pgettext("on …", "Fridays"),
        pgettext("on …", "Saturdays"),
        pgettext("on …", "Sundays"),
    )
    *others, last = (names[weekday] for weekday in sorted(weekdays))
    if not others:
        return gettext("on %(weekdays)s") % {"weekdays": last}
    return gettext("on %(weekdays)s and %(last)s") % {"weekdays": ", ".join(others), "last": last}


def _on_day_of_month(schedule: Schedule) -> str:
    start = schedule.starts_at.astimezone(schedule.time_zone).date()
    if schedule.month_day == MonthDay.LAST_DAY:
        return gettext("on the last day")
    if schedule.month_day == MonthDay.SAME_DAY:
        if start.day <= _IN_EVERY_MONTH:
            return gettext("on day %(day)d") % {"day": start.day}
        return gettext("on day %(day)d (the last one of a shorter month)") % {"day": start.day}
    number = 6 if schedule.month_day == MonthDay.LAST_WEEKDAY else (start.day + 6) // 7
    weekday = (
        pgettext("on the second …", "Monday"),
        pgettext("on the second …", "Tuesday"),
        pgettext("on the second …", "Wednesday"),
        pgettext("on the second …", "Thursday"),
        pgettext("on the second …", "Friday"),
        pgettext("on the second …", "Saturday"),
        pgettext("on the second …", "Sunday"),
    )[start.weekday()]
    return _ordinals(start.weekday())[number - 1] % {"weekday": weekday}


def _ordinals(weekday: int) -> tuple[str, ...]:
    # Names of weekdays have a gender in Russian; other languages may group them otherwise.
    if weekday in {2, 4, 5}:
        return (
            pgettext("Wednesday, Friday, Saturday", "on the first %(weekday)s"),
            pgettext("Wednesday, Friday, Saturday", "on the second %(weekday)s"),
            pgettext("Wednesday, Friday, Saturday", "on the third %(weekday)s"),
            pgettext("Wednesday, Friday, Saturday", "on the fourth %(weekday)s"),
            pgettext("Wednesday, Friday, Saturday", "on the fifth or last %(weekday)s"),
            pgettext("Wednesday, Friday, Saturday", "on the last %(weekday)s"),
        )
    if weekday == 6:
        return (
            pgettext("Sunday", "on the first %(weekday)s"),
            pgettext("Sunday", "on the second %(weekday)s"),
            pgettext("Sunday", "on the third %(weekday)s"),
            pgettext("Sunday", "on the fourth %(weekday)s"),
            pgettext("Sunday", "on the fifth or last %(weekday)s"),
            pgettext("Sunday", "on the last %(weekday)s"),
        )
    return (
        pgettext("Monday, Tuesday, Thursday", "on the first %(weekday)s"),
        pgettext("Monday, Tuesday, Thursday", "on the second %(weekday)s"),
        pgettext("Monday, Tuesday, Thursday", "on the third %(weekday)s"),
        pgettext("Monday, Tuesday, Thursday", "on the fourth %(weekday)s"),
        pgettext("Monday, Tuesday, Thursday", "on the fifth or last %(weekday)s"),
        pgettext("Monday, Tuesday, Thursday", "on the last %(weekday)s"),
    )


def _on_day_of_year(schedule: Schedule) -> str:
    start = schedule.starts_at.astimezone(schedule.time_zone).date()
    if (start.month, start.day) == (2, 29):
        return gettext("on 29 February (the 28th in common years)")
    return gettext("on %(day)s") % {"day": date_format(start, "j E")}


def _full(day: date) -> str:
    return date_format(day, "j E Y")
