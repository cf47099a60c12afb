"""How often posts are read: counted in the cache, written down once a minute.

A page must not write to the database for being read, and a post's page is not rendered anew when
it is. Each process counts into an entry of its own, for none of Django's caches adds up what two
processes add at once. What was counted is written down a minute after counting has moved on to
other entries, when nobody adds to the old ones any more. A cache that is lost takes the views of
the last minutes with it.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from typing import Any
from uuid import uuid4

from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.template.loader import render_to_string

from blog.models import BlogPage, Readership
from blog.visitors import is_person

_COUNTING, _CLOSED = "blog:readers:counting", "blog:readers:closed"
_FLUSHING = "blog:readers:flushing"
_PLACES = 64
_DAY = 86_400
_lock = threading.Lock()
_own: dict[str, str] = {}
"""The round and the entry that this process counts into; a forked one takes another."""
os.register_at_fork(after_in_child=_own.clear)


def note(request: HttpRequest, post_id: int | None) -> None:
    """Count a request for a post if a person makes it; `post_id` is None for other pages."""
    if post_id is None or not is_person(request):
        return
    with _lock:
        place = _own_place(_round())
        counts: Counter[int] = cache.get(place) or Counter()
        counts[post_id] += 1
        cache.set(place, counts, _DAY)
    cache.set(_shown_key(post_id), shown(post_id) + 1, _DAY)


def shown(post_id: int) -> int:
    """Return how often a post was read, by a query only if the cache does not know."""
    number: int | None = cache.get(_shown_key(post_id))
    if number is None:
        number = _written(post_id)
        cache.set(_shown_key(post_id), number, _DAY)
    return number


def readers_html(request: HttpRequest, post_id: Any) -> str:
    """Write the number for the page of a post."""
    number = shown(post_id)
    return render_to_string("blog/readers.html", {"number": number}) if number else ""


def write_down() -> None:
    """Write down what was counted until the call before this one. Once a minute, by anybody."""
    if not cache.add(_FLUSHING, 1, 30):
        return
    try:
        closed, counting = cache.get(_CLOSED), _round()
        counts = _take(closed) if closed else Counter()
        cache.set(_CLOSED, counting, None)
        cache.set(_COUNTING, uuid4().hex, None)
        with transaction.atomic():
            for post_id, number in counts.items():
                _add(post_id, number)
        still = _counted(counting)
        for post_id in counts:
            cache.set(_shown_key(post_id), _written(post_id) + still[post_id], _DAY)
    finally:
        cache.delete(_FLUSHING)


def _add(post_id: int, number: int) -> None:
    rows = Readership.objects.filter(post=post_id)
    if rows.update(readers=F("readers") + number):
        return
    if BlogPage.objects.filter(pk=post_id).exists():  # not one that was deleted meanwhile
        Readership.objects.bulk_create([Readership(post_id=post_id)], ignore_conflicts=True)
        rows.update(readers=F("readers") + number)


def _written(post_id: int) -> int:
    number = Readership.objects.filter(post=post_id).values_list("readers", flat=True).first()
    return number or 0


def _round() -> str:
    """Return what names the entries that are counted into now."""
    cache.add(_COUNTING, uuid4().hex, None)
    name: str = cache.get(_COUNTING) or "first"
    return name


def _own_place(name: str) -> str:
    """Return the entry that this process alone counts into, in the round of this name.

    With more processes than places some share one, and may lose what they count at once.
    """
    if _own.get("round") != name:
        first = os.getpid() % _PLACES
        places = [_place(name, (first + n) % _PLACES) for n in range(_PLACES)]
        free = (place for place in places if cache.add(place, Counter(), _DAY))
        _own.update(round=name, place=next(free, places[0]))
    return _own["place"]


def _place(name: str, number: int) -> str:
    return f"blog:readers:{name}:{number}"


def _shown_key(post_id: int) -> str:
    return f"blog:readers:shown:{post_id}"


def _counted(name: str) -> Counter[int]:
    found = cache.get_many([_place(name, n) for n in range(_PLACES)])
    return sum(found.values(), Counter())


def _take(name: str) -> Counter[int]:
    counts = _counted(name)
    cache.delete_many([_place(name, n) for n in range(_PLACES)])
    return counts
