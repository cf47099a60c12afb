"""The front page of the admin: what is being sent, what comes next, and the first steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.ui.components import Component

from accounts.models import User
from mailing import heartbeat
from mailing.admin.results import results_of
from mailing.enums import ACTIVE_MAILINGS, OPEN_RUNS, MailingStatus, Outcome
from mailing.figures import sent_in
from mailing.models import Client, Mailing, Message, Run
from mailing.permissions import sees_every_owner
from mailing.span import last_days

if TYPE_CHECKING:
    from mailing.permissions import Person

_SHOWN = 5
_STEPS_ID = "mailing-first-steps"


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
        user = self._user
        mailings = Mailing.objects.visible_to(self._user)
        runs = Run.objects.filter(mailing__in=mailings).select_related("mailing__owner")
        latest = mailings.with_latest_run().values("latest_run_id")
        return {
            "worker_runs": heartbeat.is_beating(timezone.now()),
            "steps": [] if has_dismissed_steps(user) else first_steps(user),
            "steps_id": _STEPS_ID,
            "figures": figures_of(user),
            "attention": attention(user),
            "shows_owner": sees_every_owner(self._user),
            "now": results_of(runs.unfinished().order_by("-opened_at")[:_SHOWN]),
            "next": mailings.active()
            .exclude(next_due_at=None)
            .select_related("owner", "period")
            .order_by("next_due_at")[:_SHOWN],
            "lately": results_of(runs.filter(pk__in=latest).exclude(status__in=OPEN_RUNS)[:_SHOWN]),
        }


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that leads to its rows."""

    label: str
    number: int
    url: str
    tone: str


def figures_of(user: Person) -> list[Figure]:
    """Return the figures of the person's own rows; for those who see every owner, of all."""
    statuses = dict(
        Mailing.objects.visible_to(user).order_by().values_list("status").annotate(n=Count("pk"))
    )
    month = last_days(30, timezone.localdate(), timezone.get_current_timezone())
    sent = sent_in(user, month)
    mailings, clients, attempts = (
        reverse(f"mailing_{model}_modeladmin_index") for model in ("mailing", "client", "attempt")
    )
    active = sum(statuses.get(status, 0) for status in ACTIVE_MAILINGS)
    return [
        Figure(_("Mailings"), sum(statuses.values()), mailings, "grey"),
        Figure(_("Active mailings"), active, f"{mailings}?status=active", "teal"),
        Figure(_("Clients"), Client.objects.visible_to(user).order_by().count(), clients, "green"),
        Figure(
            _("Letters in 30 days"),
            sent.get(Outcome.ACCEPTED, 0),
            f"{attempts}?period={month}&outcome=accepted",
            "blue",
        ),
        Figure(
            _("Refused in 30 days"),
            sent.get(Outcome.PERMANENT, 0),
            f"{attempts}?period={month}&outcome=permanent",
            "red",
        ),
    ]


def attention(user: Person) -> list[tuple[str, str]]:
    """Return what a manager should look at, each with where; nothing for all others."""
    if not sees_every_owner(user):
        return []
    mailings = reverse("mailing_mailing_modeladmin_index")
    stopped = dict(
        Mailing.objects.visible_to(user)
        .filter(status__in=[MailingStatus.PAUSED, MailingStatus.DEACTIVATED])
        .order_by()
        .values_list("status")
        .annotate(n=Count("pk"))
    )
    # A closed one is being erased by itself.
    blocked = User.objects.filter(is_active=False, closed_at=None).count()
    found = []
    if n := stopped.get(MailingStatus.PAUSED):
        text = ngettext("%(n)d mailing is paused", "%(n)d mailings are paused", n)
        found.append((text % {"n": n}, f"{mailings}?status=paused"))
    if n := stopped.get(MailingStatus.DEACTIVATED):
        text = ngettext("%(n)d mailing is deactivated", "%(n)d mailings are deactivated", n)
        found.append((text % {"n": n}, f"{mailings}?status=deactivated"))
    if blocked:
        text = ngettext("%(n)d account is blocked", "%(n)d accounts are blocked", blocked)
        found.append((text % {"n": blocked}, reverse("wagtailusers_users:index")))
    return found


def has_dismissed_steps(user: Person) -> bool:
    """Return whether the person wants to see the first steps no more, as Wagtail keeps it."""
    profile = getattr(user, "wagtail_userprofile", None)
    return bool(profile and profile.dismissibles.get(_STEPS_ID))


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
