"""The short selection of the fault harness, in every run of the suite; `make faults` has all."""

from __future__ import annotations

import pytest

from tests.faults import matrix
from tests.faults.arena import Arena, arena, shared_sink, world
from tests.faults.matrix import Case

__all__ = ["arena", "shared_sink", "world"]


@pytest.mark.parametrize("case", matrix.selected("short"), ids=str)
def test_whatever_breaks_nothing_is_lost_and_nothing_doubled(arena: Arena, case: Case) -> None:
    matrix.hold(arena, case)
