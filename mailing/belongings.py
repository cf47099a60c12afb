"""What an owner has, for the copy that everybody may take along (`accounts.portability`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from accounts.models import User
from accounts.portability import STEP, in_steps
from mailing.events import own_events
from mailing.models import (
    Attempt,
    Client,
    ClientImport,
    ClientList,
    ClientTag,
    Delivery,
    ImportFault,
    Mailing,
    Message,
    Run,
    Suppression,
)

Rows = Iterator[dict[str, Any]]

_CLIENT = (
    "email",
    "first_name",
    "middle_name",
    "last_name",
    "phone",
    "language",
    "comment",
    "created_at",
    "updated_at",
)


def _clients(owner: User) -> Rows:
    """Yield clients with the ids of their lists and tags."""
    last = 0
    clients = Client.objects.filter(owner=owner).order_by("pk")
    while rows := list(clients.filter(pk__gt=last).values("pk", *_CLIENT)[:STEP]):
        last = rows[-1]["pk"]
        ids = [row["pk"] for row in rows]
        lists = _by_client(Client.lists.through, "clientlist_id", ids)
        tags = _by_client(Client.tags.through, "clienttag_id", ids)
        for row in rows:
            yield row | {"lists": lists[row["pk"]], "tags": tags[row["pk"]]}


def _by_client(through: Any, other: str, ids: list[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for client, target in through.objects.filter(client_id__in=ids).values_list("client_id", other):
        found[client].append(target)
    return found


def _lists(owner: User) -> Rows:
    return in_steps(
        ClientList.objects.filter(owner=owner), "name", "description", "created_at", "updated_at"
    )


def _tags(owner: User) -> Rows:
    return in_steps(ClientTag.objects.filter(owner=owner), "name")


def _messages(owner: User) -> Rows:
    for row in in_steps(
        Message.objects.filter(owner=owner),
        *("subject", "preheader", "language", "body", "created_at", "updated_at"),
    ):
        yield row | {"body": list(row["body"].raw_data)}


def _mailings(owner: User) -> Rows:
    """Yield all of them, also those that the owner has deleted: their history is kept."""
    for mailing in Mailing.objects.filter(owner=owner).order_by("pk").select_related("period"):
        yield {
            "pk": mailing.pk,
            "name": mailing.name,
            "message": mailing.message_id,
            "interval": str(mailing.period),
            "lists": list(mailing.lists.values_list("pk", flat=True)),
            "clients": list(mailing.clients.values_list("pk", flat=True)),
            **{
                name: getattr(mailing, name)
                for name in (
                    "starts_at",
                    "ends_at",
                    "max_runs",
                    "weekdays",
                    "window_from",
                    "window_until",
                    "time_zone",
                    "status",
                    "reason",
                    "created_at",
                    "deleted_at",
                )
            },
        }


def _runs(owner: User) -> Rows:
    return in_steps(
        Run.objects.owned_by(owner),
        *("mailing", "due_at", "status", "opened_at", "finished_at", "audience_size"),
        *("subject", "html", "text", "sender_name", "reply_to"),
    )


def _deliveries(owner: User) -> Rows:
    """Yield letters with their attempts, run by run in the order of addresses, as indexes lie."""
    for run_id in Run.objects.owned_by(owner).order_by("pk").values_list("pk", flat=True):
        last = ""
        letters = Delivery.objects.filter(run=run_id).order_by("email_normalized")
        while rows := list(
            letters.filter(email_normalized__gt=last).values(
                *("pk", "run", "client", "email", "email_normalized"),
                *("state", "attempts", "last_code", "last_reply"),
            )[:STEP]
        ):
            last = rows[-1]["email_normalized"]
            log = _attempts([row["pk"] for row in rows])
            for row in rows:
                del row["email_normalized"]
                yield row | {"log": log[row["pk"]]}


def _attempts(deliveries: list[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    rows = Attempt.objects.filter(delivery__in=deliveries).order_by("delivery", "number")
    for row in rows.values(
        "delivery", "number", "at", "outcome", "stage", "code", "enhanced", "reply"
    ):
        found[row.pop("delivery")].append(row)
    return found


def _suppressions(owner: User) -> Rows:
    suppressions = Suppression.objects.filter(owner=owner)
    return in_steps(suppressions, "email_normalized", "reason", "created_at")


def _imports(owner: User) -> Rows:
    return in_steps(
        ClientImport.objects.filter(owner=owner),
        *("name", "format", "state", "created_at", "started_at", "finished_at", "tags"),
        *("total", "new", "changed", "unchanged", "repeated", "suppressed", "faulty"),
    )


def _faulty_lines(owner: User) -> Rows:
    """Yield import by import, as their index lies."""
    for pk in ClientImport.objects.filter(owner=owner).order_by("pk").values_list("pk", flat=True):
        yield from in_steps(
            ImportFault.objects.filter(client_import=pk),
            *("client_import", "line", "column", "reason", "cells"),
        )


def _log(owner: User) -> Rows:
    """Yield what the event log shows to an owner, also to one who is a manager and sees more."""
    return in_steps(
        own_events(owner), "timestamp", "action", "content_type__model", "label", "data"
    )


SECTIONS = {
    "clients": _clients,
    "client-lists": _lists,
    "tags": _tags,
    "messages": _messages,
    "mailings": _mailings,
    "runs": _runs,
    "letters": _deliveries,
    "suppressions": _suppressions,
    "imports": _imports,
    "faulty-lines": _faulty_lines,
    "log": _log,
}
