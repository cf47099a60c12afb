"""The pages that are kept, as each role sees them: from the cache, and rendered without it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.middleware.csrf import CSRF_TOKEN_LENGTH, _does_token_match
from django.test import Client as Browser
from django.test import override_settings

from accounts.models import User
from blog.models import BlogPage
from mailing.models import Client, ClientList, ClientTag, Mailing
from tests.blog.posts import make_picture, make_post
from tests.factories import make_client, make_list, make_mailing
from tests.mailing.admin.screens import url_of

ALL = os.environ.get("PAGES") == "all"
"""Whether every page is looked at after every change, not only those that must show it."""

PUBLIC = ("front", "blog", "tagged", "post")
SCREENS = ("mailings", "messages", "clients", "mailing")
LOOKS = [
    *(f"{role} {page}" for role in ("visitor", "owner", "manager") for page in PUBLIC),
    *(f"{role} {page}" for role in ("owner", "manager") for page in SCREENS),
]
"""Who looks at which page."""

_POSTS_ON_FRONT = 3
_LIVE_PARTS = {"blog/readers.html"}
_CARD = re.compile(r'<article class="post-card">.*?</article>', re.DOTALL)
_TOKEN = re.compile(rf"(?<![0-9A-Za-z])[0-9A-Za-z]{{{CSRF_TOKEN_LENGTH}}}(?![0-9A-Za-z])")


def is_hit(response: Any) -> bool:
    """Return whether a page came from the cache: then only its live parts are rendered."""
    return {template.name for template in response.templates} <= _LIVE_PARTS


class Stage:
    """An owner's clients, message and mailing, two posts, and who looks at all that.

    What is done is done by `hands`, other browsers than those that look: so what they are told
    about it ("The mailing was saved") does not stand on the pages that are compared.
    """

    alice: User
    manager: User
    blogger: User
    mailing: Mailing
    anna: Client
    friends: ClientList
    post: BlogPage

    def __init__(self, browse: Callable[..., Browser], **people: User) -> None:
        self.__dict__.update(people)
        roles = {"visitor": None, "owner": self.alice, "manager": self.manager}
        self.eyes = {role: browse(user) for role, user in roles.items()}
        self.hands = {"owner": browse(self.alice), "manager": browse(self.manager)}
        self.hands["blogger"] = browse(self.blogger)
        self.fill()

    def fill(self) -> None:
        self.anna = make_client(self.alice, "ok+anna@x.test", first_name="Anna")
        self.friends = make_list(self.alice, [self.anna], name="Friends")
        self.anna.tags.add(ClientTag.objects.create(owner=self.alice, name="vip"))
        self.mailing = make_mailing(self.alice, [self.anna], name="Spring")
        self.picture = make_picture(self.blogger)
        own = {"owner": self.blogger, "author": self.blogger, "image": self.picture}
        self.post = make_post("Dahlias", tags=("garden",), **own)
        make_post("Tulips", owner=self.blogger)

    # --- Looking ----------------------------------------------------------------------------------

    def url(self, page: str) -> str:
        if page == "mailing":
            return url_of("mailing", "inspect", self.mailing.pk)
        if page in SCREENS:
            return url_of(page.removesuffix("s"))
        if page == "post":
            return f"/blog/{BlogPage.objects.values_list('slug', flat=True).get(pk=self.post.pk)}/"
        return {"front": "/", "blog": "/blog/", "tagged": "/blog/?tag=garden"}[page]

    def get(self, look: str) -> Any:
        role, page = look.split()
        return self.eyes[role].get(self.url(page))

    def text(self, look: str, response: Any) -> str:
        """Return a page without what is each request's own, and posts in no random order."""
        role, page = look.split()
        text = f"{response.status_code} {response.text}"
        cookie = self.eyes[role].cookies.get(settings.CSRF_COOKIE_NAME)
        secret = cookie.value if cookie else ""
        text = _TOKEN.sub(lambda m: "" if _does_token_match(m[0], secret) else m[0], text)
        return self._with_cards_in_order(text) if page == "front" else text

    def _with_cards_in_order(self, text: str) -> str:
        cards = sorted(_CARD.findall(text))
        posts = {post.get_url(): post.title for post in BlogPage.objects.public_posts()}
        if len(posts) <= _POSTS_ON_FRONT:
            assert len(cards) == len(posts)
            return _CARD.sub("", text) + "".join(cards)
        assert len(set(cards)) == _POSTS_ON_FRONT
        for card in cards:
            assert any(f'"{url}"' in card and title in card for url, title in posts.items())
        return _CARD.sub("", text)

    def now(self, look: str) -> str:
        """Return a page as the next request gets it."""
        return self.text(look, self.get(look))

    def kept(self, look: str) -> str:
        """Return a page from the cache, in which it must be after it was asked for."""
        for _ in range(12):  # a picture's first rendition is written while the page is rendered
            response = self.get(look)
            if is_hit(response):
                return self.text(look, response)
        if response.status_code == 200:
            raise AssertionError(f"{look} is not kept")
        return self.text(look, response)

    def rendered(self, look: str) -> str:
        """Return a page as it is without a cache of pages."""
        dummy = {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
        with override_settings(CACHES={**settings.CACHES, "pages": dummy}):
            response = self.get(look)
        assert not is_hit(response)
        return self.text(look, response)

    def is_fresh(self, look: str) -> str:
        """Assert that the next request and the one after it get what would be rendered now."""
        now = self.now(look)
        assert now == self.rendered(look), f"{look} is stale"
        assert now == self.kept(look), f"{look} is kept as it was"
        return now

    @contextmanager
    def changing(self, *looks: str, but: float = 0) -> Iterator[None]:
        """Assert that what is done inside shows at once on these pages, which were kept before."""
        every = LOOKS if ALL else looks
        before = {look: self.kept(look) for look in every}
        yield
        for look in every:
            now = self.is_fresh(look)
            if look in looks:
                assert now != before[look], f"{look} does not show it"


def looks(pages: str, roles: str = "owner manager") -> list[str]:
    return [f"{role} {page}" for page in pages.split() for role in roles.split()]


def everybodys(pages: str) -> list[str]:
    return looks(pages, "visitor owner manager")


def is_in_files() -> bool:
    return "File" in type(caches["pages"]).__name__
