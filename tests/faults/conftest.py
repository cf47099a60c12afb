"""Installations of their own for tests that kill; each is a copy of one migrated database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections

from mailing.engine import faults
from tests.faults.arena import arena, shared_sink, world
from tests.faults.installation import Installation
from tests.mailing.engine.conftest import mood, stage

__all__ = ["arena", "mood", "shared_sink", "stage", "world"]


@pytest.fixture(autouse=True)
def faults_allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FAULTS_ALLOWED", "1")
    yield
    faults.watch(None)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated database file. Its schedules are off: they would work between the tests."""
    new = Installation(tmp_path_factory.mktemp("migrated"), {"SCHEDULER_ACTIVE": "off"})
    done = new.manage("migrate", "-v0", within=120)
    assert done.returncode == 0, done.stderr
    new.write("PRAGMA wal_checkpoint(TRUNCATE)")
    return new.database


@pytest.fixture
def install(migrated: Path, tmp_path: Path) -> Callable[..., Installation]:
    def make(**settings: str) -> Installation:
        installation = Installation(tmp_path, settings)
        shutil.copyfile(migrated, installation.database)
        return installation

    return make


@pytest.fixture
def installation(install: Callable[..., Installation]) -> Installation:
    return install()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, request: pytest.FixtureRequest
) -> None:
    """Give the databases of the harness a name of their own on a shared PostgreSQL."""
    database = connections["default"].settings_dict
    if database["ENGINE"].endswith("postgresql"):
        worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
        database["TEST"]["NAME"] = f"faults_{os.getpid()}_{worker}"
