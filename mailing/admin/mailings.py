"""Screens for mailings: the form, the page that watches over a run, and the list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, re_path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_safe
from wagtail.admin import messages
from wagtail.admin.auth import permission_denied
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.log_actions import registry as log_registry
from wagtail_modeladmin.views import InstanceSpecificView

from mailing import lifecycle
from mailing.admin.actions import ACTIONS, ActionView, available_actions
from mailing.admin.chips import status_chip
from mailing.admin.clock import dates_on_the_wall, wall_clock
from mailing.admin.filters import OwnerFilter
from mailing.admin.listing import MailingIndexView, StatusTabs
from mailing.admin.owned import (
    OwnedDeleteView,
    OwnedEditView,
    OwnedInspectView,
    OwnedModelAdmin,
    OwnedPermissionHelper,
)
from mailing.admin.progress import progress_of
from mailing.admin.recipients import (
    AudienceShown,
    ReachPanel,
    audiences_shown,
    audiences_url,
    audiences_view,
    reach_view,
)
from mailing.admin.results import results_of
from mailing.admin.schedules import DATES_SHOWN, DatesPanel, ScheduleForm, preview_of
from mailing.admin.widgets import ChipSelect, ChoicesField, ClientChoice
from mailing.admin.wording import wording_of
from mailing.enums import MailingStatus
from mailing.models import ClientList, Mailing
from mailing.pages import MAILINGS
from mailing.sentences import schedule_phrase, window_sentence
from site_project.page_cache import ManagedCachedMixin

_EDITABLE = frozenset(
    {
        MailingStatus.CREATED,
        MailingStatus.SCHEDULED,
        MailingStatus.SENDING,
        MailingStatus.PAUSED,
    }
)
_RUNS_SHOWN = 20
_EVENTS_SHOWN = 30


class MailingPermissionHelper(OwnedPermissionHelper):
    def user_can_edit_obj(self, user: Any, obj: Any) -> bool:
        return super().user_can_edit_obj(user, obj) and obj.status in _EDITABLE


class MailingForm(ScheduleForm):
    class Media:
        js = ("js/reach.js",)

    class Meta:
        widgets = {"lists": ChipSelect, "clients": ClientChoice}
        field_classes = {"lists": ChoicesField, "clients": ChoicesField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["message"].empty_label = _("Choose a message")
        if not self.fields["lists"].queryset.exists():
            self.fields["lists"].help_text = _("You have no client lists yet.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self._check_audience(cleaned)
        return cleaned

    def _check_audience(self, cleaned: dict[str, Any]) -> None:
        lists, clients = cleaned.get("lists"), cleaned.get("clients")
        if lists is None or clients is None or clients:
            return
        if not lists:
            self.add_error("lists", _("Choose at least one client list or one client."))
        elif not ClientList.clients.through.objects.filter(clientlist__in=lists).exists():
            self.add_error("lists", _("Nobody is in these lists yet. Add clients first."))

    def save(self, commit: bool = True) -> Mailing:
        mailing: Mailing = super().save(commit=commit)
        if commit and (self.changes_schedule or not mailing.has_been_sent_once):
            lifecycle.reschedule(mailing, now=timezone.now())
        return mailing


class MailingEditView(OwnedEditView):
    def notice(self) -> str:
        if not self.instance.runs.unfinished().exists():
            return ""
        return _(
            "A run of this mailing is under way. It keeps the message and the clients that it "
            "opened with; other ones count from the next run. Changed hours count at once."
        )


class MailingInspectView(ManagedCachedMixin, OwnedInspectView):
    managed_cache = MAILINGS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mailing, now = self.instance, timezone.now()
        dates: list[datetime] = []
        if mailing.is_active or mailing.status in {MailingStatus.CREATED, MailingStatus.PAUSED}:
            dates = mailing.dates_to_come(now, DATES_SHOWN)
        audience = audiences_shown([mailing.pk])[mailing.pk]
        return super().get_context_data(
            **kwargs,
            mailing=mailing,
            chip=status_chip(MailingStatus(mailing.status)),
            audience=audience,
            figures_url=audiences_url([audience]),
            dates=dates_on_the_wall(dates),
            schedule=schedule_phrase(mailing.schedule),
            hours=window_sentence(mailing.window) if mailing.window else "",
            actions=[
                (action, action.label_for(mailing))
                for action in available_actions(mailing, self.request.user)
            ],
            events=self._events(),
            progress=progress_of(mailing, now),
            progress_url=self.url_helper.get_action_url("progress", self.pk_quoted),
            results=results_of(mailing.runs.all()[:_RUNS_SHOWN]),
        )

    def _events(self) -> list[tuple[Any, str]]:
        """Return the entries of the log in our words; Wagtail's do not know a mailing's gender."""
        words = {
            "wagtail.create": pgettext("event log", "Created"),
            "wagtail.edit": pgettext("event log", "Edited"),
        }
        entries = log_registry.get_logs_for_instance(self.instance).select_related("user")
        return [(e, words.get(e.action, str(e.message))) for e in entries[:_EVENTS_SHOWN]]


class ProgressView(InstanceSpecificView):
    """The part of the page that moves, for the poll."""

    template_name = "mailing/admin/progress.html"

    def check_action_permitted(self, user: Any) -> bool:
        allowed: bool = self.permission_helper.user_can_inspect_obj(user, self.instance)
        return allowed

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            mailing=self.instance,
            progress=progress_of(self.instance, timezone.now()),
        )


class MailingDeleteView(OwnedDeleteView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Not the stock one, which would write a second entry into the event log.
        lifecycle.delete(self.instance, by=self.request.user, now=timezone.now())
        messages.success(request, str(wording_of(Mailing).deleted) % {"name": self.instance})
        return HttpResponseRedirect(self.index_url)


class MailingAdmin(OwnedModelAdmin):
    model = Mailing
    menu_label = gettext_lazy("Mailings")
    menu_item_name = "mailings"  # not the label in the language of the first visitor
    menu_icon = "paper-plane"
    menu_order = 100
    add_label = gettext_lazy("Set up a mailing")
    delete_warning = gettext_lazy(
        "A run that is under way is cancelled. What has been sent stays in the list of attempts."
    )
    opens_page = True
    list_per_page = 25  # each counts whom it reaches and what came of its last run
    list_display = ("name", "state", "audience", "next_sending", "last_result")
    list_filter = (StatusTabs, OwnerFilter)
    list_export = ("name", "status", "starts_at", "next_due_at", "created_at")
    export_filename = "mailings"
    search_fields = ("name", "message__subject")
    permission_helper_class = MailingPermissionHelper
    index_view_class = MailingIndexView
    index_template_name = "mailing/admin/mailing_index.html"
    inspect_view_class = MailingInspectView
    inspect_template_name = "mailing/admin/mailing_inspect.html"
    edit_view_class = MailingEditView
    delete_view_class = MailingDeleteView
    edit_handler = ObjectList(
        [
            FieldPanel("name"),
            FieldPanel("message"),
            MultiFieldPanel(
                [FieldPanel("lists"), FieldPanel("clients"), ReachPanel()],
                heading=gettext_lazy("To whom"),
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("period"), FieldPanel("time_zone")]),
                    FieldPanel("starts_at"),
                    FieldPanel("weekdays"),
                    FieldRowPanel([FieldPanel("ends_at"), FieldPanel("max_runs")]),
                    FieldRowPanel([FieldPanel("window_from"), FieldPanel("window_until")]),
                    DatesPanel(),
                ],
                heading=gettext_lazy("When"),
            ),
        ],
        base_form_class=MailingForm,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mailing]:
        mailings = super().get_queryset(request).with_latest_run()
        return mailings.select_related("period", "message", "owner")

    def state(self, mailing: Mailing) -> SafeString:
        return status_chip(MailingStatus(mailing.status))

    state.short_description = gettext_lazy("status")  # type: ignore[attr-defined]
    state.admin_order_field = "status"  # type: ignore[attr-defined]

    def audience(self, mailing: Mailing) -> SafeString:
        shown: AudienceShown = mailing.audience  # type: ignore[attr-defined] # set by the list
        return shown.figure("mailed")

    audience.short_description = gettext_lazy("clients")  # type: ignore[attr-defined]

    def next_sending(self, mailing: Mailing) -> SafeString | str:
        if mailing.status == MailingStatus.CREATED:
            return _("Not started")
        if mailing.next_due_at is None or not mailing.is_active:
            return ""
        return format_html(
            '<div><time datetime="{}">{}</time><br><span class="ms-meta">{}</span></div>',
            mailing.next_due_at.isoformat(),
            wall_clock(mailing.next_due_at, mailing.time_zone),
            mailing.time_zone,
        )

    next_sending.short_description = gettext_lazy("next sending")  # type: ignore[attr-defined]
    next_sending.admin_order_field = "next_due_at"  # type: ignore[attr-defined]

    def last_result(self, mailing: Mailing) -> SafeString | str:
        result = mailing.result  # type: ignore[attr-defined] # set by the list
        return render_to_string("mailing/admin/result.html", {"result": result}) if result else ""

    last_result.short_description = gettext_lazy("last result")  # type: ignore[attr-defined]

    def progress_view(self, request: HttpRequest, instance_pk: str) -> HttpResponse:
        self.require_visible(request, instance_pk)
        return ProgressView.as_view(model_admin=self, instance_pk=instance_pk)(request)

    def dates_view(self, request: HttpRequest, instance_pk: str = "") -> HttpResponse:
        """Answer what the schedule in a form means; for an old mailing or a new one."""
        mailing = Mailing()
        if instance_pk:
            self.require_visible(request, instance_pk)
            mailing = self.get_queryset(request).get(pk=unquote(instance_pk))
            allowed = self.permission_helper.user_can_edit_obj(request.user, mailing)
        else:
            allowed = self.permission_helper.user_can_create(request.user)
        if not allowed:
            return permission_denied(request)
        form_class = self.get_edit_handler().bind_to_model(Mailing).get_form_class()
        form = form_class(request.GET, instance=mailing, for_user=request.user)
        preview = preview_of(form, timezone.now())
        return render(request, "mailing/admin/dates.html", {"preview": preview})

    def action_view(self, request: HttpRequest, instance_pk: str, action: str) -> HttpResponse:
        self.require_visible(request, instance_pk)
        view = ActionView.as_view(model_admin=self, instance_pk=instance_pk, action=ACTIONS[action])
        return view(request)

    def get_admin_urls_for_registration(self) -> tuple[URLPattern, ...]:
        helper = self.url_helper
        progress = re_path(
            helper.get_action_url_pattern("progress"),
            self.progress_view,
            name=helper.get_action_url_name("progress"),
        )
        dates = require_safe(self.dates_view)
        pattern, name = helper.get_action_url_pattern("dates"), helper.get_action_url_name("dates")
        new_dates = path(
            f"{self.opts.app_label}/{self.opts.model_name}/dates/", dates, name=f"{name}_new"
        )
        reach = path(
            f"{self.opts.app_label}/{self.opts.model_name}/reach/",
            require_safe(reach_view),
            name=helper.get_action_url_name("reach"),
        )
        figures = path(
            f"{self.opts.app_label}/{self.opts.model_name}/figures/",
            require_safe(audiences_view),
            name=helper.get_action_url_name("figures"),
        )
        actions = tuple(
            re_path(
                helper.get_action_url_pattern(name),
                self.action_view,
                {"action": name},
                name=helper.get_action_url_name(name),
            )
            for name in ACTIONS
        )
        return (
            *super().get_admin_urls_for_registration(),
            progress,
            re_path(pattern, dates, name=name),
            new_dates,
            reach,
            figures,
            *actions,
        )
