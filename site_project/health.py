"""Endpoints for supervisors: is the process up, and can it do its work?"""

from __future__ import annotations

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from mailing import heartbeat


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"ok": True})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """The database answers and is migrated, the cache keeps what it is given; 503 otherwise.

    `worker` only tells: a site without a live worker still shows its pages.
    """
    parts = {"database": _database(), "cache": _cache()}
    ready = all(parts.values())
    body = {"ok": ready, **parts, "worker": parts["cache"] and heartbeat.is_beating(timezone.now())}
    return JsonResponse(body, status=200 if ready else 503)


def _database() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


def _cache() -> bool:
    try:
        cache.set("readyz", True, 30)
        return cache.get("readyz") is True
    except Exception:  # noqa: BLE001 - each cache library has its own kinds of failure
        return False
