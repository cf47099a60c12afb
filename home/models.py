"""The front page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.blocks import StreamValue
from wagtail.fields import StreamField
from wagtail.models import Page

from blog.models import BlogIndexPage, BlogPage
from home.blocks import FrontBlock
from home.pages import FRONT
from mailing.statistics import service_figures
from site_project.page_cache import ManagedCachedPageMixin

_POSTS_SHOWN = 3


class HomePage(ManagedCachedPageMixin, Page):
    """What the service is, its figures, three random posts and the way to the blog.

    The texts stand here once in each language of the site, and a reader is shown one of them.
    """

    managed_cache = FRONT

    texts_en = StreamField(FrontBlock(), verbose_name=_("English"), blank=True)
    texts_ru = StreamField(FrontBlock(), verbose_name=_("Russian"), blank=True)

    content_panels = [*Page.content_panels, FieldPanel("texts_en"), FieldPanel("texts_ru")]
    subpage_types = ["blog.BlogIndexPage"]
    max_count = 1
    template = "home/home_page.html"

    class Meta:
        verbose_name = _("front page")

    @property
    def texts(self) -> StreamValue:
        """Return the texts in the language of the reader."""
        russian = (get_language() or "").startswith("ru")
        return self.texts_ru if russian else self.texts_en

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        context.update(
            figures=service_figures(),
            posts=BlogPage.objects.public_posts().order_by("?")[:_POSTS_SHOWN],
            blog=BlogIndexPage.objects.live().first(),
        )
        return context
