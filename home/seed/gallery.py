"""Puts the drawings among the pictures that their owners may choose from."""

from __future__ import annotations

from django.core.files.base import ContentFile
from django.utils.text import slugify
from wagtail.coreutils import string_to_ascii
from wagtail.images import get_image_model
from wagtail.images.models import AbstractImage
from wagtail.models import Collection

from accounts.models import User
from home.naming import COLLECTIONS
from home.seed.drawing import Picture


def ensure_image(picture: Picture, *, collection: str, owner: User) -> AbstractImage:
    """Return the owner's image with the picture's title, drawn now if there is none.

    `collection` is a key of `home.naming.COLLECTIONS`. Call it outside a transaction that may fail
    later: the file would stay without its row.
    """
    images = get_image_model().objects
    there = images.filter(title=picture.title, uploaded_by_user=owner).first()
    if there is not None:
        return there
    name = slugify(string_to_ascii(picture.title))
    return images.create(
        title=picture.title,
        description=picture.description,
        file=ContentFile(picture.png(), name=f"{name}.png"),
        collection=Collection.objects.filter(name=COLLECTIONS[collection]).first(),
        uploaded_by_user=owner,
    )
