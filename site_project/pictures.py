"""Pictures in the admin: their form, what is taken out of them, and that none in use goes."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db.models import ProtectedError
from django.utils.translation import gettext as _
from PIL import Image as Pillow
from PIL import ImageOps, ImageSequence
from wagtail.images import get_image_model
from wagtail.images.forms import BaseImageForm
from wagtail.models import ReferenceIndex
from wagtail.models import UploadedFile as WaitingUpload

from accounts.models import Erasure, User
from accounts.portability import in_steps
from accounts.rows import forget_in_log

_SAVING: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 92, "optimize": True},
    "WEBP": {"quality": 90},
    "GIF": {"comment": b""},
}
# What Pillow raises for damaged files; struct.error comes from strange EXIF.
_UNREADABLE = (OSError, ValueError, SyntaxError, struct.error, Pillow.DecompressionBombError)
_KEPT = ("icc_profile", "loop")
"""What belongs to the look of a picture; all else a file tells stays behind."""


class PictureForm(BaseImageForm):
    """Without tags: Wagtail shows the most used ones to everybody, and pictures are private.

    A file gets a random name, since whoever knows the name of one may fetch it, and loses what
    cameras and programs write into it: the place, the time, the person.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("tags", None)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and "file" in self.changed_data:
            file = without_details(file)
            file.name = secrets.token_hex(16) + Path(file.name).suffix.lower()
        return file


def without_details(file: Any) -> Any:
    """Return the picture written anew: turned upright, with its pixels and colours and no more.

    Raise ValidationError if it cannot be read to its end.
    """
    written = BytesIO()
    try:
        file.seek(0)
        with Pillow.open(file) as picture:
            # A camera's MPO is a JPEG with more pictures behind the one that is shown.
            kind = "JPEG" if picture.format == "MPO" else str(picture.format)
            options = _SAVING.get(kind, {}) | {
                key: picture.info[key] for key in _KEPT if key in picture.info
            }
            if kind != "JPEG" and getattr(picture, "is_animated", False):
                frames = [frame.copy() for frame in ImageSequence.Iterator(picture)]
                options["duration"] = [frame.info.get("duration", 0) for frame in frames]
                first, more = frames[0], {"save_all": True, "append_images": frames[1:]}
                for frame in frames:
                    frame.info = {}
            else:
                first, more = ImageOps.exif_transpose(picture), {}
                first.info = {}
            first.save(written, kind, exif=b"", **options, **more)
    except _UNREADABLE as error:
        raise ValidationError(_("This picture is damaged and cannot be read.")) from error
    content = ContentFile(written.getvalue(), Path(file.name).name)
    content.content_type = getattr(file, "content_type", "")  # type: ignore[attr-defined]
    return content


def clean_waiting_upload(instance: Any, **_kwargs: Any) -> None:
    """Before an upload is kept whose title is still to be mended: it never meets the form again."""
    if instance.file and isinstance(instance.file.file, UploadedFile):
        instance.file = without_details(instance.file.file)


def keep_picture_in_use(instance: Any, **_kwargs: Any) -> None:
    """Before a picture is deleted: letters and posts would go out with a hole in its place."""
    references = ReferenceIndex.get_references_to(instance)
    if references.exists():
        raise ProtectedError("a picture in use", {reference.object_id for reference in references})


def pictures_of(user: User) -> Iterator[dict[str, Any]]:
    """Say what a person calls the pictures in the copy of the data (`accounts.portability`)."""
    pictures = get_image_model().objects.filter(uploaded_by_user=user)
    return in_steps(pictures, "title", "description", "file", "created_at")


def picture_files_of(user: User) -> Iterator[Any]:
    for picture in get_image_model().objects.filter(uploaded_by_user=user).iterator():
        yield picture.file


def erase_pictures(erasure: Erasure, is_over: Callable[[], bool]) -> bool:
    """Erase the pictures of a closed account; one that a post still shows stays, as nobody's."""
    for upload in WaitingUpload.objects.filter(uploaded_by_user=erasure.user):
        upload.file.delete(save=False)
        upload.delete()
    for picture in get_image_model().objects.filter(uploaded_by_user=erasure.user):
        if ReferenceIndex.get_references_to(picture).exists():
            picture.uploaded_by_user = None
            picture.save(update_fields=["uploaded_by_user"])
        else:
            pk = picture.pk
            picture.delete()
            forget_in_log(type(picture), [pk])
        if is_over():
            return False
    return True
