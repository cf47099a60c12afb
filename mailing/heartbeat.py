"""Whether a worker is alive: not "a process exists", but "a task was run a moment ago"."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.cache import cache

BEAT_EVERY = timedelta(seconds=10)
FRESH_FOR = timedelta(seconds=60)

_KEY = "mailing:heartbeat"


def beat(now: datetime) -> None:
    """Note that a worker has just worked."""
    cache.set(_KEY, now, timeout=None)


def last_beat() -> datetime | None:
    beaten_at: datetime | None = cache.get(_KEY)
    return beaten_at


def is_beating(now: datetime) -> bool:
    """Return whether a worker has worked within the last minute."""
    last = last_beat()
    return last is not None and now - last < FRESH_FOR
