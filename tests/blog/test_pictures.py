"""Pictures of posts: drawn by a worker in the best format, and shown in what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ
from PIL import Image as Pillow
from PIL import features
from pytest_django import DjangoCaptureOnCommitCallbacks
from wagtail.images import get_image_model

from accounts.models import User
from blog import pictures
from blog.models import BlogPage
from blog.pictures import SIZES, draw_missing
from tests.blog.posts import make_picture, make_post
from tests.factories import body

pytestmark = pytest.mark.django_db


def formats(client: Browser, url: str) -> list[str]:
    """Return the types that the first picture of a page is offered in."""
    picture = BeautifulSoup(client.get(url).text, "lxml").select_one(
        ".pic picture, article picture"
    )
    assert picture is not None
    return [str(source["type"]) for source in picture.find_all("source")]


def drawn() -> set[str]:
    return set(
        get_image_model().get_rendition_model().objects.values_list("filter_spec", flat=True)
    )


@contextmanager
def holding_the_brush() -> Iterator[None]:
    """Be another process in the middle of drawing."""
    cache.add(pictures._DRAWING, 1, 60)
    yield
    cache.delete(pictures._DRAWING)


def draw_all() -> None:
    for _slice in range(3):
        if not draw_missing(seconds=60):
            return
    pytest.fail("there is always something to come back for")


@pytest.fixture
def post(blogger: User) -> BlogPage:
    return make_post("Dahlias", image=make_picture(blogger))


def test_the_installation_can_encode_it() -> None:
    assert features.check("avif")


def test_no_visitor_waits_for_the_slow_format(client: Browser, post: BlogPage) -> None:
    assert formats(client, post.url) == ["image/webp"]
    assert not [spec for spec in drawn() if "avif" in spec]


def test_it_is_offered_first_once_it_is_drawn(client: Browser, post: BlogPage) -> None:
    draw_all()
    for url in (post.url, "/blog/", "/"):
        assert formats(client, url) == ["image/avif", "image/webp"]
    made = drawn()
    assert len(made) >= 3 * 2 * len(SIZES)
    client.get(post.url)
    client.get("/blog/")
    assert drawn() - made <= {"fill-1200x630|format-jpeg"}


def test_pictures_within_a_text_too(client: Browser, blogger: User) -> None:
    image = {"image": make_picture(blogger).pk, "alt_text": "Sea", "decorative": False}
    post = make_post(body=body(("picture", {"picture": image, "caption": ""})))
    draw_all()
    assert formats(client, post.url) == ["image/avif", "image/webp"]
    assert not [spec for spec in drawn() if "fill" in spec], "no cards of what is on none"


def test_drafts_and_other_pictures_wait(blogger: User) -> None:
    make_post("Draft", live=False, image=make_picture(blogger))
    make_picture(blogger, "Letters")
    draw_all()
    assert drawn() == set()


def test_without_the_encoder_pages_do_without(
    client: Browser, post: BlogPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    check: Callable[[str], Any] = features.check
    monkeypatch.setattr(features, "check", lambda name: name != "avif" and check(name))
    draw_all()
    assert formats(client, post.url) == ["image/webp"]


def test_one_that_is_damaged_keeps_no_other(client: Browser, blogger: User) -> None:
    good = make_post("Good", image=make_picture(blogger, title="Good"))
    damaged = make_picture(blogger, title="Damaged")
    make_post("Damaged", image=damaged)
    damaged.file.storage.delete(damaged.file.name)
    draw_all()
    assert formats(client, good.url) == ["image/avif", "image/webp"]


def test_a_slice_ends_in_time(blogger: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2):
        make_post(image=make_picture(blogger, title=f"Sea {number}"))
    assert draw_missing(seconds=0)
    assert drawn() == set()
    monkeypatch.setattr(pictures, "time", SimpleNamespace(monotonic=count().__next__))
    assert draw_missing(seconds=1.5)
    assert len(drawn()) == 1, "the clock is looked at after each file"


def test_one_process_draws_and_comes_back_for_all(post: BlogPage) -> None:
    with holding_the_brush():
        assert not draw_missing(seconds=60)
        assert drawn() == set()
    assert draw_missing(seconds=60), "a post published meanwhile found it busy"
    assert not draw_missing(seconds=60)


def test_publishing_wakes_the_worker(
    blogger: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    post = make_post("Dahlias", owner=blogger, live=False)
    OrmQ.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        post.save_revision().publish()
    assert "draw_pictures_of_posts" in str([entry.task for entry in OrmQ.objects.all()])


def test_many_cards_take_as_many_queries_as_one(client: Browser, blogger: User) -> None:
    def queries() -> int:
        draw_all()
        client.get("/blog/")
        with CaptureQueriesContext(
            connection,
        ) as seen:
            client.get("/blog/")
        return len(seen)

    make_post(image=make_picture(blogger, title="First"))
    make_post(image=make_picture(blogger, title="Second"))
    before = queries()
    for number in range(4):
        make_post(image=make_picture(blogger, title=f"More {number}"))
    assert queries() == before


def test_what_a_camera_writes_is_in_no_format(blogger: User) -> None:
    exif = Pillow.Exif()
    exif[0x010F] = "CANARY camera"
    stream = BytesIO()
    Pillow.new("RGB", (64, 64), "navy").save(stream, "JPEG", exif=exif)
    # Past the form, which would have taken it out already.
    picture = get_image_model().objects.create(
        title="Sea", file=ContentFile(stream.getvalue(), "camera.jpg"), uploaded_by_user=blogger
    )
    make_post(image=picture)
    draw_all()
    best = picture.renditions.filter(filter_spec__contains="avif")
    assert best.count() == 2 * len(SIZES)
    for rendition in best:
        with rendition.file.open() as file:
            assert b"CANARY" not in file.read()
