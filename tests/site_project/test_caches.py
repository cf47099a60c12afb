"""A cache whose server is away answers as one that is empty."""

from __future__ import annotations

import pytest

from site_project.caches import RedisCache


@pytest.fixture
def away() -> RedisCache:
    return RedisCache("redis://127.0.0.1:2/0", {})  # nobody listens there


def test_every_question_finds_nothing(away: RedisCache) -> None:
    assert away.get("a") is None
    assert away.get("a", "default") == "default"
    assert away.get_many(["a", "b"]) == {}
    assert away.get_or_set("a", lambda: 7) == 7
    assert "a" not in away
    assert not away.touch("a")
    assert not away.delete("a")


def test_every_write_is_lost_without_a_word(away: RedisCache) -> None:
    away.set("a", 1)
    away.delete_many(["a"])
    assert away.set_many({"a": 1, "b": 2}) == ["a", "b"], "those that were not kept"
    away.clear()


def test_nobody_waits_for_a_lock_that_cannot_be_taken(away: RedisCache) -> None:
    assert away.add("lock", 1)


def test_a_counter_that_is_lost_is_none(away: RedisCache) -> None:
    with pytest.raises(ValueError, match="not found"):
        away.incr("a")
    with pytest.raises(ValueError, match="not found"):
        away.decr("a")


def test_it_is_said_in_the_log(away: RedisCache, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "site_project.caches")
    away.get("a")
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "ConnectionError" in record.getMessage()
