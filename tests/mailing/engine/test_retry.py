from __future__ import annotations

from datetime import timedelta
from random import Random

from mailing.engine.retry import wait_after

MINUTE = timedelta(minutes=1)


def test_waits_grow_and_end_at_four_hours() -> None:
    middle = [5, 15, 30, 60, 120, 240, 240, 240]
    for attempt, minutes in enumerate(middle, 1):
        for seed in range(50):
            wait = wait_after(attempt, Random(seed))
            assert 0.8 * minutes * MINUTE <= wait <= 1.2 * minutes * MINUTE


def test_waits_are_spread() -> None:
    assert len({wait_after(1, Random(seed)) for seed in range(20)}) == 20
