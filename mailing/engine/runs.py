"""When a run ends, and what follows for its mailing."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import translation
from django.utils.translation import gettext as _

from mailing.engine import faults, ledger
from mailing.engine.classify import Reply
from mailing.engine.faults import Point
from mailing.enums import OPEN_DELIVERIES, OPEN_RUNS, MailingStatus, RunStatus
from mailing.models import Batch, Delivery, Mailing, Run


def settle(run_id: int, now: datetime) -> bool:
    """Close the run if nothing in it is left to send; return whether this call closed it.

    I4: a run is finished if and only if none of its deliveries is open. That is a query; the one
    over batches before it only spares the big one while there is an obvious rest.
    """
    if Run.objects.filter(pk=run_id, status=RunStatus.CANCELLED).exists():
        with transaction.atomic():
            ledger.cancel_unarmed(run_id)  # what came back unsent after the run was cancelled
        return False
    unfinished_batch = Batch.objects.filter(run=OuterRef("pk"), done=False)
    if Run.objects.filter(Exists(unfinished_batch), pk=run_id).exists():
        return False
    open_delivery = Delivery.objects.filter(run=OuterRef("pk"), state__in=OPEN_DELIVERIES)
    with transaction.atomic():
        lock_mailing_of(run_id)
        closed = Run.objects.filter(
            ~Exists(unfinished_batch), ~Exists(open_delivery), pk=run_id, status=RunStatus.SENDING
        ).update(status=RunStatus.COMPLETED, finished_at=now)
        if closed:
            faults.point(Point.RUN_CLOSED)
            rest_mailing(Run.objects.values_list("mailing_id", flat=True).get(pk=run_id))
    return bool(closed)


def lock_mailing_of(run_id: int) -> None:
    """Whoever moves both a mailing and its run locks the mailing first, so that none deadlock."""
    mailings = Mailing.objects.filter(pk__in=Run.objects.filter(pk=run_id).values("mailing"))
    list(mailings.select_for_update(no_key=True).values_list("pk"))


def settle_all(now: datetime) -> None:
    """Settle what a sender should have settled that died after its last batch."""
    unfinished_batch = Batch.objects.filter(run=OuterRef("pk"), done=False)
    through = Run.objects.filter(~Exists(unfinished_batch), status=RunStatus.SENDING)
    came_back = Batch.objects.filter(done=False, lease_token=None, run__status=RunStatus.CANCELLED)
    for run_id in {*through.values_list("pk", flat=True), *came_back.values_list("run", flat=True)}:
        settle(run_id, now)


def pause_refused(run_id: int, refused: int, reply: Reply) -> None:
    """Pause a run and its mailing because the mail server takes none of its letters.

    Or because none could be composed, where `reply` has the code 0.
    """
    with transaction.atomic():
        mailing = Mailing.objects.select_related("owner").get(runs=run_id)
        with translation.override(mailing.owner.preferred_language):
            if reply.code:
                text = _(
                    "The mail server refused %(count)d letters in a row. Its last answer: "
                    "%(answer)s"
                )
            else:
                text = _("%(count)d letters in a row could not be composed: %(answer)s")
            answer = f"{reply.code or ''} {reply.enhanced} {reply.text}".strip()
            reason = text % {"count": refused, "answer": answer}
        Mailing.objects.active().filter(pk=mailing.pk).update(
            status=MailingStatus.PAUSED, reason=reason[:500]
        )
        Run.objects.filter(pk=run_id, status=RunStatus.SENDING).update(
            status=RunStatus.PAUSED, untold=True
        )


def rest_mailing(mailing_id: int) -> None:
    """Move a mailing whose run has ended: to scheduled if more dates follow, else to completed.

    A paused one stays paused while dates follow; without any there is nothing left to resume.
    """
    open_run = Run.objects.filter(mailing=OuterRef("pk"), status__in=OPEN_RUNS)
    resting = Mailing.objects.filter(~Exists(open_run), pk=mailing_id)
    resting.filter(
        next_due_at=None,
        status__in=(MailingStatus.SENDING, MailingStatus.SCHEDULED, MailingStatus.PAUSED),
    ).update(status=MailingStatus.COMPLETED)
    resting.filter(next_due_at__isnull=False, status=MailingStatus.SENDING).update(
        status=MailingStatus.SCHEDULED
    )
