"""Hangs accounts into the admin: log actions, the picture beside a name, the account menu."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.log_actions import LogActionRegistry

from accounts.deleting import DeleteBulkAction
from accounts.models import User
from accounts.viewsets import SetActiveStateBulkAction

# After the stock actions of these names, whose place they take.
hooks.register("register_bulk_action", SetActiveStateBulkAction, order=1)
hooks.register("register_bulk_action", DeleteBulkAction, order=1)


@hooks.register("register_log_actions")
def register_log_actions(actions: LogActionRegistry) -> None:
    actions.register_action("accounts.block", _("Block"), _("Blocked"))
    actions.register_action("accounts.unblock", _("Unblock"), _("Unblocked"))
    actions.register_action("accounts.close", _("Close the account"), _("Closed the account"))


@hooks.register("get_avatar_url")
def avatar_url(user: User | None, size: int) -> str | None:
    """Show the same picture in the admin as on the profile page; a log entry may have no user."""
    return user.avatar.url if user is not None and user.avatar else None
