"""Hangs mailing into the admin. Wiring only."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component
from wagtail.log_actions import LogActionRegistry
from wagtail.permissions import register_permission_policy
from wagtail_modeladmin.options import modeladmin_register

from mailing.admin.client_lists import ClientListAdmin
from mailing.admin.clients import ClientAdmin
from mailing.admin.events import EventAdmin
from mailing.admin.imports import ImportAdmin, ImportLogFormatter
from mailing.admin.log import AttemptAdmin, DeliveryAdmin
from mailing.admin.mailings import MailingAdmin
from mailing.admin.messages import MessageAdmin
from mailing.admin.overview import OverviewPanel
from mailing.admin.periods import DatePeriodAdmin
from mailing.admin.statistics import statistics
from mailing.admin.views import client_choices, list_choices, tag_choices
from mailing.models import Client, ClientImport, ClientList, Mailing, Message
from mailing.permissions import OwnedPolicy

for model in (Client, ClientImport, ClientList, Message, Mailing):
    register_permission_policy(model, OwnedPolicy(model))

for model_admin in (
    MailingAdmin,
    MessageAdmin,
    ClientAdmin,
    ClientListAdmin,
    ImportAdmin,
    DeliveryAdmin,
    AttemptAdmin,
    DatePeriodAdmin,
    EventAdmin,
):
    modeladmin_register(model_admin)


@hooks.register("register_admin_urls")
def register_admin_urls() -> list[URLPattern]:
    return [
        path("mailing/client-choices/", client_choices, name="mailing_client_choices"),
        path("mailing/list-choices/", list_choices, name="mailing_list_choices"),
        path("mailing/tag-choices/", tag_choices, name="mailing_tag_choices"),
        path("mailing/statistics/", statistics, name="mailing_statistics"),
    ]


class StatisticsMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("mailing.view_attempt"))


@hooks.register("register_admin_menu_item")
def add_statistics() -> MenuItem:
    return StatisticsMenuItem(
        _("Statistics"),
        reverse("mailing_statistics"),
        name="statistics",
        icon_name="chart-column",
        order=138,
    )


@hooks.register("construct_homepage_panels")
def add_overview(request: HttpRequest, panels: list[Component]) -> None:
    if request.user.has_perm("mailing.view_mailing"):
        panels.append(OverviewPanel(request))


@hooks.register("register_log_actions")
def register_log_actions(actions: LogActionRegistry) -> None:
    for action, label, message in (
        ("mailing.start", _("Start"), pgettext_lazy("event log", "Started")),
        ("mailing.send_now", _("Send now"), pgettext_lazy("event log", "Sent at once")),
        ("mailing.pause", _("Pause"), pgettext_lazy("event log", "Paused")),
        ("mailing.resume", _("Resume"), pgettext_lazy("event log", "Resumed")),
        ("mailing.deactivate", _("Deactivate"), pgettext_lazy("event log", "Deactivated")),
        (
            "mailing.lift",
            _("Lift the deactivation"),
            pgettext_lazy("event log", "Deactivation lifted"),
        ),
        ("mailing.cancel_run", _("Cancel the run"), pgettext_lazy("event log", "Run cancelled")),
        (
            "mailing.clients.add",
            _("Add to a list"),
            pgettext_lazy("event log", "Clients added to a list"),
        ),
        (
            "mailing.clients.remove",
            _("Remove from a list"),
            pgettext_lazy("event log", "Clients removed from a list"),
        ),
        ("mailing.clients.tag", _("Tag"), pgettext_lazy("event log", "Clients tagged")),
        (
            "mailing.clients.untag",
            _("Remove a tag"),
            pgettext_lazy("event log", "Tags removed from clients"),
        ),
        (
            "mailing.clients.exclude",
            _("Exclude from mail"),
            pgettext_lazy("event log", "Clients excluded from mail"),
        ),
        (
            "mailing.clients.readmit",
            _("Mail again"),
            pgettext_lazy("event log", "Exclusions of clients lifted"),
        ),
        ("mailing.clients.delete", _("Delete"), pgettext_lazy("event log", "Clients deleted")),
        ("mailing.send_again", _("Send again"), pgettext_lazy("event log", "Letters sent again")),
        (
            "mailing.test_letter",
            _("Send me a test"),
            pgettext_lazy("event log", "Test letter requested"),
        ),
        ("mailing.export", _("Export"), pgettext_lazy("event log", "List exported")),
    ):
        actions.register_action(action, label, message)
    actions.register_action("client.import")(ImportLogFormatter)
