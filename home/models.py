"""The front page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from wagtail.models import Page

from blog.models import BlogIndexPage, BlogPage
from mailing.statistics import service_figures

_POSTS_SHOWN = 3


class HomePage(Page):
    """What the service is, its figures, three random posts and the way to the blog."""

    subpage_types = ["blog.BlogIndexPage"]
    max_count = 1
    template = "home/home_page.html"

    class Meta:
        verbose_name = _("front page")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        context.update(
            figures=service_figures(),
            posts=BlogPage.objects.public_posts().order_by("?")[:_POSTS_SHOWN],
            blog=BlogIndexPage.objects.live().first(),
        )
        return context
