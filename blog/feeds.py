"""The newest posts as RSS and Atom, at addresses that stay whatever the blog is called."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _

from blog.models import BlogIndexPage, BlogPage

_LONGEST = 20


class PostsFeed(Feed[BlogPage, Any]):
    """RSS. Every address in it is the public one: a request's host may be anybody's invention."""

    url_name = "posts_rss"
    language = None

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> BlogIndexPage | None:
        return BlogIndexPage.objects.live().first()

    def title(self, blog: BlogIndexPage | None) -> str:
        title = blog.shown_title if blog else _("Blog")
        return f"{settings.SITE_NAME} · {title}"

    def description(self, blog: BlogIndexPage | None) -> str:
        return (blog.shown_intro if blog else "") or str(settings.SITE_NAME)

    def link(self, blog: BlogIndexPage | None) -> str:
        return settings.SITE_URL + ((blog.get_url() if blog else "") or "/")

    def feed_url(self, blog: BlogIndexPage | None) -> str:
        return settings.SITE_URL + reverse(self.url_name)

    def items(self, blog: BlogIndexPage | None) -> QuerySet[BlogPage]:
        posts = blog.posts() if blog else BlogPage.objects.none()
        return posts.prefetch_related("tagged_items__tag")[:_LONGEST]

    def item_title(self, post: Any) -> str:
        return str(post.title)

    def item_description(self, post: BlogPage) -> str:
        return post.intro

    def item_link(self, post: BlogPage) -> str:
        return settings.SITE_URL + (post.get_url() or "/")

    def item_author_name(self, post: BlogPage) -> str:
        return post.author_name

    def item_pubdate(self, post: BlogPage) -> datetime | None:
        published: datetime | None = post.first_published_at
        return published

    def item_updateddate(self, post: BlogPage) -> datetime | None:
        published: datetime | None = post.last_published_at
        return published

    def item_categories(self, post: BlogPage) -> list[str]:
        return [item.tag.name for item in post.tagged_items.all()]


class AtomPostsFeed(PostsFeed):
    feed_type = Atom1Feed
    url_name = "posts_atom"

    def subtitle(self, blog: BlogIndexPage | None) -> str:
        return self.description(blog)
