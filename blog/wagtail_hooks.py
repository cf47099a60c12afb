"""Hangs the blog into the admin: what the button says that hands a post to the managers."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from wagtail import hooks
from wagtail.admin.action_menu import ActionMenuItem, SubmitForModerationMenuItem
from wagtail.models import WorkflowState


class SubmitMenuItem(SubmitForModerationMenuItem):
    """Says what happens; the stock label glues the name of the workflow into a sentence."""

    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(parent_context)
        page = context.get("page")
        state = page.current_workflow_state if page else None
        again = state and state.status == WorkflowState.STATUS_NEEDS_CHANGES
        return {**context, "label": _("Submit again") if again else _("Submit for review")}


@hooks.register("construct_page_action_menu")
def name_the_submission(
    items: list[ActionMenuItem], request: HttpRequest, context: dict[str, Any]
) -> None:
    items[:] = [
        SubmitMenuItem(order=item.order) if isinstance(item, SubmitForModerationMenuItem) else item
        for item in items
    ]
