"""Instants as the clock of a mailing shows them, not that of whoever looks."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format


def on_the_wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the naive time in `zone`; templates would turn an aware one to the reader's zone."""
    return moment.astimezone(zone).replace(tzinfo=None)


def wall_clock(moment: datetime, zone: ZoneInfo) -> str:
    """Return date and time in `zone`, written as the active language writes them."""
    return date_format(on_the_wall(moment, zone), "SHORT_DATETIME_FORMAT")
