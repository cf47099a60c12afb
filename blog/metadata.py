"""What search engines and messengers are told about a post, beside what people read."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from blog.models import BlogPage

_PREVIEW = "fill-1200x630|format-jpeg"
# As in Django's json_script: what could end the element, or begin another, is written as a code.
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


def preview_picture(post: BlogPage) -> Any:
    """Return the picture for cards of other sites, None if the post has none."""
    return post.image.get_rendition(_PREVIEW) if post.image else None


def structured_data(post: BlogPage) -> SafeString:
    """Return the post as schema.org's BlogPosting, fit for a script element of that type."""
    url = settings.SITE_URL + (post.get_url() or "/")
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "headline": post.title,
        "description": post.search_description or post.intro,
        "inLanguage": post.language,
        "datePublished": post.date.isoformat(),
        "author": {"@type": _kind_of_author(post), "name": post.author_name},
        "publisher": {"@type": "Organization", "name": settings.SITE_NAME},
        "mainEntityOfPage": {"@type": "WebPage", "@id": url},
        "url": url,
        "keywords": [tag.name for tag in post.tags.all()],
        "timeRequired": f"PT{post.reading_minutes}M",
    }
    if post.last_published_at:
        data["dateModified"] = post.last_published_at.isoformat()
    picture = preview_picture(post)
    if picture is not None:
        data["image"] = [settings.SITE_URL + picture.url]
    return mark_safe(json.dumps(data, ensure_ascii=False).translate(_ESCAPES))  # noqa: S308 - escaped


def _kind_of_author(post: BlogPage) -> str:
    return "Organization" if post.author_name == settings.SITE_NAME else "Person"
