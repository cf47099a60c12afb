"""What an owner does to many clients at once: in batches, each in a transaction of its own.

A change is a row that says what is done to which clients and how far it is; so it goes on wherever
it was broken off, and two workers at the same one do no harm. What is done within a moment is told
at once, the rest is left to `tasks.change_clients`, and its owner is told on the next look at the
list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from random import SystemRandom

from django.db import transaction
from django.db.models import Count, Min, QuerySet
from django.utils import timezone
from wagtail.log_actions import log

from accounts.models import User
from mailing.engine import ledger, suppressions
from mailing.enums import ClientAction
from mailing.models import Client, ClientChange, ClientList, ClientTag
from mailing.models.client import MOST_TAGS
from mailing.selection import Selection

_BATCH = 1000
_LOOK_AHEAD = 20_000
_random = SystemRandom()
SLICE_SECONDS = 15.0

Result = tuple[int, int, int]
"""How many were changed, were so already, could not be changed."""


def begin(
    owner: User,
    action: ClientAction,
    selection: Selection,
    *,
    client_list: ClientList | None = None,
    tags: Iterable[str] = (),
) -> ClientChange:
    """Write down what is to be done to the owner's clients who are there now."""
    newest = Client.objects.owned_by(owner).order_by("-pk").values_list("pk", flat=True).first()
    return ClientChange.objects.create(
        owner=owner,
        action=action,
        selection=str(selection),
        client_list=client_list,
        tags="\n".join(tags),
        last_id=newest or 0,
    )


def go_on(change: ClientChange, *, seconds: float) -> bool:
    """Do what can be done in about so many seconds; return whether the change is finished."""
    until = time.monotonic() + seconds
    while not change.finished_at:
        clients = Selection.parse(change.selection).of(
            Client.objects.owned_by(change.owner), change.owner
        )
        ahead = clients.filter(pk__gt=change.upto, pk__lte=change.last_id).order_by("pk")
        ids = list(ahead.values_list("pk", flat=True)[:_LOOK_AHEAD])
        if not ids:
            _finish(change)
        for start in range(0, len(ids), _BATCH):
            if not _do(change, ids[start : start + _BATCH]):
                return True
            if time.monotonic() >= until:
                return False
    return True


def carry_on(seconds: float = SLICE_SECONDS) -> bool:
    """Go on with a change for a slice; return whether some are left.

    It is the oldest of an owner, and of any one: nobody waits for the million clients of another.
    """
    oldest = _waiting().order_by().values("owner").annotate(first=Min("pk"))
    chosen = [row["first"] for row in oldest]
    if chosen:
        changes = ClientChange.objects.filter(pk=_random.choice(chosen))
        for change in changes.select_related("owner"):
            go_on(change, seconds=seconds)
    return work_waits()


def work_waits() -> bool:
    return _waiting().exists()


def take_finished(owner: User) -> list[ClientChange]:
    """Return the changes that ended since the owner was told, for the last time."""
    finished = ClientChange.objects.filter(owner=owner, finished_at__isnull=False)
    told = list(finished.select_related("client_list").order_by("pk"))
    if told:
        ClientChange.objects.filter(pk__in=[change.pk for change in told]).delete()
    return told


def under_way(owner: User) -> list[ClientChange]:
    return list(_unfinished().filter(owner=owner).select_related("client_list"))


def give_up_all(owner: User) -> None:
    """Forget what an owner who leaves has begun; a batch under way is finished before."""
    ClientChange.objects.filter(owner=owner).delete()


def _unfinished() -> QuerySet[ClientChange]:
    return ClientChange.objects.filter(finished_at=None).order_by("pk")


def _waiting() -> QuerySet[ClientChange]:
    """Leave out what blocked people have begun: it waits, since they see none of their rows."""
    return _unfinished().filter(owner__is_active=True)


def _do(change: ClientChange, ids: list[int]) -> bool:
    """Change one batch; return False if somebody else has finished the change meanwhile."""
    with transaction.atomic():
        now_at = ClientChange.objects.select_for_update().filter(pk=change.pk, finished_at=None)
        current = now_at.first()
        if current is None:
            return False
        left = [pk for pk in ids if pk > current.upto]
        clients = Client.objects.owned_by(change.owner).filter(pk__in=left).order_by("pk")
        # Nobody may delete one of them before this is written.
        there = dict(clients.select_for_update(no_key=True).values_list("pk", "email_normalized"))
        if there:
            changed, unchanged, refused = _DEEDS[ClientAction(current.action)](current, there)
            current.changed += changed
            current.unchanged += unchanged
            current.refused += refused
        current.upto = max(ids[-1], current.upto)
        current.save(update_fields=["upto", "changed", "unchanged", "refused"])
    change.upto, change.changed = current.upto, current.changed
    change.unchanged, change.refused = current.unchanged, current.refused
    return True


