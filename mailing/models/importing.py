"""Imports of clients: the file, what its columns mean, how far it is, and what was wrong in it."""

from __future__ import annotations

import uuid

from django.core.files.storage import Storage, storages
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailing.enums import Existing, ImportState
from mailing.models.client import ClientList
from mailing.models.owned import OwnedModel
from mailing.querysets import ClientImportQuerySet

FOLDER = "imports"
"""Of the private storage."""


def private_storage() -> Storage:
    return storages["private"]


def file_path(_import: ClientImport, _name: str) -> str:
    """Return a path that tells nothing; the name that people gave is a column."""
    return f"{FOLDER}/{uuid.uuid4().hex}"


class ClientImport(OwnedModel):
    """Rows up to `rows_done` are in the figures, and the clients of them are written, not more."""

    name = models.CharField(_("file"), max_length=255, editable=False)
    file = models.FileField(
        _("file"), storage=private_storage, upload_to=file_path, max_length=100, blank=True
    )
    format = models.CharField(max_length=100, editable=False)
    has_headings = models.BooleanField(default=True)
    columns = models.JSONField(default=list, editable=False)
    """For each column of the file a value of `importing.columns.Column`, or empty."""
    existing = models.CharField(
        _("clients who are there already"),
        max_length=10,
        choices=Existing.choices,
        default=Existing.FILL,
    )
    is_strict = models.BooleanField(
        _("write nothing if any line is faulty"),
        default=False,
        help_text=_("Otherwise faulty lines are left out, and the report names them."),
    )
    lists = models.ManyToManyField(
        ClientList, blank=True, related_name="+", verbose_name=_("client lists")
    )
    tags = models.JSONField(default=list, editable=False)
    """Names of tags that all clients of the file get."""

    state = models.CharField(
        _("state"),
        max_length=10,
        choices=ImportState.choices,
        default=ImportState.DRAFT,
        editable=False,
    )
    is_checked = models.BooleanField(default=False, editable=False)
    """Whether rows are being written; a strict import goes through all of them before that."""
    refusal = models.CharField(max_length=20, blank=True, editable=False)
    """A value of `importing.refusals.Refusal`: why nothing, or not all, was written."""
    total = models.PositiveIntegerField(default=0, editable=False)
    """Rows of the file with its headings; 0 if nobody knows."""
    rows_done = models.PositiveIntegerField(default=0, editable=False)
    new = models.PositiveIntegerField(_("new clients"), default=0, editable=False)
    changed = models.PositiveIntegerField(_("changed clients"), default=0, editable=False)
    unchanged = models.PositiveIntegerField(default=0, editable=False)
    repeated = models.PositiveIntegerField(default=0, editable=False)
    suppressed = models.PositiveIntegerField(default=0, editable=False)
    faulty = models.PositiveIntegerField(_("faulty lines"), default=0, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    """How often somebody has begun to go on since a row was last done."""
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    objects = ClientImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-pk",)
        indexes = [
            models.Index(fields=["owner", "-id"], name="import_newest"),
            models.Index(
                fields=["lease_until"],
                name="import_running",
                condition=models.Q(state=ImportState.RUNNING),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ImportFault(models.Model):
    """A line that was not imported, as it is in the file, and why."""

    client_import = models.ForeignKey(
        ClientImport, on_delete=models.CASCADE, related_name="faults", db_index=False
    )
    line = models.PositiveIntegerField(_("line"))
    column = models.CharField(max_length=20, blank=True)
    reason = models.CharField(_("reason"), max_length=20)
    """A value of `importing.checking.Reason`."""
    value = models.CharField(max_length=200, blank=True)
    cells = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["client_import", "id"], name="import_fault_order")]

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"
