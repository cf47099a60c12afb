"""A few rows of a file become clients, in one transaction with the figures and the place reached.

So a worker that dies at any line has written a chunk or has not, and the next goes on after it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast

from mailing.enums import Existing
from mailing.importing.checking import Entry
from mailing.importing.jobs import LEASE, Job
from mailing.importing.limits import MOST_FAULTS_KEPT
from mailing.importing.statements import FIELDS, insert_clients, link, update_clients
from mailing.models import Client, ClientList, ClientTag, ImportFault, Suppression
from mailing.models.client import MOST_TAGS

CHUNK = 1_000


@dataclass
class Chunk:
    """Rows in the order of the file; `rows` counts those with faults and headings too."""

    rows: int = 0
    entries: list[Entry] = field(default_factory=list)
    faults: list[ImportFault] = field(default_factory=list)
    faulty: int = 0


def write(job: Job, chunk: Chunk, *, now: datetime) -> bool:
    """Write a chunk; False, and nothing is written, if the import is no longer held.

    Before a strict import has gone through the whole file, only its faults are kept.
    """
    row = job.row
    with transaction.atomic():
        done = row.rows_done + chunk.rows
        if not job.update(rows_done=done, lease_until=now + LEASE, updated_at=now, attempts=0):
            return False
        counts = _write_clients(row, chunk.entries, now) if row.is_checked else Counter()
        counts["faulty"] = chunk.faulty
        room = max(0, MOST_FAULTS_KEPT - row.faulty)
        ImportFault.objects.bulk_create(chunk.faults[:room])
        moved = {name: F(name) + count for name, count in counts.items() if count}
        if moved:
            type(row).objects.filter(pk=row.pk).update(**moved)
    row.rows_done = done
    row.faulty += chunk.faulty
    return True


def _write_clients(row: Any, entries: list[Entry], now: datetime) -> Counter[str]:
    counts: Counter[str] = Counter()
    first = _first_of_each(entries)
    counts["repeated"] = len(entries) - len(first)
    there = _there(row.owner_id, first)
    missing = [entry for address, entry in first.items() if address not in there]
    insert_clients(row.owner_id, row.pk, missing, now)
    written = _there(row.owner_id, [entry.address.normalized for entry in missing])
    # Those that another request has added at this moment are like those who were there.
    mine = {a: client for a, client in written.items() if client["last_import_id"] == row.pk}
    others = there | {a: client for a, client in written.items() if a not in mine}
    found = {a: client for a, client in others.items() if client["last_import_id"] != row.pk}
    counts["new"] = len(mine)
    counts["repeated"] += len(others) - len(found)
    counts["changed"] = _change(row, found, first, now)
    counts["unchanged"] = len(found) - counts["changed"]
    taken = {address: client["pk"] for address, client in (mine | found).items()}
    _put_into_lists(row, taken, first)
    _tag(row, taken, first)
    counts["suppressed"] = Suppression.objects.filter(
        owner=row.owner_id, email_normalized__in=list(taken)
    ).count()
    return counts


def _first_of_each(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the entries by address, in the one order that all imports lock clients in."""
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.address.normalized, entry)
    return dict(sorted(first.items()))


def _there(owner_id: int, addresses: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the owner's clients with these addresses, held against being deleted or edited."""
    wanted = list(addresses)
    if not wanted:
        return {}
    clients = Client.objects.filter(owner=owner_id, email_normalized__in=wanted)
    held = clients.order_by("email_normalized").select_for_update(no_key=True)
    columns = ("pk", "email_normalized", "last_import_id", *FIELDS)
    # Numbers as they are stored: to take each apart would cost more than all the rest.
    stored = held.values(*(c for c in columns if c != "phone"), number=Cast("phone", TextField()))
    return {c["email_normalized"]: c | {"phone": c["number"]} for c in stored}


def _change(
    row: Any, found: Mapping[str, dict[str, Any]], entries: Mapping[str, Entry], now: datetime
) -> int:
    """Do with those who were there what the owner chose; return how many have changed."""
    existing = Existing(row.existing)
    changed = [
        client | new
        for address, client in found.items()
        if (new := changes(client, entries[address].fields, existing))
    ]
    update_clients(changed, now)
    Client.objects.filter(pk__in=[client["pk"] for client in found.values()]).update(
        last_import=row.pk
    )
    return len(changed)


def changes(
    client: Mapping[str, Any], fields: Mapping[str, str], existing: Existing
) -> dict[str, str]:
    """Return what a row of the file changes in a client. What the file leaves blank stays."""
    if existing == Existing.LEAVE:
        return {}
    return {
        column: value
        for column, value in fields.items()
        if client[column] != value and (not client[column] or existing == Existing.UPDATE)
    }


def _put_into_lists(row: Any, taken: Mapping[str, int], entries: Mapping[str, Entry]) -> None:
    common = set(row.lists.filter(owner=row.owner_id).values_list("pk", flat=True))
    named = {address: entries[address].lists for address in taken if entries[address].lists}
    ids = _ids(ClientList.objects.all(), row.owner_id, named.values())
    wanted = {
        (client, pk)
        for address, client in taken.items()
        for pk in common | {ids[name.casefold()] for name in named.get(address, ())}
    }
    kept = _held(ClientList.objects.filter(pk__in={pk for _client, pk in wanted}))
    pairs = ((client, pk) for client, pk in wanted if pk in kept)
    link(ClientList.clients.through, "clientlist_id", pairs)


def _tag(row: Any, taken: Mapping[str, int], entries: Mapping[str, Entry]) -> None:
    named = {address: (*row.tags, *entries[address].tags) for address in taken}
    ids = _ids(ClientTag.objects.all(), row.owner_id, named.values())
    wanted = {
        (client, ids[name.casefold()])
        for address, client in taken.items()
        for name in named[address]
    }
    kept = _held(ClientTag.objects.filter(pk__in={pk for _client, pk in wanted}))
    pairs = {(client, pk) for client, pk in wanted if pk in kept}
    link(Client.tags.through, "clienttag_id", _with_room(pairs))


def _with_room(pairs: set[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of client and tag that are new, as many as a client's form could hold."""
    worn: dict[int, set[int]] = defaultdict(set)
    marks = Client.tags.through.objects.filter(client__in={client for client, _tag_id in pairs})
    for client, tag_id in marks.values_list("client", "clienttag") if pairs else ():
        worn[client].add(tag_id)
    for client, tag_id in sorted(pairs):
        if tag_id not in worn[client] and len(worn[client]) < MOST_TAGS:
            worn[client].add(tag_id)
            yield client, tag_id


def _held(rows: QuerySet[Any]) -> set[int]:
    """Return the ids of those that are there, and hold them so until the end of the chunk."""
    return set(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def _ids(rows: QuerySet[Any], owner_id: int, names: Iterable[Iterable[str]]) -> dict[str, int]:
    """Return the ids of the owner's rows by folded name; make those that are missing."""
    wanted = {name.casefold(): name for several in names for name in several}
    if not wanted:
        return {}
    owned = rows.filter(owner=owner_id)
    there = {name.casefold() for name in owned.values_list("name", flat=True)}
    rows.model._default_manager.bulk_create(
        [rows.model(owner_id=owner_id, name=n) for f, n in wanted.items() if f not in there],
        ignore_conflicts=True,
    )
    return {name.casefold(): pk for pk, name in owned.values_list("pk", "name")}
