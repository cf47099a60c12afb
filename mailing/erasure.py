"""Erases what the owner of a closed account had: clients, messages, mailings and their history.

In steps of a few thousand rows, each a transaction of its own, so that no sender waits for it. What
has happened is in the tables: whoever goes on after a crash finds what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from wagtail.models import ModelLogEntry

from accounts import refusals
from accounts.models import Erasure, User
from accounts.rows import NO_LABEL, delete_rows
from mailing.engine import ledger
from mailing.enums import RunStatus, run_sources
from mailing.models import (
    Batch,
    Client,
    ClientChange,
    ClientImport,
    ClientList,
    ClientTag,
    DailyGrowth,
    Delivery,
    HourlyCount,
    ImportFault,
    Mailing,
    Message,
    Run,
    Suppression,
)

STEP = 2000

# In the order of what points at what; a message is protected by its mailings, and an import is
# remembered by its clients.
_OWNED = (Client, HourlyCount, DailyGrowth, Mailing, Message, ClientList, ClientTag, ClientImport)
_ONLY_OWNERS_ACT_ON = (Client, ClientChange, ClientImport, ClientList, ClientTag, Message)

IsOver = Callable[[], bool]


def erase(erasure: Erasure, is_over: IsOver) -> bool:
    """Erase some of it; return whether nothing is left. Safe to call again and again."""
    owner = erasure.user
    _cancel_runs(owner)
    if Batch.objects.filter(run__mailing__owner=owner, lease_token__isnull=False).exists():
        return False  # replies to letters on the wire are still to be noted
    return (
        _keep_refusals(erasure, is_over)
        and _erase_letters(owner, is_over)
        and _erase(ImportFault.objects.filter(client_import__owner=owner), is_over)
        and all(_erase(model._default_manager.filter(owner=owner), is_over) for model in _OWNED)
        and _forget_in_log(owner)
    )


def _cancel_runs(owner: User) -> None:
    """End what is open for good. The mailings were paused when the account was closed."""
    now = timezone.now()
    for run in Run.objects.owned_by(owner).unfinished():
        with transaction.atomic():
            if Run.objects.filter(pk=run.pk, status__in=run_sources(RunStatus.CANCELLED)).update(
                status=RunStatus.CANCELLED, finished_at=now
            ):
                ledger.cancel_unarmed(run.pk)


def _keep_refusals(erasure: Erasure, is_over: IsOver) -> bool:
    """Leave fingerprints in the place of the addresses that must not be mailed."""
    suppressions = Suppression.objects.filter(owner=erasure.user)
    while rows := list(suppressions.order_by("email_normalized")[:STEP]):
        with transaction.atomic():
            refusals.keep(
                erasure.email, [(row.email_normalized, row.reason, row.created_at) for row in rows]
            )
            delete_rows(Suppression, [row.pk for row in rows])
        if is_over():
            return False
    return True


def _erase_letters(owner: User, is_over: IsOver) -> bool:
    """Erase deliveries and attempts run by run, as their indexes lie, then the runs."""
    for run_id in Run.objects.owned_by(owner).order_by("pk").values_list("pk", flat=True):
        if not _erase(Delivery.objects.filter(run=run_id).order_by("email_normalized"), is_over):
            return False
        with transaction.atomic():
            delete_rows(Run, [run_id])
    return True


def _forget_in_log(owner: User) -> bool:
    """Take the names of things from the log that were gone before the account was closed."""
    kinds = ContentType.objects.get_for_models(*_ONLY_OWNERS_ACT_ON).values()
    told = ModelLogEntry.objects.filter(user=owner.pk, content_type__in=list(kinds))
    told.exclude(label=NO_LABEL).update(label=NO_LABEL, data={})
    return True


def _erase(rows: QuerySet[Any], is_over: IsOver) -> bool:
    while ids := list(rows.values_list("pk", flat=True)[:STEP]):
        with transaction.atomic():
            delete_rows(rows.model, ids)
        if is_over():
            return False
    return True
