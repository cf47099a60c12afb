"""Panels of a post's editor that are no fields."""

from __future__ import annotations

from wagtail.admin.panels import Panel
from wagtail.models import WorkflowState


class SentBackPanel(Panel):
    """Shows what a manager wants changed, until the post is submitted again."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "blog/admin/sent_back.html"

        def is_shown(self) -> bool:
            return bool(super().is_shown() and self.comment)

        @property
        def comment(self) -> str:
            """Return the comment of a review that has asked for changes, empty if none has."""
            if self.instance is None or self.instance.pk is None:
                return ""
            state = self.instance.current_workflow_state
            if state is None or state.status != WorkflowState.STATUS_NEEDS_CHANGES:
                return ""
            task_state = state.current_task_state
            return task_state.specific.get_comment() if task_state else ""
