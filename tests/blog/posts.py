"""Makes posts and pictures, and reads the blog as people do."""

from __future__ import annotations

import itertools
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.utils.text import slugify
from PIL import Image as Pillow
from wagtail.images import get_image_model
from wagtail.models import Collection, PageViewRestriction

from accounts.models import User
from blog.models import BlogIndexPage, BlogPage
from tests.factories import body

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
BLOG = "/blog/"

_numbers = itertools.count(1)


def make_post(title: str = "", *, tags: tuple[str, ...] = (), **fields: Any) -> BlogPage:
    title = title or f"Post {next(_numbers)}"
    post = BlogPage(
        **{
            "title": title,
            "slug": slugify(title),
            "intro": f"About {title}",
            "body": body(("text", "<p>Words.</p>")),
            **fields,
        }
    )
    BlogIndexPage.objects.get().add_child(instance=post)
    if tags:
        post.tags.add(*tags)
        post.save()
    return post


def hide(post: BlogPage) -> BlogPage:
    """Let only those who know a password read the post."""
    PageViewRestriction.objects.create(
        page=post.page_ptr, restriction_type="password", password="secret"
    )
    return post


def make_picture(owner: User, collection: str = "Blog", title: str = "Sea") -> Any:
    stream = BytesIO()
    Pillow.new("RGB", (16, 16), "navy").save(stream, "PNG")
    return get_image_model().objects.create(
        title=title,
        description=f"{title} description",
        file=ContentFile(stream.getvalue(), f"{slugify(title)}.png"),
        collection=Collection.objects.get(name=collection),
        uploaded_by_user=owner,
    )


def titles(page: Any) -> list[str]:
    """Return the titles of the posts that the index lists."""
    return [post.title for post in page.context["page_of_posts"]]
