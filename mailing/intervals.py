"""The names of sending intervals, as whole sentences in each language."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext, ngettext

from mailing.enums import Unit


def interval_name(unit: Unit, count: int) -> str:
    """Return "once", "every day", "every 2 weeks" in the active language."""
    if count == 1:
        return _each(unit)
    name: dict[Unit, Callable[[], str]] = {
        Unit.MINUTE: lambda: ngettext("every %(count)d minute", "every %(count)d minutes", count),
        Unit.HOUR: lambda: ngettext("every %(count)d hour", "every %(count)d hours", count),
        Unit.DAY: lambda: ngettext("every %(count)d day", "every %(count)d days", count),
        Unit.WEEK: lambda: ngettext("every %(count)d week", "every %(count)d weeks", count),
        Unit.MONTH: lambda: ngettext("every %(count)d month", "every %(count)d months", count),
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
    }
    return name[unit]()
