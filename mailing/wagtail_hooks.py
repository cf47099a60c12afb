"""Hangs mailing into the admin."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.log_actions import LogActionRegistry


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
