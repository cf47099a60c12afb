"""A mail server for the pages that show what became of letters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.mailing.server import use_server
from tests.sink import Mood, Sink


@pytest.fixture
def sink(settings: Settings, tmp_path: Path) -> Iterator[Sink]:
    with Sink(Mood()) as sink:
        use_server(settings, tmp_path, sink.port)
        yield sink
