"""Pages to read caught letters. They exist only where MAIL_CATCHER_DIR is set."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from site_project.mailcatcher.box import Box, Letter

_SHOWN = 100
# What a letter's HTML may do in its frame: show its styles and pictures, and open links elsewhere.
_LETTER_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; sandbox allow-popups"
    " allow-popups-to-escape-sandbox; frame-ancestors 'self'"
)
_LINKS_OPEN_ELSEWHERE = '<base target="_blank">'


@never_cache
@require_safe
def letters(request: HttpRequest) -> HttpResponse:
    box = _box()
    to = request.GET.get("to", "")[:254]
    context = {
        "letters": [_row(letter) for letter in box.newest(_SHOWN, to)],
        "count": box.count(),
        "to": to,
    }
    return render(request, "mailcatcher/letters.html", context)


@never_cache
@require_safe
def letter(request: HttpRequest, key: str) -> HttpResponse:
    caught = _get(key)
    context = {
        **_row(caught),
        "headers": caught.message.items(),
        "text": caught.body("plain"),
        "has_html": bool(caught.body("html")),
    }
    return render(request, "mailcatcher/letter.html", context)


@never_cache
@require_safe
@xframe_options_sameorigin
def letter_html(request: HttpRequest, key: str) -> HttpResponse:
    markup = _get(key).body("html")
    start = markup.find("<head>") + len("<head>") if "<head>" in markup else 0
    markup = markup[:start] + _LINKS_OPEN_ELSEWHERE + markup[start:]
    return HttpResponse(markup, headers={"Content-Security-Policy": _LETTER_POLICY})


def _row(caught: Letter) -> dict[str, object]:
    return {
        "letter": caught,
        "caught_at": datetime.fromtimestamp(caught.caught_at, tz=UTC),
    }


def _box() -> Box:
    if settings.MAIL_CATCHER_DIR is None:
        raise Http404
    return Box(settings.MAIL_CATCHER_DIR)


def _get(key: str) -> Letter:
    caught = _box().get(key)
    if caught is None:
        raise Http404
    return caught
