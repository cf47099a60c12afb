"""Lets go of files that nobody has decided on, and of reports of long ago."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from mailing.enums import ImportState
from mailing.importing import jobs
from mailing.importing.limits import KEEP_DRAFTS, KEEP_REPORTS, MOST_DRAFTS
from mailing.models import ClientImport, ImportFault
from mailing.models.importing import FOLDER

_STEP = 1_000


def forget(now: datetime) -> bool:
    """Forget a step of what is old; return whether more is left.

    An abandoned draft goes with its file. The report of an old import loses the lines, which are
    about people; its figures stay.
    """
    old = ClientImport.objects.filter(state=ImportState.DRAFT, created_at__lt=now - KEEP_DRAFTS)
    for draft in old[:_STEP]:
        _drop(draft, now)
    lines = ImportFault.objects.filter(client_import__finished_at__lt=now - KEEP_REPORTS)
    some = list(lines.values_list("pk", flat=True)[:_STEP])
    ImportFault.objects.filter(pk__in=some).delete()
    return len(some) == _STEP or old.exists()


def sweep_files(now: datetime) -> None:
    """Delete old files that no import has: of a deleted owner, or of a request that failed."""
    storage = ClientImport._meta.get_field("file").storage
    try:
        _folders, names = storage.listdir(FOLDER)
    except FileNotFoundError:
        return  # nobody has imported anything
    for name in names:
        path = f"{FOLDER}/{name}"
        if not ClientImport.objects.filter(file=path).exists():
            with suppress(FileNotFoundError):  # deleted by somebody else
                if storage.get_modified_time(path) < now - KEEP_DRAFTS:
                    storage.delete(path)


def make_room(owner_id: int, now: datetime) -> None:
    """Drop the oldest drafts of an owner, so that one more may be kept."""
    drafts = ClientImport.objects.filter(owner=owner_id, state=ImportState.DRAFT)
    for draft in drafts.order_by("-pk")[MOST_DRAFTS - 1 :]:
        _drop(draft, now)


def _drop(draft: ClientImport, now: datetime) -> None:
    if jobs.cancel(draft, now=now):  # not one that has just been started
        draft.delete()
