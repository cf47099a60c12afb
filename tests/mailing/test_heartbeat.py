from __future__ import annotations

from datetime import timedelta

from mailing import heartbeat
from tests.factories import NOW


def test_nothing_beats_before_a_worker_has_worked() -> None:
    assert heartbeat.last_beat() is None
    assert not heartbeat.is_beating(NOW)


def test_a_worker_lives_for_a_minute_after_its_last_work() -> None:
    heartbeat.beat(NOW)
    assert heartbeat.last_beat() == NOW
    assert heartbeat.is_beating(NOW)
    assert heartbeat.is_beating(NOW + timedelta(seconds=59))
    assert not heartbeat.is_beating(NOW + timedelta(seconds=60))


def test_a_later_beat_keeps_it_alive() -> None:
    heartbeat.beat(NOW)
    heartbeat.beat(NOW + timedelta(seconds=50))
    assert heartbeat.is_beating(NOW + timedelta(seconds=100))


def test_it_beats_more_often_than_it_has_to() -> None:
    assert heartbeat.BEAT_EVERY * 3 <= heartbeat.FRESH_FOR
