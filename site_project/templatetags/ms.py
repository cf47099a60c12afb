"""Template tags of the design: icons, numbers grouped as each language does, fields, addresses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django import template
from django.conf import settings
from django.contrib.auth.password_validation import get_default_password_validators
from django.core.paginator import Page
from django.forms import BaseForm, BoundField
from django.template.context import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import get_language

from accounts.browsers import browser_name
from blog.models import BlogIndexPage
from site_project import page_slots

register = template.Library()
register.filter(browser_name)

PRODUCT_PICTURE_SIZE = (760, 500)
"""In pixels of the page; the files have twice as many for sharp screens."""

_THIN_SPACE = "\u202f"


@register.simple_tag
def ms_icon(name: str, label: str = "") -> SafeString:
    """Draw an icon of the sprite; without a label it is decoration beside a text."""
    accessible = format_html('role="img" aria-label="{}"', label) if label else "aria-hidden=true"
    return format_html(
        '<svg class="ms-icon" width="20" height="20" {} focusable="false">'
        '<use href="{}#{}"></use></svg>',
        accessible,
        static("img/icons.svg"),
        name,
    )


@register.filter
def grouped(number: int) -> str:
    """Write 48912 as 48,912 in English, and as 48 912 in Russian, which groups from five digits."""
    if (get_language() or "").startswith("ru"):
        return f"{number:,}".replace(",", _THIN_SPACE) if abs(number) >= 10_000 else str(number)
    return f"{number:,}"


@register.simple_tag
def ms_widget(field: BoundField, **attrs: Any) -> SafeString:
    """Draw a field's control; Django ties help and error to it by the ids `field.html` gives them.

    allauth's placeholders repeat the label, and its honeypot is hidden by a style attribute, which
    the Content-Security-Policy forbids: both are left out. `data_x` becomes the attribute data-x.
    """
    given = {name.replace("_", "-"): value for name, value in attrs.items()}
    return field.as_widget(attrs={"placeholder": False, "style": False, **given})


@register.simple_tag
def relabel(field: BoundField, label: str) -> str:
    """Give a field of somebody else's form our word for it, in the error summary too."""
    field.label = field.field.label = label
    return ""


@register.simple_tag
def shortest_password() -> int:
    """Return how many characters the validators want."""
    lengths = (getattr(rule, "min_length", 0) for rule in get_default_password_validators())
    return max(lengths, default=0)


@register.simple_tag
def page_numbers(page: Page[Any]) -> Iterator[str | int]:
    """Return the numbers to show for a page of many, with "…" where some are left out."""
    return page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)


@register.simple_tag(takes_context=True)
def blog_url(context: Context) -> str:
    """Return the address of the blog, empty if there is none: a bar of links must never fail."""
    blog = BlogIndexPage.objects.live().first()
    return (blog.get_url(context.get("request")) or "") if blog else ""


@register.simple_tag(takes_context=True)
def current(context: Context, url: str) -> SafeString | str:
    """Mark a link in a bar: "page" for the page itself, "true" for the section it is in."""
    path = context["request"].path
    if path == url:
        return SafeString(' aria-current="page"')
    return SafeString(' aria-current="true"') if path.startswith(url) else ""


@register.simple_tag(takes_context=True)
def product_picture(context: Context, name: str, description: str, first: bool = False) -> str:
    """Draw a screenshot of the product in the reader's language, and in the theme of the page.

    A theme that somebody has chosen is known here; else the browser says which one it is.
    """
    language = "ru" if (get_language() or "").startswith("ru") else "en"
    profile = getattr(getattr(context.get("request"), "user", None), "wagtail_userprofile", None)
    theme = getattr(profile, "theme", "")
    light, dark = (static(f"img/shots/{name}-{language}-{t}.webp") for t in ("light", "dark"))
    source = format_html('<source media="(prefers-color-scheme: dark)" srcset="{}">', dark)
    return format_html(
        '<picture>{}<img src="{}" alt="{}" width="{}" height="{}" {}></picture>',
        "" if theme in {"light", "dark"} else source,
        dark if theme == "dark" else light,
        description,
        *PRODUCT_PICTURE_SIZE,
        SafeString('fetchpriority="high"' if first else 'loading="lazy"'),
    )


@register.simple_tag(takes_context=True)
def live(context: Context, name: str, argument: Any) -> SafeString:
    """Write what moves faster than the page around it, which may be kept (`page_slots`)."""
    return page_slots.live(context["request"], name, argument)


@register.filter
def faults(form: BaseForm) -> int:
    """Count what the summary of a form lists: one field may have several."""
    return sum(len(field.errors) for field in form)


@register.filter
def absolute(path: str | None) -> str:
    """Turn a path into the public address; the request's host may be a visitor's invention."""
    return settings.SITE_URL + (path or "")


@register.filter
def anchor(heading: str) -> str:
    """Return an id for a heading of a post; the prefix keeps it apart from the ids of the page."""
    return f"h-{slugify(heading, allow_unicode=True)}"


@register.filter
def as_date(day: str) -> date:
    """Read 2026-11-30, so that an invented date is written as each language writes dates."""
    return date.fromisoformat(day)
