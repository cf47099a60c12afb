"""The names of sending intervals, as whole sentences in each language."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext, ngettext

from mailing.enums import MonthDay, Unit


def interval_name(unit: Unit, count: int, month_day: MonthDay = MonthDay.SAME_DAY) -> str:
    """Return "once", "every day", "every 2 weeks" in the active language."""
    interval = _every(unit, count)
    if month_day == MonthDay.LAST_DAY:
        return gettext("%(interval)s, on the last day") % {"interval": interval}
    if month_day == MonthDay.NTH_WEEKDAY:
        text = gettext("%(interval)s, on the same weekday, such as the second Tuesday")
        return text % {"interval": interval}
    if month_day == MonthDay.LAST_WEEKDAY:
        text = gettext("%(interval)s, on the last such weekday, such as the last Tuesday")
        return text % {"interval": interval}
    return interval


def _every(unit: Unit, count: int) -> str:
    if count == 1:
        return _each(unit)
    name: dict[Unit, Callable[[], str]] = {
        Unit.MINUTE: lambda: ngettext("every %(count)d minute", "every %(count)d minutes", count),
        Unit.HOUR: lambda: ngettext("every %(count)d hour", "every %(count)d hours", count),
        Unit.DAY: lambda: ngettext("every %(count)d day", "every %(count)d days", count),
        Unit.WEEK: lambda: ngettext("every %(count)d week", "every %(count)d weeks", count),
        Unit.MONTH: lambda: ngettext("every %(count)d month", "every %(count)d months", count),
        Unit.YEAR: lambda: ngettext("every %(count)d year", "every %(count)d years", count),
    }
    return name[unit]() % {"count": count}


def _each(unit: Unit) -> str:
    # Apart from the plurals: the Russian singular also stands for 21, 31 and so on.
    name: dict[Unit, Callable[[], str]] = {
        Unit.ONCE: lambda: gettext("once"),
        Unit.MINUTE: lambda: gettext("every minute"),
        Unit.HOUR: lambda: gettext("every hour"),
        Unit.DAY: lambda: gettext("every day"),
        Unit.WEEK: lambda: gettext("every week"),
        Unit.MONTH: lambda: gettext("every month"),
        Unit.YEAR: lambda: gettext("every year"),
    }
    return name[unit]()
