"""Pictures of posts: which sizes and formats there are, and when they are drawn.

AVIF is a third smaller than WebP and takes five times as long to encode, which no visitor shall
wait for: it is drawn by a worker, and a page offers it once it is there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import transaction
from django.db.models import CharField
from django.db.models.functions import Cast
from django.utils.safestring import SafeString
from PIL import features
from wagtail.images import get_image_model
from wagtail.images.models import Filter, Picture
from wagtail.images.shortcuts import get_renditions_or_not_found
from wagtail.models import Page, ReferenceIndex

from blog.models import BlogPage

logger = logging.getLogger(__name__)

SIZES = {
    "card": "fill-{416x234,832x468}",
    "first": "fill-{640x360,1120x630}",
    "text": "width-{672,1344}",
}
SLICE_SECONDS = 1.0
_DRAWING = "blog:pictures:drawing"
_DRAWING_SECONDS = 60

_wake: Callable[[], None] | None = None


def wake_with(callback: Callable[[], None]) -> None:
    """Register what is called after a post was published, to have its pictures drawn soon."""
    global _wake
    _wake = callback


def after_publishing(**_kwargs: Any) -> None:
    if _wake is not None:
        transaction.on_commit(_wake, robust=True)


def picture_of(image: Any, size: str, **attributes: Any) -> SafeString | str:
    """Return the picture element: AVIF if it has been drawn, WebP, and JPEG for all others."""
    if not image:
        return ""
    best = _filters(size, "avif")
    drawn = image.find_existing_renditions(*best)
    renditions = {f.spec: drawn[f] for f in best} if len(drawn) == len(best) else {}
    renditions |= get_renditions_or_not_found(image, _filters(size, "webp", "jpeg"))
    return Picture(renditions, attributes).__html__()


def draw_missing(seconds: float = SLICE_SECONDS) -> bool:
    """Draw what pages of published posts lack for one slice; return whether to come back.

    Drawing takes a core for as long as it lasts. So one process draws at a time, and looks at the
    clock after each file: the other workers, and the tasks behind this one, have letters to send.
    A picture that cannot be drawn keeps no other from being so.
    """
    if not cache.add(_DRAWING, 1, _DRAWING_SECONDS):
        return False  # whoever draws comes back until nothing is missing
    try:
        return _draw(time.monotonic() + seconds)
    finally:
        cache.delete(_DRAWING)


def _draw(until: float) -> bool:
    has_drawn = False
    for image, missing in _lacking():
        for one in missing:
            if time.monotonic() >= until:
                return True
            try:
                image.get_rendition(one)
            except Exception:  # a damaged file may raise anything; the next look tries again
                logger.exception("a picture could not be drawn (%s)", image.pk)
                break
            has_drawn = True
    return has_drawn


def _filters(size: str, *formats: str) -> list[Filter]:
    specs = [
        spec for name in formats for spec in Filter.expand_spec([f"format-{name}", SIZES[size]])
    ]
    return [Filter(spec) for spec in specs]


def _formats() -> tuple[str, ...]:
    return (*(["avif"] if features.check("avif") else []), "webp", "jpeg")


def _lacking() -> Iterator[tuple[Any, list[Filter]]]:
    live = BlogPage.objects.live()
    shown = set(live.exclude(image=None).values_list("image_id", flat=True))
    within = ReferenceIndex.objects.filter(
        base_content_type=ContentType.objects.get_for_model(Page),
        to_content_type=ContentType.objects.get_for_model(get_image_model()),
        object_id__in=live.values(text=Cast("pk", CharField())),
    )
    all_of_them = shown | {int(pk) for pk in within.values_list("to_object_id", flat=True)}
    pictures = get_image_model().objects.filter(pk__in=all_of_them).order_by("-pk")
    for image in pictures.prefetch_related("renditions").iterator(chunk_size=100):
        sizes = SIZES if image.pk in shown else ("text",)
        wanted = [f for size in sizes for f in _filters(size, *_formats())]
        there = image.find_existing_renditions(*wanted)
        if missing := [f for f in wanted if f not in there]:
            yield image, missing
