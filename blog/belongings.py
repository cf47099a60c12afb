"""The posts of a person, for the copy that everybody may take along (`accounts.portability`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from accounts.models import User
from blog.models import BlogPage


def _posts(author: User) -> Iterator[dict[str, Any]]:
    for post in BlogPage.objects.filter(author=author).order_by("pk").iterator(chunk_size=100):
        latest: Any = post.get_latest_revision_as_object()
        yield {
            "pk": post.pk,
            "title": latest.title,
            "intro": latest.intro,
            "body": list(latest.body.raw_data),
            "date": latest.date,
            "live": post.live,
            "first_published_at": post.first_published_at,
        }


SECTIONS = {"posts": _posts}
