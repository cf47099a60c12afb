"""Who works on an import: started once, leased to one worker at a time, ended once.

Each is one conditional UPDATE whose row count is the answer, as with mailings and their batches.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from wagtail.log_actions import log

from accounts.models import User
from mailing.enums import ImportState
from mailing.importing.limits import MOST_RUNNING
from mailing.importing.refusals import Refusal
from mailing.models import ClientImport

LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Job:
    """An import that this worker holds."""

    row: ClientImport
    token: uuid.UUID

    def update(self, **changes: Any) -> bool:
        """Change the row if it is still held, running, and where it was when it was read."""
        held = ClientImport.objects.filter(
            pk=self.row.pk,
            lease_token=self.token,
            state=ImportState.RUNNING,
            rows_done=self.row.rows_done,
        )
        return bool(held.update(**changes))


def has_room(owner_id: int) -> bool:
    """Return whether an owner may start one more import."""
    running = ClientImport.objects.filter(owner=owner_id, state=ImportState.RUNNING)
    return running.count() < MOST_RUNNING


def start(row: ClientImport, *, now: datetime) -> bool:
    """Start a draft; False if that was done before."""
    drafts = ClientImport.objects.filter(pk=row.pk, state=ImportState.DRAFT)
    return bool(
        drafts.update(
            state=ImportState.RUNNING, is_checked=not row.is_strict, started_at=now, updated_at=now
        )
    )


def cancel(row: ClientImport, *, now: datetime) -> bool:
    """End an import that is not finished; what is written stays. False if it has ended."""
    with transaction.atomic():
        unfinished = ClientImport.objects.filter(pk=row.pk).unfinished()
        if not unfinished.update(
            state=ImportState.CANCELLED,
            finished_at=now,
            lease_token=None,
            lease_until=None,
            file="",
        ):
            return False
        _write_down(row.pk)
        transaction.on_commit(lambda: _forget_file(row))
    return True


def cancel_all(owner: User, *, now: datetime) -> None:
    """End all imports of an owner who leaves; their files go with them."""
    for row in ClientImport.objects.filter(owner=owner).unfinished():
        cancel(row, now=now)


def claim(now: datetime) -> Job | None:
    """Lease the import that has waited longest; None if no one needs a worker."""
    for row in ClientImport.objects.waiting(now).order_by("updated_at", "pk")[:10]:
        job = Job(row, uuid.uuid4())
        free = ClientImport.objects.waiting(now).filter(pk=row.pk, attempts=row.attempts)
        if free.update(
            lease_token=job.token,
            lease_until=now + LEASE,
            attempts=F("attempts") + 1,
            updated_at=now,
        ):
            row.refresh_from_db()
            if row.attempts <= MOST_ATTEMPTS:
                return job
            finish(job, ImportState.FAILED, now=now, refusal=Refusal.STUMBLED)
    return None


def release(job: Job) -> None:
    """Let others go on. A lease that was taken over meanwhile stays with its holder."""
    ClientImport.objects.filter(pk=job.row.pk, lease_token=job.token).update(
        lease_token=None, lease_until=None
    )


def finish(job: Job, state: ImportState, *, now: datetime, refusal: str = "") -> bool:
    """End the import and let its file go. False if it is no longer held."""
    with transaction.atomic():
        if not job.update(
            state=state,
            refusal=refusal,
            finished_at=now,
            lease_token=None,
            lease_until=None,
            file="",
        ):
            return False
        _write_down(job.row.pk)
        transaction.on_commit(lambda: _forget_file(job.row))
    return True


def _write_down(pk: int) -> None:
    """Tell the log of an import that has ended, unless it has done nothing."""
    row = ClientImport.objects.select_related("owner").get(pk=pk)
    written = {"new": row.new, "changed": row.changed}
    if row.state == ImportState.COMPLETED or any(written.values()):
        log(instance=row, action="client.import", user=row.owner, data=written)


def _forget_file(row: ClientImport) -> None:
    if row.file.name:
        row.file.storage.delete(row.file.name)
