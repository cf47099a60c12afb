"""Instants as the clock of a mailing shows them, not that of whoever looks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.formats import date_format


def on_the_wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the naive time in `zone`; templates would turn an aware one to the reader's zone."""
    return moment.astimezone(zone).replace(tzinfo=None)


def wall_clock(moment: datetime, zone: ZoneInfo) -> str:
    """Return date and time in `zone`, written as the active language writes them."""
    return date_format(on_the_wall(moment, zone), "SHORT_DATETIME_FORMAT")


class Date(NamedTuple):
    """A naive wall time, and how far its clock is from UTC, such as "UTC+3"."""

    wall: datetime
    offset: str


def dates_on_the_wall(dates: Iterable[datetime]) -> list[Date]:
    """Return instants, each in the zone it carries, as their clocks show them."""
    return [Date(date.replace(tzinfo=None), _offset(date)) for date in dates]


def _offset(date: datetime) -> str:
    written = date.strftime("%z")  # +0330
    sign, hours, minutes = written[0], written[1:3], written[3:5]
    if hours == minutes == "00":
        return "UTC"
    return f"UTC{sign}{int(hours)}" + (f":{minutes}" if minutes != "00" else "")
