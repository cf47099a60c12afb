"""Which pages of the blog are kept in the cache, and what they depend on."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from site_project.page_cache import ManagedCache


def _note_reader(request: HttpRequest, post_id: Any) -> None:
    from blog import readership  # models are not loaded when groups are declared

    readership.note(request, post_id)


BLOG = ManagedCache(
    "blog",
    views=("wagtail_serve",),
    depends_on=(
        "blog.BlogIndexPage",
        "blog.BlogPage",
        "blog.TaggedPost",
        "taggit",
        "wagtailcore.Page",
        "wagtailcore.PageViewRestriction",
        "wagtailcore.Site",
        "wagtailimages",
        "accounts.User",
    ),
    params=("p", "tag"),
    live=("q",),
    on_hit=_note_reader,
)
"""The index and the posts. How often a post was read is not in what is kept (`readership`)."""
