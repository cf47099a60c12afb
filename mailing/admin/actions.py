"""What can be done with a mailing beside editing; each asks on its own page, and a POST acts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin import messages
from wagtail_modeladmin.views import InstanceSpecificView

from accounts.models import User
from mailing import lifecycle, tasks
from mailing.admin.clock import wall_clock
from mailing.admin.owned import BreadcrumbsMixin
from mailing.admin.recipients import audiences_shown, audiences_url
from mailing.enums import (
    ACTIVE_MAILINGS,
    UNSENT_RUNS,
    DeliveryState,
    MailingStatus,
    RunStatus,
)
from mailing.models import Mailing, Run
from mailing.permissions import may_change
from mailing.statistics import LARGE, tally

Act = Callable[[Mailing, User, dict[str, Any], datetime], str]


@dataclass(frozen=True, slots=True)
class Action:
    """`label` is on the buttons, `question` on the page; `act` returns what was done, in words."""

    name: str
    label: Promise
    question: Promise
    icon: str
    allowed: Callable[[Mailing, User], bool]
    act: Act
    needs_reason: bool = False
    primary: bool = False
    harmful: bool = False
    counted: Callable[[Mailing], str] | None = None
    """The label with the number of letters it is about."""

    def label_for(self, mailing: Mailing) -> str:
        return self.counted(mailing) if self.counted else str(self.label)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The owner of the mailing will read it."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ActionView(BreadcrumbsMixin, InstanceSpecificView):
    """Shows what will happen; acts on POST."""

    action: Action = None  # type: ignore[assignment] # as_view takes only what the class has
    template_name = "mailing/admin/action.html"

    def __init__(self, model_admin: Any, instance_pk: str, action: Action) -> None:
        super().__init__(model_admin, instance_pk)
        self.action = action

    def check_action_permitted(self, user: Any) -> bool:
        return self.action.allowed(self.instance, user)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.check_action_permitted(request.user):
            # Visible, but not to be done by this person or not now: say so, do not hide it.
            messages.error(request, _("This cannot be done with the mailing now."))
            return HttpResponseRedirect(self._page_url())
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def last_crumbs(self) -> list[dict[str, str]]:
        return [
            {"url": self._page_url(), "label": str(self.instance)},
            {"url": "", "label": self.action.label_for(self.instance)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mailing = self.instance
        audience = audiences_shown([mailing.pk])[mailing.pk]
        return super().get_context_data(
            **{
                "action": self.action,
                "label": self.action.label_for(mailing),
                "form": ReasonForm() if self.action.needs_reason else None,
                "form_key": uuid.uuid4(),
                "audience": audience,
                "figures_url": audiences_url([audience]),
                "page_url": self._page_url(),
                **kwargs,
            }
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        data: dict[str, Any] = {"form_key": request.POST.get("form_key", "")}
        if self.action.needs_reason:
            form = ReasonForm(request.POST)
            if not form.is_valid():
                response: HttpResponse = self.render_to_response(self.get_context_data(form=form))
                return response
            data |= form.cleaned_data
        assert isinstance(request.user, User)  # noqa: S101 - dispatch asks for a log-in
        try:
            done = self.action.act(self.instance, request.user, data, timezone.now())
        except lifecycle.NotNow as reason:
            messages.error(request, str(reason))
        else:
            if done:
                messages.success(request, done)
        return HttpResponseRedirect(self._next_url(data))

    def _next_url(self, data: dict[str, Any]) -> str:
        copy = data.get("copy")
        if copy is not None:
            url: str = reverse("mailing_mailing_modeladmin_edit", args=[copy.pk])
            return url
        return self._page_url()

    def _page_url(self) -> str:
        url: str = self.url_helper.get_action_url("inspect", self.pk_quoted)
        return url


def available_actions(mailing: Mailing, user: User) -> list[Action]:
    """Return what this person may do with the mailing now, the main thing first."""
    return [action for action in ACTIONS.values() if action.allowed(mailing, user)]


# --- What each does -------------------------------------------------------------------------------


def _start(mailing: Mailing, by: User, data: dict[str, Any], now: datetime) -> str:
    lifecycle.start(mailing, by=by, now=now)
    first = mailing.next_due_at
    return _("The mailing is scheduled. First sending: %(date)s (%(zone)s).") % {
        "date": wall_clock(first, mailing.time_zone) if first else "",
        "zone": mailing.time_zone,
    }


def _send_now(mailing: Mailing, by: User, data: dict[str, Any], now: datetime) -> str:
    try:
        key = uuid.UUID(data["form_key"])
    except ValueError as error:
        raise lifecycle.NotNow(
            _("The form was damaged on its way. Press the button again.")
        ) from error
    run = lifecycle.send_now(mailing, form_key=key, by=by, now=now)
    transaction.on_commit(tasks.wake_senders, robust=True)
    if run is None:
        return _("This was sent already; pressing twice sends once.")
    return ngettext(
        "The letter to %(count)d client is on its way.",
        "The letters to %(count)d clients are on their way.",
        run.audience_size,
    ) % {"count": run.audience_size}


def _pause(mailing: Mailing, by: User, data: dict[str, Any], now: datetime) -> str:
    lifecycle.pause(mailing, by=by)
    return _("The mailing is paused.")


def _resume(mailing: Mailing, by: User, data: dict[str, Any], now: datetime) -> str:
    lifecycle.resume(mailing, by=by, now=now)
    transaction.on_commit(tasks.wake_senders, robust=True)
    return _("The mailing goes on.")


def _deactivate(mailing: Mailing, by: User, data: dict[str, Any], now: datetime) -> str:
    lifecycle.deactivate(mailing, by=by, reason=data["reason"], now=now)
    return _("The mailing is deactivated.")


def _lift(mailing: Mailing, by: User, data: dict[str, Any], now: datetime) -> str:
    lifecycle.lift(mailing, by=by, now=now)
    if mailing.status == MailingStatus.COMPLETED:
        return _("The deactivation is lifted; the mailing has no dates left and is completed.")
    return _("The deactivation is lifted; the owner may resume the mailing.")


def _cancel(mailing: Mailing, by: User, data: dict[str, Any], now: datetime) -> str:
    run = mailing.runs.unfinished().first()
    if run is None:
        raise lifecycle.NotNow(_("No run of this mailing is under way."))
    lifecycle.cancel_run(run, by=by, now=now)
    return _("The run is cancelled.")


def _again(*states: DeliveryState) -> Act:
    def act(mailing: Mailing, by: User, data: dict[str, Any], now: datetime) -> str:
        run = _last_run(mailing)
        if run is None:
            raise lifecycle.NotNow(_("Nothing has been sent yet."))
        again = lifecycle.send_again(run, states, by=by, now=now)
        transaction.on_commit(tasks.wake_senders, robust=True)
        return ngettext(
            "%(count)d letter is sent again.", "%(count)d letters are sent again.", again
        ) % {"count": again}

    return act


def _failed_label(mailing: Mailing) -> str:
    number = _may_get_again(mailing, DeliveryState.FAILED)
    text = ngettext("Retry %(count)d failed", "Retry %(count)d failed", number)
    return text % {"count": number}


def _unknown_label(mailing: Mailing) -> str:
    number = _may_get_again(mailing, DeliveryState.UNKNOWN)
    text = ngettext(
        "Send again to this %(count)d unknown", "Send again to these %(count)d unknown", number
    )
    return text % {"count": number}


def _may_get_again(mailing: Mailing, state: DeliveryState) -> int:
    run = _last_run(mailing)
    if run is None:
        return 0
    if run.audience_size >= LARGE:
        return tally(run).states.get(state, 0)
    return run.deliveries.filter(state=state, client__isnull=False).count()


def _duplicate(mailing: Mailing, by: User, data: dict[str, Any], now: datetime) -> str:
    data["copy"] = lifecycle.duplicate(mailing, by=by, now=now)
    return _("This is the copy. Check its dates before you start it.")


def _last_run(mailing: Mailing) -> Run | None:
    return mailing.runs.exclude(status__in=UNSENT_RUNS).first()


# --- Who may, and when ----------------------------------------------------------------------------


def _own(*statuses: MailingStatus) -> Callable[[Mailing, User], bool]:
    def allowed(mailing: Mailing, user: User) -> bool:
        return (
            mailing.status in statuses
            and may_change(user, mailing)
            and user.has_perm("mailing.change_mailing")
        )

    return allowed


def _may_send_now(mailing: Mailing, user: User) -> bool:
    if mailing.period.is_once:
        return _own(MailingStatus.CREATED, MailingStatus.SCHEDULED)(mailing, user)
    return _own(MailingStatus.SCHEDULED)(mailing, user)


def _may_deactivate(mailing: Mailing, user: User) -> bool:
    stoppable = {*ACTIVE_MAILINGS, MailingStatus.PAUSED}
    return mailing.status in stoppable and user.has_perm("mailing.deactivate_mailing")


def _may_lift(mailing: Mailing, user: User) -> bool:
    return mailing.status == MailingStatus.DEACTIVATED and user.has_perm(
        "mailing.deactivate_mailing"
    )


def _may_send_again(state: DeliveryState) -> Callable[[Mailing, User], bool]:
    def allowed(mailing: Mailing, user: User) -> bool:
        if not _own(MailingStatus.SENDING, MailingStatus.SCHEDULED, MailingStatus.COMPLETED)(
            mailing, user
        ):
            return False
        run = _last_run(mailing)
        return (
            run is not None
            and run.status in {RunStatus.SENDING, RunStatus.COMPLETED}
            # Looking for what is not there goes through all the rows of a run.
            and (run.audience_size < LARGE or state in tally(run).states)
            and run.deliveries.filter(state=state, client__isnull=False).exists()
        )

    return allowed


def _may_cancel(mailing: Mailing, user: User) -> bool:
    stoppable = _own(MailingStatus.SENDING, MailingStatus.PAUSED)
    return stoppable(mailing, user) and mailing.runs.unfinished().exists()


def _may_duplicate(mailing: Mailing, user: User) -> bool:
    return may_change(user, mailing) and user.has_perm("mailing.add_mailing")


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action(
            name="start",
            label=gettext_lazy("Start"),
            question=gettext_lazy("Put this mailing on its schedule?"),
            icon="play",
            allowed=_own(MailingStatus.CREATED),
            act=_start,
            primary=True,
        ),
        Action(
            name="pause",
            label=gettext_lazy("Pause"),
            question=gettext_lazy("Pause this mailing? Letters that are on the wire still leave."),
            icon="pause",
            allowed=_own(MailingStatus.SCHEDULED, MailingStatus.SENDING),
            act=_pause,
            primary=True,
        ),
        Action(
            name="resume",
            label=gettext_lazy("Resume"),
            question=gettext_lazy("Go on with this mailing? Dates that have passed are left out."),
            icon="play",
            allowed=_own(MailingStatus.PAUSED),
            act=_resume,
            primary=True,
        ),
        Action(
            name="send_now",
            label=gettext_lazy("Send now"),
            question=gettext_lazy("Send this mailing at once, without waiting for its date?"),
            icon="send",
            allowed=_may_send_now,
            act=_send_now,
        ),
        Action(
            name="retry_failed",
            label=gettext_lazy("Retry the failed"),
            question=gettext_lazy("Send the letters that were refused again?"),
            icon="rotate-cw",
            allowed=_may_send_again(DeliveryState.FAILED),
            act=_again(DeliveryState.FAILED),
            counted=_failed_label,
        ),
        Action(
            name="send_unknown",
            label=gettext_lazy("Send the unknown again"),
            question=gettext_lazy(
                "These clients may have got the letter already. Send it to them again?"
            ),
            icon="rotate-cw",
            allowed=_may_send_again(DeliveryState.UNKNOWN),
            act=_again(DeliveryState.UNKNOWN),
            counted=_unknown_label,
        ),
        Action(
            name="duplicate",
            label=gettext_lazy("Duplicate"),
            question=gettext_lazy("Make a new mailing with the same content?"),
            icon="copy",
            allowed=_may_duplicate,
            act=_duplicate,
        ),
        Action(
            name="cancel",
            label=gettext_lazy("Cancel the run"),
            question=gettext_lazy(
                "End this run for good? Letters that have not left are cancelled."
            ),
            icon="ban",
            allowed=_may_cancel,
            act=_cancel,
            harmful=True,
        ),
        Action(
            name="deactivate",
            label=gettext_lazy("Deactivate"),
            question=gettext_lazy("Stop this mailing? Only a manager can lift that."),
            icon="octagon-x",
            allowed=_may_deactivate,
            act=_deactivate,
            needs_reason=True,
            harmful=True,
        ),
        Action(
            name="lift",
            label=gettext_lazy("Lift the deactivation"),
            question=gettext_lazy("Let the owner resume this mailing?"),
            icon="play",
            allowed=_may_lift,
            act=_lift,
            primary=True,
        ),
    )
}
