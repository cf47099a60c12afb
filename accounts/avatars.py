"""Turns an uploaded picture into a small square WebP that carries nothing but the picture."""

from __future__ import annotations

import io
import secrets
import struct
from typing import IO

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

SIDE = 256
MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 25_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
# What Pillow raises for damaged files; struct.error comes from strange EXIF.
_UNREADABLE = (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError)


def clean_avatar(upload: IO[bytes]) -> ContentFile[bytes]:
    """Return the picture cut to a square of `SIDE` pixels, without metadata, under a random name.

    Of many frames the first stays. Raises ValidationError if it is too large or not one of
    `FORMATS`. The content decides, not the name, and the size is known before any pixel is decoded.
    """
    upload.seek(0, io.SEEK_END)
    if upload.tell() > MAX_BYTES:
        raise ValidationError(_("This file is larger than 5 MB. Choose a smaller picture."))
    upload.seek(0)
    try:
        with Image.open(upload, formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ValidationError(_("This picture has more than 25 megapixels."))
            square = ImageOps.fit(ImageOps.exif_transpose(picture), (SIDE, SIDE))
            # A new image, so that no EXIF, ICC or XMP block comes along.
            mode = "RGBA" if square.has_transparency_data else "RGB"
            plain = Image.new(mode, square.size)
            plain.paste(square.convert(mode))
    except _UNREADABLE as error:
        raise ValidationError(
            _("This file could not be read as a PNG, JPEG, WebP or GIF picture.")
        ) from error
    buffer = io.BytesIO()
    plain.save(buffer, "WEBP", quality=85)
    return ContentFile(buffer.getvalue(), name=f"{secrets.token_hex(16)}.webp")
