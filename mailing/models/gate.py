"""Rows that senders look at before each step: one per owner, one per mail server."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Gate(models.Model):
    """How much of its rates (`engine.budget`) a gate has let through: this second, this day."""

    second_at = models.DateTimeField(null=True)
    second_used = models.PositiveIntegerField(default=0, db_default=0)
    day = models.DateField(null=True)
    day_used = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        abstract = True


class OwnerGate(Gate):
    """What every letter of an owner passes.

    Whoever changes deliveries while a sender may hold them (an unsubscription, a deleted client)
    raises `revision` in the same transaction; a sender that finds it raised reads its rows again.
    """

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    revision = models.BigIntegerField(default=0, db_default=0)
    served_at = models.DateTimeField(null=True)
    """When a batch of this owner was last leased: the fair share picks the oldest."""

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.revision}"


class ServerGate(Gate):
    """The state of a mail server: while its circuit is open, nobody connects or is charged."""

    server = models.CharField(max_length=255, unique=True)
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True)
    since = models.DateTimeField(null=True)
    """When the first of the failures in a row happened."""
    reason = models.CharField(max_length=500, blank=True)
    alerted = models.BooleanField(default=False, db_default=False)
    """Whether the operator has been told of this absence."""

    def __str__(self) -> str:
        return self.server
