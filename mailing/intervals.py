"""The names of sending intervals, as whole sentences in each language."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext, ngettext

from mailing.enums import Unit


def interval_name(unit: Unit, count: int) -> str:
    """Return "once", "every day", "every 2 weeks" in the active language."""
    name: dict[Unit, Callable[[], str]] = {
        Unit.ONCE: lambda: gettext("once"),
        Unit.MINUTE: lambda: ngettext("every minute", "every %(count)d minutes", count),
        Unit.HOUR: lambda: ngettext("every hour", "every %(count)d hours", count),
        Unit.DAY: lambda: ngettext("every day", "every %(count)d days", count),
        Unit.WEEK: lambda: ngettext("every week", "every %(count)d weeks", count),
        Unit.MONTH: lambda: ngettext("every month", "every %(count)d months", count),
    }
    text = name[unit]()
    return text % {"count": count} if "%(count)" in text else text
