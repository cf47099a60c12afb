"""What supervisors are told."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from mailing import heartbeat

pytestmark = pytest.mark.django_db


def unreachable(*_args: object) -> None:
    raise OperationalError("the server has gone away")


def test_a_healthy_site_without_a_worker_is_ready(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "database": True, "cache": True, "worker": False}
    assert "no-store" in answer["Cache-Control"]


def test_a_worker_shows_by_its_beat(client: Client) -> None:
    heartbeat.beat(timezone.now())
    assert client.get("/readyz").json()["worker"] is True
    heartbeat.beat(timezone.now() - heartbeat.FRESH_FOR)
    assert client.get("/readyz").json()["worker"] is False


def test_without_a_database_the_site_is_not_ready_but_alive(client: Client) -> None:
    with connection.execute_wrapper(unreachable):
        answer = client.get("/readyz")
        assert client.get("/healthz").status_code == 200
    assert answer.status_code == 503
    assert answer.json()["ok"] is False
    assert answer.json()["database"] is False


def test_a_database_that_is_not_migrated_is_not_ready(client: Client, settings: Settings) -> None:
    settings.MIGRATION_MODULES = {}  # the suite runs without; now they count, and none was applied
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] is False


@pytest.mark.parametrize(
    "cache",
    [
        {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": "/dev/null/cache",
        },
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:2",
        },
        {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    ],
    ids=["a full disk", "a server that is away", "one that keeps nothing"],
)
def test_a_cache_that_does_not_keep_is_not_ready(
    client: Client, settings: Settings, cache: dict[str, str]
) -> None:
    settings.CACHES = {"default": cache}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ok": False, "database": True, "cache": False, "worker": False}


def test_they_only_answer_questions(client: Client) -> None:
    assert client.post("/readyz").status_code == 405
    assert client.head("/healthz").status_code == 200
