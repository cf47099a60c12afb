"""The front page of the admin: what is being sent, what comes next, and the first steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.admin.ui.components import Component

from mailing import heartbeat
from mailing.admin.results import results_of
from mailing.enums import OPEN_RUNS, MailingStatus
from mailing.models import Client, Mailing, Message, Run
from mailing.permissions import sees_every_owner

if TYPE_CHECKING:
    from mailing.permissions import Person

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One of the things to do before the first letter leaves; `done` is read from the data."""

    title: str
    text: str
    button: str
    url: str
    done: bool


class OverviewPanel(Component):
    """For those who have mailings to see: their own, or everybody's."""

    order = 50
    template_name = "mailing/admin/overview.html"

    def __init__(self, request: HttpRequest) -> None:
        self._user = request.user

    def get_context_data(self, parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        mailings = Mailing.objects.visible_to(self._user)
        runs = Run.objects.filter(mailing__in=mailings).select_related("mailing__owner")
        latest = mailings.with_latest_run().values("latest_run_id")
        return {
            "worker_runs": heartbeat.is_beating(timezone.now()),
            "steps": first_steps(self._user),
            "shows_owner": sees_every_owner(self._user),
            "now": results_of(runs.unfinished().order_by("-opened_at")[:_SHOWN]),
            "next": mailings.active()
            .exclude(next_due_at=None)
            .select_related("owner", "period")
            .order_by("next_due_at")[:_SHOWN],
            "lately": results_of(runs.filter(pk__in=latest).exclude(status__in=OPEN_RUNS)[:_SHOWN]),
        }


def first_steps(user: Person) -> list[Step]:
    """Return what is left to do until the first mailing, or nothing if it is done."""
    if not user.has_perm("mailing.add_mailing") or sees_every_owner(user):
        return []
    mailings = Mailing.objects.visible_to(user)
    steps = [
        Step(
            _("Add your clients"),
            _("The people you write to, each with an address and a name."),
            _("Add a client"),
            reverse("mailing_client_modeladmin_create"),
            Client.objects.visible_to(user).exists(),
        ),
        Step(
            _("Write a message"),
            _("A subject and a text, with pictures and buttons where you like."),
            _("Write a message"),
            reverse("mailing_message_modeladmin_create"),
            Message.objects.visible_to(user).exists(),
        ),
        Step(
            _("Set up a mailing"),
            _("Choose the message, the clients and the time, then start it."),
            _("Set up a mailing"),
            reverse("mailing_mailing_modeladmin_create"),
            mailings.exclude(status=MailingStatus.CREATED).exists(),
        ),
    ]
    return [] if all(step.done for step in steps) else steps
