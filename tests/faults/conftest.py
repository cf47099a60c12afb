"""Installations of their own for tests that kill; each is a copy of one migrated database."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.installation import Installation


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
