"""Deletes rows by the thousand, with all that hangs on them and what the admin has noted of them.

`QuerySet.delete` would load each row and announce it to everybody who listens to all deletions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import SET_NULL, Model, QuerySet
from wagtail.models import ModelLogEntry, ReferenceIndex

NO_LABEL = "—"
"""What log entries call a thing that is erased."""


def delete_rows(model: type[Model], ids: Sequence[Any]) -> None:
    """Delete these rows and, as their foreign keys say, the rows that point at them.

    Files are left where they are. Log entries stay, without the name of the thing and what was
    written about it. Call inside a transaction.
    """
    if not ids:
        return
    for relation in model._meta.get_fields(include_hidden=True):
        if not relation.auto_created or relation.concrete or relation.related_model is None:
            continue
        pointing = _rows(relation.related_model).filter(**{f"{relation.field.name}__in": ids})  # type: ignore[union-attr]
        if getattr(relation, "on_delete", None) is SET_NULL:
            pointing.update(**{relation.field.name: None})  # type: ignore[union-attr]
        else:
            delete_rows(pointing.model, list(pointing.values_list("pk", flat=True)))
    forget_in_log(model, ids)
    rows = _rows(model).filter(pk__in=ids)
    rows._raw_delete(using=rows.db)


def forget_in_log(model: type[Model], ids: Iterable[Any]) -> None:
    """Take from the log, and from Wagtail's index of references, what they know of these rows."""
    kind = ContentType.objects.get_for_model(model)
    names = [str(pk) for pk in ids]
    ModelLogEntry.objects.filter(content_type=kind, object_id__in=names).update(
        label=NO_LABEL, data={}
    )
    ReferenceIndex.objects.filter(base_content_type=kind, object_id__in=names).delete()


def _rows(model: Any) -> QuerySet[Any]:
    rows: QuerySet[Any] = model._base_manager.all()
    return rows
