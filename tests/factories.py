"""Makes rows for tests, each with one call and with what does not matter filled in."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import User
from mailing.addresses import parse_address
from mailing.enums import MailingStatus, MonthDay, Unit
from mailing.models import Client, ClientList, DatePeriod, Mailing, Message

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def make_client(owner: User, email: str = "", **fields: Any) -> Client:
    address = parse_address(email or f"client{next(_numbers)}@clients.test")
    return Client.objects.create(
        owner=owner, email=address.email, email_normalized=address.normalized, **fields
    )


def make_clients(owner: User, addresses: list[str]) -> list[Client]:
    parsed = [parse_address(address) for address in addresses]
    return Client.objects.bulk_create(
        Client(owner=owner, email=a.email, email_normalized=a.normalized, first_name=f"Name {i}")
        for i, a in enumerate(parsed)
    )


def make_list(owner: User, clients: list[Client] | None = None, **fields: Any) -> ClientList:
    client_list = ClientList.objects.create(
        owner=owner, **{"name": f"List {next(_numbers)}", **fields}
    )
    client_list.clients.add(*(clients or []))
    return client_list


def body(*blocks: tuple[str, Any]) -> str:
    """Return a StreamField value of (type, value) pairs."""
    return json.dumps([{"type": kind, "value": value} for kind, value in blocks])


def make_message(owner: User, **fields: Any) -> Message:
    default = body(("text", "<p>Good morning, {{ first_name|friend }},</p>"))
    return Message.objects.create(
        owner=owner, **{"subject": f"Subject {next(_numbers)}", "body": default, **fields}
    )


def make_mailing(
    owner: User,
    clients: list[Client] | None = None,
    *,
    unit: Unit = Unit.ONCE,
    count: int = 1,
    month_day: MonthDay = MonthDay.SAME_DAY,
    status: MailingStatus = MailingStatus.CREATED,
    starts_at: datetime = NOW,
    **fields: Any,
) -> Mailing:
    """Return a mailing to `clients` (one new client if None)."""
    period, _ = DatePeriod.objects.get_or_create(unit=unit, count=count, month_day=month_day)
    mailing = Mailing.objects.create(
        owner=owner,
        **{
            "name": f"Mailing {next(_numbers)}",
            "message": fields.pop("message", None) or make_message(owner),
            "period": period,
            "starts_at": starts_at,
            "time_zone": ZoneInfo("Europe/London"),
            "status": status,
            **fields,
        },
    )
    mailing.clients.add(*([make_client(owner)] if clients is None else clients))
    return mailing


def hours(number: float) -> timedelta:
    return timedelta(hours=number)
