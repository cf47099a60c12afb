"""One world for all tests of a module, and what is left to `make access`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.test import Client, override_settings
from pytest_django.plugin import DjangoDbBlocker

from tests.access.visits import browsers
from tests.access.world import World, make_world

# The tables of SQLite's full text search come from migrations, which the suite leaves out.
_SEARCH = {"default": {"BACKEND": "wagtail.search.backends.database.fallback"}}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "whole_site: runs only with ACCESS=all (make access)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("ACCESS") == "all":
        return
    late = [item for item in items if item.get_closest_marker("whole_site")]
    config.hook.pytest_deselected(items=late)
    items[:] = [item for item in items if item not in late]


@pytest.fixture(scope="module")
def world(
    quick_settings: None, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """Made once, since it takes longer than most tests here; each must leave it as it was."""
    with (
        override_settings(WAGTAILSEARCH_BACKENDS=_SEARCH),
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        yield make_world()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def browser_of(world: World) -> dict[str, Client]:
    return browsers(world)
