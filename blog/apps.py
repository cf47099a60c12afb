from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BlogConfig(AppConfig):
    name = "blog"
    verbose_name = _("Blog")

    def ready(self) -> None:
        from wagtail.forms import TaskStateCommentForm
        from wagtail.models import TaskState, WorkflowState
        from wagtail.signals import (
            page_published,
            task_submitted,
            workflow_approved,
            workflow_rejected,
        )

        from accounts import portability
        from blog import belongings, pictures, workflow
        from blog.models import BlogPage

        # Wagtail looks its word up once, while it is imported: English for everybody.
        TaskStateCommentForm.base_fields["comment"].label = _("Comment")
        portability.export_with(belongings.SECTIONS)
        page_published.connect(pictures.after_publishing, sender=BlogPage)
        # Under the names of Wagtail's own receivers, which connect later and are left out for it:
        # they would send within the request, to a mail server that may be away.
        for signal, receiver, sender, name in (
            (task_submitted, workflow.submitted, TaskState, "group_approval_task_submitted"),
            (workflow_rejected, workflow.sent_back, WorkflowState, "workflow_state_rejected"),
            (workflow_approved, workflow.approved, WorkflowState, "workflow_state_approved"),
        ):
            signal.connect(receiver, sender=sender, dispatch_uid=f"{name}_email_notification")
