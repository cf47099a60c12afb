"""Tells readers from crawlers, as far as those say who they are."""

import re

from django.http import HttpRequest

_CRAWLER = re.compile(
    r"bot|crawl|spider|slurp|preview|monitor|curl|wget|python|http", re.IGNORECASE
)


def is_person(request: HttpRequest) -> bool:
    """Return whether a view counts: a GET by something that calls itself a browser."""
    agent = request.headers.get("User-Agent", "")
    prefetch = "prefetch" in request.headers.get("Sec-Purpose", "")
    return request.method == "GET" and bool(agent) and not prefetch and not _CRAWLER.search(agent)
