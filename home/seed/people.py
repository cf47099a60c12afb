"""Clients, the lists they are in, and who among them has unsubscribed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from django.db import transaction
from wagtail.coreutils import string_to_ascii

from accounts.models import User
from home.seed.chance import dice
from home.seed.names import (
    DOMAINS,
    RUSSIAN_DOMAINS,
    Name,
    european_names,
    russian_names,
)
from mailing.addresses import parse_address
from mailing.enums import SuppressionReason
from mailing.models import Client, ClientList, Suppression

_NAMELESS = 0.02
_NO_PATRONYMIC = 0.35
_UNSUBSCRIBED = 0.03
_SETTLED = timedelta(days=100)
"""Clients of the first hour are older than the history that is seeded."""


@dataclass(frozen=True)
class Circle:
    """The clients of one owner: how many, called what, in which lists.

    `lists` has for each name a description and a size; the first takes in the clients whose
    domains make the mail catcher refuse, defer or dawdle. A size of 0 means everybody.
    """

    names: list[Name]
    domains: tuple[str, ...]
    size: int
    moody: tuple[tuple[str, str], ...]
    lists: dict[str, tuple[str, int]]
    only_with_middle_name: Collection[str] = field(default=frozenset())


GARDEN = Circle(
    names=european_names(),
    domains=DOMAINS,
    size=820,
    moody=(
        ("Rupert Vane", "rupert.vane@bounce.test"),
        ("Hester Lowe", "h.lowe@bounce.test"),
        ("", "old-office@bounce.test"),
        ("Corin Blythe", "corin@bounce.test"),
        ("Mina Farr", "mina.farr@defer.test"),
        ("Edda Holm", "edda@defer.test"),
        ("Jonas Petrie", "j.petrie@defer.test"),
        ("Wilma Stead", "wilma.stead@slow.test"),
        ("Aled Rees", "aled@slow.test"),
        ("Nan Sherrard", "nan.sherrard@slow.test"),
    ),
    lists={
        "Garden notes": ("They asked for the weekly letter.", 640),
        "Everybody": ("All who ever gave us their address.", 0),
        "Course guests": ("Were at a course in the last two years.", 260),
        "Seed swap": ("Have a place at the long table.", 118),
        "Volunteers": ("Open, water and close the glasshouse.", 24),
        "Neighbours": ("The farms around the lane.", 5),
    },
)
BOOKSHOP = Circle(
    names=russian_names(),
    domains=RUSSIAN_DOMAINS,
    size=420,
    moody=(
        ("Роза Кручинина", "roza@bounce.test"),
        ("Герман Волков", "g.volkov@defer.test"),
        ("Нонна Тихая", "nonna@slow.test"),
    ),
    lists={
        "Читатели": ("Просили письмо раз в неделю.", 310),
        "Все": ("Все, кто оставил адрес.", 0),
        "Постоянные покупатели": ("Больше трёх покупок за год.", 140),
        "Книжный клуб": ("Среда, семь вечера.", 38),
        "Школы и библиотеки": ("Заказывают списками.", 17),
    },
    only_with_middle_name={"Школы и библиотеки"},
)


def ensure_clients(owner: User, circle: Circle, now: datetime) -> None:
    """Make the circle's clients, lists and suppressions, unless its first list is there already."""
    first_list = next(iter(circle.lists))
    if ClientList.objects.owned_by(owner).filter(name=first_list).exists():
        return
    random = dice(f"clients of {first_list}")
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    drafts = _draft(owner, circle, random, today)
    with transaction.atomic():
        clients = _save(owner, drafts)
        _make_lists(owner, circle, clients, random)
        _unsubscribe(owner, clients[: circle.size], random, today)


