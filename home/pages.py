"""The front page in the cache, and what it depends on."""

from __future__ import annotations

from site_project.page_cache import ManagedCache

FRONT = ManagedCache(
    "front",
    paths=("/",),
    depends_on=(
        "home.HomePage",
        "blog.BlogIndexPage",
        "blog.BlogPage",
        "wagtailcore.Page",
        "wagtailcore.PageViewRestriction",
        "wagtailcore.Site",
        "wagtailimages",
        "accounts.User",
        "mailing.Mailing",
    ),
)
"""Its three random posts change with each generation."""
