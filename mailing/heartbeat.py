"""Whether a worker is alive: not "a process exists", but "a task was run a moment ago"."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

BEAT_EVERY = timedelta(seconds=10)
FRESH_FOR = timedelta(seconds=60)

_KEY = "mailing:heartbeat"


def beat(now: datetime) -> None:
    """Note that a worker has just worked. Without a cache nobody sees it, but work goes on."""
    try:
        cache.set(_KEY, now, timeout=None)
    except (RedisError, OSError):
        logger.warning("the cache is away: nobody sees that work goes on")


def last_beat() -> datetime | None:
    beaten_at: datetime | None = cache.get(_KEY)
    return beaten_at


def is_beating(now: datetime) -> bool:
    """Return whether a worker has worked within the last minute."""
    last = last_beat()
    return last is not None and now - last < FRESH_FOR