def _draft(owner: User, circle: Circle, random: Random, today: datetime) -> list[Client]:
    taken: set[str] = set()
    drafts = []
    for name in random.sample(circle.names, circle.size):
        middle = "" if random.random() < _NO_PATRONYMIC else name.middle
        local = _free_local_part(name, taken, random)
        if random.random() < _NAMELESS:
            name = Name("", "", "")  # an address that came without its owner's name
        drafts.append(
            _client(
                owner,
                f"{local}@{random.choice(circle.domains)}",
                Name(name.first, middle if name.first else "", name.last),
                _joined_at(random, today),
            )
        )
    for index, (full_name, email) in enumerate(circle.moody):
        first, _, last = full_name.partition(" ")
        # They came after the last run of any mailing: their first letter is the one to be watched.
        joined_at = today - timedelta(hours=3 + index)
        drafts.append(_client(owner, email, Name(first, "", last), joined_at))
    for draft in random.sample(drafts, len(drafts) // 40):
        draft.comment = random.choice(_COMMENTS[bool(draft.middle_name)])
    return drafts


_COMMENTS = (
    ("Wants the letter on paper too.", "Met at the open day.", "Away until spring.", "Moved."),
    ("Звонить после шести.", "Собирает атласы.", "Познакомились на ярмарке."),
)


def _client(owner: User, email: str, name: Name, joined_at: datetime) -> Client:
    address = parse_address(email)
    return Client(
        owner=owner,
        email=address.email,
        email_normalized=address.normalized,
        first_name=name.first,
        middle_name=name.middle,
        last_name=name.last,
        created_at=joined_at,
        updated_at=joined_at,
    )


def _free_local_part(name: Name, taken: set[str], random: Random) -> str:
    """Return a local part nobody in the circle has, since one client may be in two lists."""
    first, last = (
        "".join(c for c in string_to_ascii(part).lower() if c.isalnum())
        for part in (name.first, name.last)
    )
    shape = random.choice((f"{first}.{last}", f"{first[0]}.{last}", f"{last}.{first}", first))
    local, number = shape, random.randrange(41, 100)
    while local in taken:
        local, number = f"{shape}{number}", number + 1
    taken.add(local)
    return local


def _joined_at(random: Random, today: datetime) -> datetime:
    """Six of ten were there before the history begins, the others came one by one."""
    if random.random() < 0.6:
        days = _SETTLED.days + int(random.expovariate(1 / 120))
    else:
        days = random.randrange(3, _SETTLED.days)
    return today - timedelta(days=days) + timedelta(minutes=random.randrange(8 * 60, 21 * 60))


def _save(owner: User, drafts: list[Client]) -> list[Client]:
    """Save the clients the owner does not have yet; return all of them, in the order drafted."""
    known = Client.objects.owned_by(owner)
    there = set(known.values_list("email_normalized", flat=True))
    new = [draft for draft in drafts if draft.email_normalized not in there]
    joined = {draft.email_normalized: draft.created_at for draft in new}
    made = Client.objects.bulk_create(new)
    for client in made:  # saving has set both to this instant
        client.created_at = client.updated_at = joined[client.email_normalized]
    Client.objects.bulk_update(made, ["created_at", "updated_at"], batch_size=300)
    by_address = {client.email_normalized: client for client in known}
    return [by_address[draft.email_normalized] for draft in drafts]


def _make_lists(owner: User, circle: Circle, clients: list[Client], random: Random) -> None:
    ordinary, moody = clients[: circle.size], clients[circle.size :]
    created_at = min(client.created_at for client in clients)
    for index, (name, (description, size)) in enumerate(circle.lists.items()):
        fitting = ordinary
        if name in circle.only_with_middle_name:
            fitting = [client for client in ordinary if client.middle_name]
        members = random.sample(fitting, size) if size else ordinary
        client_list = ClientList.objects.create(owner=owner, name=name, description=description)
        _add(client_list, members + (moody if index == 0 else []))
        ClientList.objects.filter(pk=client_list.pk).update(
            created_at=created_at, updated_at=created_at
        )


def _add(client_list: ClientList, clients: Iterable[Client]) -> None:
    client_list.clients.add(*sorted(clients, key=lambda client: client.pk))


def _unsubscribe(owner: User, clients: list[Client], random: Random, today: datetime) -> None:
    leaving = [c for c in clients if c.created_at < today - timedelta(days=20)]
    Suppression.objects.bulk_create(
        (
            Suppression(
                owner=owner,
                email_normalized=client.email_normalized,
                reason=SuppressionReason.UNSUBSCRIBED,
                created_at=_left_at(client, random, today),
            )
            for client in random.sample(leaving, round(len(clients) * _UNSUBSCRIBED))
        ),
        ignore_conflicts=True,  # the owner's own client may have left before
    )


def _left_at(client: Client, random: Random, today: datetime) -> datetime:
    stayed = random.randrange(7, 19)
    day = max(client.created_at + timedelta(days=stayed), today - timedelta(days=90))
    days = max(1, (today - day).days)
    return day + timedelta(days=random.randrange(days), minutes=random.randrange(180))
