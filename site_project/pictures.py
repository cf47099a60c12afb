"""Pictures in the admin: their form, and that none goes while something shows it."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.db.models import ProtectedError
from wagtail.images.forms import BaseImageForm
from wagtail.models import ReferenceIndex


class PictureForm(BaseImageForm):
    """Without tags: Wagtail shows the most used ones to everybody, and pictures are private.

    A file gets a random name, since whoever knows the name of one may fetch it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("tags", None)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and "file" in self.changed_data:
            file.name = secrets.token_hex(16) + Path(file.name).suffix.lower()
        return file


def keep_picture_in_use(instance: Any, **_kwargs: Any) -> None:
    """Before a picture is deleted: letters and posts would go out with a hole in its place."""
    references = ReferenceIndex.get_references_to(instance)
    if references.exists():
        raise ProtectedError("a picture in use", {reference.object_id for reference in references})
