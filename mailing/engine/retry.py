"""When a deferred delivery is tried again. Pure."""

from __future__ import annotations

from datetime import timedelta
from random import Random

_WAITS = tuple(timedelta(minutes=m) for m in (5, 15, 30, 60, 120, 240))
_JITTER = 0.2


def wait_after(attempt: int, random: Random) -> timedelta:
    """Return how long to wait after failed attempt `attempt` (1-based).

    RFC 5321 section 4.5.4.1 advises at least 30 minutes in general and two tries in the first hour;
    a greylisting server wants some five minutes. The waits spread by a fifth either way, so that a
    run that was deferred together does not come back together. The run's `expires_at` ends it.
    """
    wait = _WAITS[min(attempt, len(_WAITS)) - 1]
    return wait * random.uniform(1 - _JITTER, 1 + _JITTER)
