"""From the blogger to the public: the mails of a review, and posts that wait for their hour."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from wagtail.admin.mail import (
    GroupApprovalTaskStateSubmissionEmailNotifier,
    WorkflowStateApprovalEmailNotifier,
    WorkflowStateRejectionEmailNotifier,
)
from wagtail.models import Page, Revision, TaskState

from accounts import mail
from accounts.models import User

logger = logging.getLogger(__name__)


# --- Mails ----------------------------------------------------------------------------------------


class _Queued:
    """Queues a mail for each recipient in place of sending it within the request.

    Whom it goes to, and whether they want it, is up to Wagtail.
    """

    template = ""

    def facts(self, context: dict[str, Any], reader: User) -> dict[str, Any]:
        """Return what the mail says, as plain values in the reader's language."""
        page = context["page"]
        path = reverse("wagtailadmin_pages:edit", args=[page.pk])
        return {"title": page.get_admin_display_title(), "url": settings.SITE_URL + path}

    def send_notifications(
        self, template_set: Any, context: dict[str, Any], recipients: Iterable[User], **_: Any
    ) -> bool:
        if "page" not in context:
            return False
        for reader in recipients:
            with translation.override(reader.preferred_language):
                facts = self.facts(context, reader)
            mail.notify(
                reader,
                template=f"blog/email/{self.template}",
                context=facts,
                now=timezone.now(),
            )
        return True


class Submitted(_Queued, GroupApprovalTaskStateSubmissionEmailNotifier):
    """To each manager: a post waits for a review."""

    template = "post_submitted"

    def get_context(self, task_state: TaskState, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(task_state, **kwargs)
        return {**context, "author": task_state.workflow_state.requested_by}

    def facts(self, context: dict[str, Any], reader: User) -> dict[str, Any]:
        page = context["page"]
        compare = ""
        if page.live:
            path = reverse("wagtailadmin_pages:revisions_compare", args=[page.pk, "live", "latest"])
            compare = settings.SITE_URL + path
        author = context["author"].get_full_name() if context["author"] else ""
        return {**super().facts(context, reader), "author": author, "compare_url": compare}


class SentBack(_Queued, WorkflowStateRejectionEmailNotifier):
    """To the blogger: what a manager wants changed."""

    template = "post_sent_back"

    def facts(self, context: dict[str, Any], reader: User) -> dict[str, Any]:
        return {**super().facts(context, reader), "comment": context["comment"]}


class Approved(_Queued, WorkflowStateApprovalEmailNotifier):
    """To the blogger: the post is public, or will be at its hour."""

    template = "post_approved"

    def facts(self, context: dict[str, Any], reader: User) -> dict[str, Any]:
        facts = super().facts(context, reader)
        page = Page.objects.get(pk=context["page"].pk)  # as approving has left it
        scheduled = page.scheduled_revision
        if scheduled is not None:
            local = scheduled.approved_go_live_at.astimezone(reader.time_zone)
            facts |= {"date": date_format(local, "j E Y, H:i"), "zone": str(reader.time_zone)}
        elif page.live:
            facts["url"] = settings.SITE_URL + (page.get_url() or "/")
        return facts


submitted = Submitted()
sent_back = SentBack()
approved = Approved()


# --- Posts that wait for their hour ---------------------------------------------------------------


def keep_dates(now: datetime) -> int:
    """Publish what was approved for a moment that has come, take back what is over.

    Return how many pages changed. Safe in many processes at once: each page is looked at again
    under a lock. What fails is left for the next time, and keeps nothing else from its hour.
    """
    over = Page.objects.filter(live=True, expire_at__lte=now).order_by("expire_at")
    due = Revision.objects.filter(approved_go_live_at__lte=now).order_by("approved_go_live_at")
    changed = 0
    for pk in list(over.values_list("pk", flat=True)):
        changed += _try(_take_back, pk, now)
    for pk in list(due.values_list("pk", flat=True)):
        changed += _try(_publish, pk, now)
    return changed


def _try(change: Callable[[int, datetime], bool], pk: int, now: datetime) -> bool:
    try:
        with transaction.atomic():
            return change(pk, now)
    except Exception:  # whatever is wrong with this post, the others have their hour too
        logger.exception("a post could not keep its date (%s %s)", change.__name__, pk)
        return False


def _take_back(pk: int, now: datetime) -> bool:
    page = Page.objects.select_for_update().filter(pk=pk, live=True, expire_at__lte=now).first()
    if page is None:
        return False
    page.specific.unpublish(set_expired=True, log_action="wagtail.unpublish.scheduled")
    return True


def _publish(pk: int, now: datetime) -> bool:
    due = Revision.objects.select_for_update().filter(pk=pk, approved_go_live_at__lte=now)
    revision = due.first()
    if revision is None:
        return False
    revision.publish(log_action="wagtail.publish.scheduled")
    return True
