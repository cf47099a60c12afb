"""Addresses that an owner must not mail, with the reason."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailing.enums import SuppressionReason


class Suppression(models.Model):
    """Kept by address, not by client: deleting and adding a client again changes nothing."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    email_normalized = models.CharField(_("address"), max_length=254)
    reason = models.CharField(_("reason"), max_length=20, choices=SuppressionReason.choices)
    created_at = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        constraints = [
            models.UniqueConstraint(fields=["owner", "email_normalized"], name="suppression_once")
        ]

    def __str__(self) -> str:
        return self.email_normalized
