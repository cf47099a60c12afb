"""Hangs mailing into the admin. Wiring only."""

from __future__ import annotations

from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.log_actions import LogActionRegistry
from wagtail.permissions import register_permission_policy
from wagtail_modeladmin.options import modeladmin_register

from mailing.admin.clients import ClientAdmin, ClientListAdmin
from mailing.admin.log import AttemptAdmin, DeliveryAdmin
from mailing.admin.mailings import MailingAdmin
from mailing.admin.messages import MessageAdmin
from mailing.admin.periods import DatePeriodAdmin
from mailing.admin.views import client_choices
from mailing.models import Client, ClientList, Mailing, Message
from mailing.permissions import OwnedPolicy

for model in (Client, ClientList, Message, Mailing):
    register_permission_policy(model, OwnedPolicy(model))

for model_admin in (
    MailingAdmin,
    MessageAdmin,
    ClientAdmin,
    ClientListAdmin,
    DeliveryAdmin,
    AttemptAdmin,
    DatePeriodAdmin,
):
    modeladmin_register(model_admin)


@hooks.register("register_admin_urls")
def register_admin_urls() -> list[URLPattern]:
    return [path("mailing/client-choices/", client_choices, name="mailing_client_choices")]


@hooks.register("register_log_actions")
def register_log_actions(actions: LogActionRegistry) -> None:
    for action, label, message in (
        ("mailing.start", _("Start"), _("Started")),
        ("mailing.send_now", _("Send now"), _("Sent at once")),
        ("mailing.pause", _("Pause"), _("Paused")),
        ("mailing.resume", _("Resume"), _("Resumed")),
        ("mailing.deactivate", _("Deactivate"), _("Deactivated")),
        ("mailing.lift", _("Lift the deactivation"), _("Deactivation lifted")),
        ("mailing.cancel_run", _("Cancel the run"), _("Run cancelled")),
        ("mailing.send_again", _("Send again"), _("Letters sent again")),
    ):
        actions.register_action(action, label, message)