def _finish(change: ClientChange) -> None:
    now = timezone.now()
    with transaction.atomic():
        if ClientChange.objects.filter(pk=change.pk, finished_at=None).update(finished_at=now):
            data = {"clients": change.changed, "refused": change.refused}
            log(
                instance=change,
                action=f"mailing.clients.{change.action}",
                user=change.owner,
                data=data,
            )
    change.finished_at = now


# --- What each action does to a batch of the owner's clients, by id and address -------------------


def _add(change: ClientChange, clients: dict[int, str]) -> Result:
    chosen = _locked_list(change)
    if chosen is None:
        return 0, 0, len(clients)
    memberships = ClientList.clients.through.objects
    there = set(
        memberships.filter(clientlist=chosen, client__in=clients).values_list("client", flat=True)
    )
    memberships.bulk_create(
        (
            ClientList.clients.through(clientlist_id=chosen.pk, client_id=pk)
            for pk in clients
            if pk not in there
        ),
        ignore_conflicts=True,
    )
    return len(clients) - len(there), len(there), 0


def _remove(change: ClientChange, clients: dict[int, str]) -> Result:
    memberships = ClientList.clients.through.objects.filter(client__in=clients)
    removed, _by_model = memberships.filter(clientlist=change.client_list_id).delete()
    return removed, len(clients) - removed, 0


def _locked_list(change: ClientChange) -> ClientList | None:
    lists = ClientList.objects.owned_by(change.owner).filter(pk=change.client_list_id)
    return lists.select_for_update(no_key=True).first()


def _tag(change: ClientChange, clients: dict[int, str]) -> Result:
    tags = tags_named(change.tags.splitlines(), owner=change.owner)
    marks = Client.tags.through.objects.filter(client__in=clients)
    worn: dict[int, set[int]] = {pk: set() for pk in clients}
    for client_id, tag_id in marks.values_list("client", "clienttag"):
        worn[client_id].add(tag_id)
    wanted = {tag.pk for tag in tags}
    full = {pk for pk, there in worn.items() if len(there | wanted) > max(MOST_TAGS, len(there))}
    missing = [(pk, t) for pk, there in worn.items() if pk not in full for t in wanted - there]
    Client.tags.through.objects.bulk_create(
        (Client.tags.through(client_id=pk, clienttag_id=tag_id) for pk, tag_id in missing),
        ignore_conflicts=True,
    )
    changed = len({pk for pk, _tag_id in missing})
    return changed, len(clients) - changed - len(full), len(full)


def _untag(change: ClientChange, clients: dict[int, str]) -> Result:
    there = _by_folded_name(change.owner)
    names = (name.casefold() for name in change.tags.splitlines())
    tags = [there[name].pk for name in names if name in there]
    marks = Client.tags.through.objects.filter(client__in=clients, clienttag__in=tags)
    changed = marks.aggregate(n=Count("client", distinct=True))["n"]
    marks.delete()
    return changed, len(clients) - changed, 0


def _exclude(change: ClientChange, clients: dict[int, str]) -> Result:
    addresses = list(clients.values())
    new = suppressions.exclude(owner_id=change.owner_id, addresses=addresses, now=timezone.now())
    return new, len(clients) - new, 0


def _readmit(change: ClientChange, clients: dict[int, str]) -> Result:
    """Only the owner's own exclusions are lifted; what others have said stays."""
    addresses = list(clients.values())
    lifted = suppressions.readmit(owner_id=change.owner_id, addresses=addresses)
    barred = suppressions.suppressed_among(owner_id=change.owner_id, addresses=addresses)
    return lifted, len(clients) - lifted - barred, barred


def _delete(change: ClientChange, clients: dict[int, str]) -> Result:
    ledger.cancel_for_clients(list(clients))
    Client.objects.filter(pk__in=clients).delete()
    return len(clients), 0, 0


_DEEDS: dict[ClientAction, Callable[[ClientChange, dict[int, str]], Result]] = {
    ClientAction.ADD: _add,
    ClientAction.REMOVE: _remove,
    ClientAction.TAG: _tag,
    ClientAction.UNTAG: _untag,
    ClientAction.EXCLUDE: _exclude,
    ClientAction.READMIT: _readmit,
    ClientAction.DELETE: _delete,
}


# --- Tags by name ---------------------------------------------------------------------------------


def tags_named(names: Iterable[str], *, owner: User) -> list[ClientTag]:
    """Return the owner's tags of these names, whatever their case; make those that are missing."""
    wanted = {name.casefold(): name for name in names}
    if not wanted:
        return []
    there = _by_folded_name(owner)
    missing = [name for folded, name in wanted.items() if folded not in there]
    ClientTag.objects.bulk_create(
        (ClientTag(owner=owner, name=name) for name in missing),
        ignore_conflicts=True,  # another request may make it at this moment
    )
    if missing:
        there = _by_folded_name(owner)
    return [there[folded] for folded in wanted if folded in there]


def _by_folded_name(owner: User) -> dict[str, ClientTag]:
    return {tag.name.casefold(): tag for tag in ClientTag.objects.owned_by(owner)}
