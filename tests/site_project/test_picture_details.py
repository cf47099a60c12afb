"""What a file tells beside its picture stays behind: where and when, by whom, with what."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo
from wagtail.images import get_image_model
from wagtail.models import UploadedFile

from accounts.models import User
from site_project.pictures import without_details

pytestmark = pytest.mark.django_db

Browse = Callable[..., Client]
SECRET = "CANARY-camera"
GPS, ORIENTATION, ARTIST = 0x8825, 0x0112, 0x013B
UPRIGHT_AFTER_A_QUARTER = 6


def exif() -> Picture.Exif:
    """Return the place, the person, and that the picture lies on its side."""
    data = Picture.Exif()
    data[ARTIST] = SECRET
    data[ORIENTATION] = UPRIGHT_AFTER_A_QUARTER
    data.get_ifd(GPS)[2] = (51.0, 30.0, 0.0)
    return data


def photo(kind: str, **options: Any) -> SimpleUploadedFile:
    """Return a wide picture, its left half red, with all that a camera writes."""
    picture = Picture.new("RGB", (40, 20), "blue")
    picture.paste("red", (0, 0, 20, 20))
    content = BytesIO()
    picture.save(content, kind, exif=exif(), **options)
    assert SECRET.encode() in content.getvalue()
    return SimpleUploadedFile(f"{SECRET}.{kind.lower()}", content.getvalue())


def opened(file: Any) -> Any:
    file.seek(0)
    assert SECRET.encode() not in file.read()
    file.seek(0)
    picture = Picture.open(file)
    assert dict(picture.getexif()) == {}
    return picture


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_picture_is_turned_upright_and_tells_nothing(kind: str) -> None:
    picture = opened(without_details(photo(kind)))
    assert picture.format == kind
    assert picture.size == (20, 40)
    top, bottom = (picture.convert("RGB").getpixel(at) for at in ((10, 5), (10, 35)))
    assert top[0] > 200 > bottom[0]


def test_texts_in_a_png_stay_behind() -> None:
    texts = PngInfo()
    texts.add_text("Author", SECRET)
    texts.add_itxt("XML:com.adobe.xmp", SECRET)
    opened(without_details(photo("PNG", pnginfo=texts)))


def test_xmp_and_comments_stay_behind() -> None:
    opened(without_details(photo("JPEG", xmp=SECRET.encode(), comment=SECRET)))
    opened(without_details(photo("WEBP", xmp=SECRET.encode())))


def test_what_hangs_behind_the_picture_stays_behind() -> None:
    file = photo("JPEG")
    longer = SimpleUploadedFile(file.name, file.read() + SECRET.encode())
    opened(without_details(longer))


def test_an_animation_still_moves() -> None:
    frames = [Picture.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    content = BytesIO()
    frames[0].save(
        content,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[100, 200, 300],
        loop=0,
        comment=SECRET,
    )
    picture = opened(without_details(SimpleUploadedFile("a.gif", content.getvalue())))
    assert picture.n_frames == 3
    durations = []
    for number in range(3):
        picture.seek(number)
        durations.append(picture.info["duration"])
    assert durations == [100, 200, 300]


def test_a_transparent_picture_stays_so() -> None:
    content = BytesIO()
    Picture.new("RGBA", (8, 8), (255, 0, 0, 0)).save(content, "PNG")
    picture = opened(without_details(SimpleUploadedFile("a.png", content.getvalue())))
    assert picture.convert("RGBA").getpixel((4, 4))[3] == 0


def test_half_a_picture_is_an_error() -> None:
    whole = photo("JPEG", quality=95).read()
    with pytest.raises(ValidationError):
        without_details(SimpleUploadedFile("a.jpeg", whole[: len(whole) // 2]))


@pytest.mark.parametrize("url", ["/admin/images/add/", "/admin/images/multiple/add/"])
def test_no_upload_keeps_them(alice: User, browse: Browse, url: str) -> None:
    file = photo("JPEG")
    field = "files[]" if "multiple" in url else "file"
    answer = browse(alice).post(url, {"title": "Sea", field: file})
    assert answer.status_code in {200, 302}
    image = get_image_model().objects.get()
    with image.file.open("rb") as kept:
        opened(kept)
    assert (image.width, image.height) == (20, 40)
    assert SECRET not in image.file.name


def test_an_upload_that_waits_for_its_title_keeps_none_either(alice: User, browse: Browse) -> None:
    browser = browse(alice)
    too_long = {"title": "x" * 300, "files[]": photo("JPEG")}
    assert browser.post("/admin/images/multiple/add/", too_long).json()["success"] is True
    waiting = UploadedFile.objects.get()
    with waiting.file.open("rb") as kept:
        opened(kept)
    prefix = f"uploaded-image-{waiting.pk}"
    answer = browser.post(
        f"/admin/images/multiple/create_from_uploaded_image/{waiting.pk}/",
        {f"{prefix}-title": "Sea", f"{prefix}-description": ""},
        headers={"x-requested-with": "XMLHttpRequest"},
    )
    assert answer.json()["success"] is True
    with get_image_model().objects.get().file.open("rb") as kept:
        opened(kept)
