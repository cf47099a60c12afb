"""Takes a picture of all that a person has, to compare it with a later one."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.apps import apps
from wagtail.images.models import Rendition

from accounts.models import User

Key = tuple[str, Any]
Picture = dict[Key, dict[str, Any]]


def picture_of(user: User) -> Picture:
    """Return each row of the database from which foreign keys lead to `user`, and the user's own.

    So a row that another has tied to something of this person is in the picture as well. Sizes of
    pictures are not: whoever may look at one has them made.
    """
    rows: Picture = {}
    pointing: dict[Key, list[Key]] = defaultdict(list)
    for model in set(apps.get_models(include_auto_created=True)) - {Rendition}:
        fields = model._meta.concrete_fields
        keys = [(f.attname, f.related_model._meta.label) for f in fields if f.related_model]
        for row in model._base_manager.values():
            key = (model._meta.label, row[model._meta.pk.attname])
            rows[key] = row
            for name, target in keys:
                pointing[target, row[name]].append(key)
    found: Picture = {}
    waiting: list[Key] = [(User._meta.label, user.pk)]
    while waiting:
        key = waiting.pop()
        if key not in found:
            found[key] = rows[key]
            waiting += pointing[key]
    return found


def differences(before: Picture, after: Picture) -> list[str]:
    changed = []
    for label, pk in sorted(before.keys() | after.keys(), key=str):
        old, new = before.get((label, pk)), after.get((label, pk))
        if old is None:
            changed.append(f"{label} {pk} is new: {new}")
        elif new is None:
            changed.append(f"{label} {pk} is gone")
        elif old != new:
            names = [name for name in old if old[name] != new[name]]
            changed.append(f"{label} {pk} has other values in {', '.join(names)}")
    return changed
