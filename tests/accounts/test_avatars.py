"""Uploaded pictures: what is taken, what is refused, and what is left of it."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from PIL import Image, ImageCms, PngImagePlugin

from accounts import avatars
from accounts.avatars import SIDE, clean_avatar

RED, BLUE = (200, 30, 30), (30, 30, 200)
GPS, ORIENTATION, MAKE = 0x8825, 0x0112, 0x010F


def picture(
    kind: str = "PNG", size: tuple[int, int] = (300, 200), mode: str = "RGB", **options: Any
) -> bytes:
    """Return a picture whose left half is red and whose right half is blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    file = io.BytesIO()
    image.convert(mode).save(file, kind, **options)
    return file.getvalue()


def png_that_says(width: int, height: int) -> bytes:
    """Return a small file that declares a picture of any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def jpeg_with_strange_exif() -> bytes:
    """Return a picture whose EXIF says "turn me", and has a text for its width."""
    entries = struct.pack(">HHIHH", 0x0100, 2, 4, 0x6162, 0x6300)
    entries += struct.pack(">HHIHH", ORIENTATION, 3, 1, 6, 0)
    tiff = b"MM\0*" + struct.pack(">IH", 8, 2) + entries + struct.pack(">I", 0)
    return picture("JPEG", exif=b"Exif\0\0" + tiff)


def cleaned(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(clean_avatar(io.BytesIO(content)).read()))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", mode) for mode in ("RGB", "L", "LA", "RGBA", "P", "1", "I;16")]
    + [("JPEG", mode) for mode in ("RGB", "L", "CMYK")]
    + [("WEBP", mode) for mode in ("RGB", "RGBA")]
    + [("GIF", "P")],
)
def test_every_usual_picture_becomes_a_small_square(kind: str, mode: str) -> None:
    result = cleaned(picture(kind, mode=mode))
    assert (result.format, result.size) == ("WEBP", (SIDE, SIDE))


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (SIDE, SIDE)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    assert cleaned(picture(size=size)).size == (SIDE, SIDE)


def test_transparency_stays() -> None:
    image = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    file = io.BytesIO()
    image.save(file, "PNG")
    assert cleaned(file.getvalue()).getpixel((SIDE // 2, SIDE // 2))[3] == 0  # type: ignore[index]


def test_metadata_is_left_out() -> None:
    exif = Image.Exif()
    exif[MAKE] = "Secret camera"
    exif.get_ifd(GPS)[2] = (51.0, 30.0, 0.0)
    options = {
        "exif": exif,
        "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        "xmp": b"<x>Secret place</x>",
    }
    for kind in ("JPEG", "WEBP"):
        content = picture(kind, **options)
        assert b"Secret camera" in content
        result = clean_avatar(io.BytesIO(content)).read()
        assert b"Secret" not in result
        image = Image.open(io.BytesIO(result))
        assert not image.getexif()
        assert not {"icc_profile", "exif", "xmp"} & set(image.info)


def test_text_chunks_are_left_out() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "<script>secret()</script>", zip=False)
    content = picture("PNG", pnginfo=info)
    assert b"secret()" in content
    assert b"secret()" not in clean_avatar(io.BytesIO(content)).read()


def test_a_picture_taken_sideways_is_turned() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # turn by 90 degrees clockwise
    red, _, blue = cleaned(picture("JPEG", exif=exif)).getpixel((SIDE // 2, 10))  # type: ignore[misc]
    assert red > blue, "what was left is above now"


def test_only_the_first_of_many_frames_stays() -> None:
    frames = [Image.new("RGB", (20, 20), (n, n, n)) for n in range(0, 250, 10)]
    for kind in ("WEBP", "PNG", "GIF"):
        file = io.BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:])
        assert getattr(cleaned(file.getvalue()), "n_frames", 1) == 1


def test_what_hides_behind_a_picture_is_left_out() -> None:
    content = picture() + b"<?php system($_GET['c']); ?><script>alert(1)</script>"
    result = clean_avatar(io.BytesIO(content)).read()
    assert b"script" not in result
    assert b"php" not in result


def test_names_are_random_and_say_what_is_inside() -> None:
    first, second = (clean_avatar(io.BytesIO(picture())).name for _ in range(2))
    assert first != second
    assert first is not None
    assert first.endswith(".webp")
    assert len(first) == 37


REFUSED = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "gif that is a script": b"GIF89a/*" + b"\0" * 50 + b"*/=1;alert(1)//",
    "bmp": picture("BMP"),
    "tiff": picture("TIFF"),
    "icon": picture("ICO", size=(16, 16)),
    "pdf": picture("PDF"),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "nothing": b"",
    "noise": random.Random(1).randbytes(5000),
    "only a head": picture()[:30],
    "half a png": picture(size=(600, 600))[:600],
    "half a jpeg": picture("JPEG")[:700],
    "too many pixels": png_that_says(5001, 5000),
    "a bomb": png_that_says(60_000, 60_000),
    "no pixels": png_that_says(0, 10),
    "strange exif": jpeg_with_strange_exif(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        clean_avatar(io.BytesIO(REFUSED[name]))


def test_the_size_of_the_file_has_a_limit() -> None:
    fits = picture() + b"\0" * (avatars.MAX_BYTES - len(picture()))
    clean_avatar(io.BytesIO(fits))
    with pytest.raises(ValidationError, match="larger than 5 MB"):
        clean_avatar(io.BytesIO(fits + b"\0"))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damaged_files_are_refused_and_nothing_worse() -> None:
    chance = random.Random(7)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    seeds = [picture(kind, (40, 30), exif=exif) for kind in ("PNG", "JPEG", "WEBP")]
    refused = 0
    for number in range(300):
        content = bytearray(seeds[number % 3])
        for _ in range(chance.randint(1, 12)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        if number % 4 == 0:
            del content[chance.randrange(len(content)) :]
        try:
            clean_avatar(io.BytesIO(bytes(content)))
        except ValidationError:
            refused += 1
    assert refused > 50
