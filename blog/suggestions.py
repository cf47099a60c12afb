"""What to read instead of a post that is not at its address any more."""

from __future__ import annotations

import re

from blog.models import BlogIndexPage, BlogPage, present_language

_SHOWN = 3
_LOOKED_AT = 500
_SHORTEST_WORD = 3
_WORD = re.compile(r"\w+")


def instead_of(path: str) -> list[BlogPage]:
    """Return up to three posts for an address below the blog, none for any other.

    Those with the most of its words come first, then those in the reader's language.

    Only the words of the address count, not what is or was there: whoever asks for a draft is
    answered like one who asks for nothing at all.
    """
    blog = BlogIndexPage.objects.live().public().first()
    url = blog.get_url() if blog else None
    if blog is None or not url or not path.startswith(url):
        return []
    wanted = _words(path.removeprefix(url))
    posts = blog.posts()
    recent = posts.values_list("pk", "language", "slug", "title")[:_LOOKED_AT]
    spoken = present_language()

    def rank(row: tuple[int, str, str, str]) -> tuple[int, bool]:
        _pk, language, slug, title = row
        return -len(wanted & _words(f"{slug} {title}")), language != spoken

    # The order is kept among equals, so the newest come first.
    chosen = [row[0] for row in sorted(recent, key=rank)[:_SHOWN]]
    return sorted(posts.filter(pk__in=chosen), key=lambda post: chosen.index(post.pk))


def _words(text: str) -> set[str]:
    words = _WORD.findall(text.lower().replace("_", " "))
    return {word for word in words if len(word) >= _SHORTEST_WORD}
