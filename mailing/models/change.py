"""What an owner does to many clients at once, while it is being done."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from mailing.enums import ClientAction
from mailing.models.client import ClientList


class ClientChange(models.Model):
    """One action on all the clients that a search and filters find (`mailing.clientele`).

    Done in batches by id: those up to `upto` are done, those after `last_id` came too late.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=10, choices=ClientAction.choices)
    selection = models.TextField(blank=True)
    """The query string of `mailing.selection.Selection`."""
    client_list = models.ForeignKey(
        ClientList, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    tags = models.TextField(blank=True)
    """Names, one on a line."""
    upto = models.BigIntegerField(default=0)
    last_id = models.BigIntegerField()
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    """Were so already."""
    refused = models.PositiveIntegerField(default=0)
    """Could not be changed; why follows from the action."""
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], name="client_change_open", condition=models.Q(finished_at=None)
            )
        ]

    def __str__(self) -> str:
        what = str(ClientAction(self.action).label)
        target = str(self.client_list or "") or ", ".join(self.tags.splitlines())
        return f"{what}: {target}" if target else what
