"""The form for pictures: no tags, and nothing that is not a picture."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as Picture
from wagtail.images import get_image_model
from wagtail.images.forms import get_image_form

from accounts.models import User
from site_project.pictures import PictureForm

pytestmark = pytest.mark.django_db

UPLOAD = "/admin/images/multiple/add/"
Browse = Callable[..., Client]


def png(name: str = "rose.png") -> SimpleUploadedFile:
    content = BytesIO()
    Picture.new("RGB", (8, 8), "red").save(content, "PNG")
    return SimpleUploadedFile(name, content.getvalue(), "image/png")


def upload(browser: Client, file: SimpleUploadedFile) -> dict[str, object]:
    answer = browser.post(UPLOAD, {"title": "A rose", "files[]": file})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_the_form_of_the_admin_is_ours_and_asks_for_no_tags() -> None:
    form = get_image_form(get_image_model())
    assert issubclass(form, PictureForm)
    assert "tags" not in form().fields
    assert "title" in form().fields


def test_a_user_may_keep_a_picture(alice: User, browse: Browse) -> None:
    answer = upload(browse(alice), png())
    assert answer["success"] is True
    image = get_image_model().objects.get()
    assert image.uploaded_by_user == alice
    assert get_image_model().objects.filter(pk=image.pk, collection__name="Letters").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.png", b"<script>alert(1)</script>"),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
        ("page.html", b"<script>alert(1)</script>"),
    ],
)
def test_what_is_not_a_picture_is_refused(
    alice: User, browse: Browse, name: str, content: bytes
) -> None:
    answer = upload(browse(alice), SimpleUploadedFile(name, content))
    assert answer["success"] is False
    assert not get_image_model().objects.exists()
