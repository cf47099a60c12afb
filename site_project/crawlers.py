"""What programs that read the site are told: the list of its pages, and where not to go."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from wagtail.models import Page, Site

_PUBLIC = ("/accounts/login/", "/accounts/signup/")
_PRIVATE = ("/admin/", "/accounts/", "/u/", "/mail/")


class PagesSitemap(Sitemap[Page]):
    """All pages that everybody may read, at their public addresses."""

    def get_protocol(self, protocol: str | None = None) -> str:
        return urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: Any = None) -> str:
        return urlsplit(settings.SITE_URL).netloc

    def items(self) -> QuerySet[Page]:
        root = Site.objects.select_related("root_page").get(is_default_site=True).root_page
        pages: QuerySet[Page] = root.get_descendants(inclusive=True).live().public()
        return pages.order_by("path")

    def location(self, page: Page) -> str:
        return str(page.get_url() or "/")

    def lastmod(self, page: Page) -> datetime | None:
        changed: datetime | None = page.last_published_at or page.latest_revision_created_at
        return changed


def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *"]
    lines += [f"Allow: {path}" for path in _PUBLIC]
    lines += [*(f"Disallow: {path}" for path in _PRIVATE), ""]
    lines.append(f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
