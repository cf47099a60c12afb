"""The cases of the matrix: every point, every time it is reached, every way to break there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mailing.engine.faults import Point
from tests.faults.arena import KILLED, Arena, drain, plan_and_send
from tests.mailing.engine.conftest import Stage

SELECTION = os.environ.get("FAULTS", "broad")
"""`short` is for every run of the suite, `broad` for CI, `all` for `make faults`."""

TIMES = {
    Point.OCCURRENCE_TAKEN: 1,
    Point.RUN_MADE: 1,
    Point.FROZEN: 1,
    Point.OPENED: 1,
    Point.LEASED: 3,
    Point.BEFORE_INTENT: 4,
    Point.INTENT_WRITTEN: 4,
    Point.AFTER_INTENT: 4,
    Point.RENDERED: 12,
    Point.ENVELOPE_ANSWERED: 36,
    Point.JOURNAL_LINE: 12,
    Point.BEFORE_DOT: 10,
    Point.AFTER_SEND: 12,
    Point.AFTER_REPLY: 12,
    Point.BEFORE_OUTCOME: 6,
    Point.OUTCOME_WRITTEN: 6,
    Point.AFTER_OUTCOME: 1,
    Point.RELEASED: 3,
    Point.JOURNAL_SETTLED: 1,
}
"""How often, at the least, twelve letters pass each point when nothing goes wrong."""

AFTERWARDS = {
    Point.TAKEN_BACK: 1,
    Point.SPLIT_OFF: 1,
    Point.SETTLED: 1,
    Point.RUN_CLOSED: 1,
}
"""The same for the points that are passed only after a sender died."""


class Case(NamedTuple):
    scene: str
    point: Point
    number: int
    action: str

    def __str__(self) -> str:
        return f"{self.scene}-{self.fault}"

    @property
    def fault(self) -> str:
        return f"{self.point}:{self.number}:{self.action}"


def _first(arena: Arena, fault: str) -> int:
    """The sender that opens the run breaks."""
    return arena.play(plan_and_send, fault=fault)


def _without_pipelining(arena: Arena, fault: str) -> int:
    arena.sink.mood.extensions = ()
    return arena.play(plan_and_send, fault=fault)


def _next(arena: Arena, fault: str) -> int:
    """One sender was killed with letters under way; the next, on the same journal, breaks too."""
    assert arena.play(plan_and_send, fault=f"{Point.BEFORE_DOT}:5:kill9") == KILLED
    return arena.play(drain, fault=fault)


def _sweeper(arena: Arena, fault: str) -> int:
    """A sender was killed; the sweeper that takes its work back breaks."""
    assert arena.play(plan_and_send, fault=f"{Point.BEFORE_DOT}:5:kill9") == KILLED
    return arena.play(Stage.sweep, fault=fault, minutes=1)


SCENES: dict[str, Callable[[Arena, str], int]] = {
    "first": _first,
    "plain": _without_pipelining,
    "next": _next,
    "sweeper": _sweeper,
}
_SWEEPS = (Point.TAKEN_BACK, Point.SPLIT_OFF, Point.SETTLED)
_ON_THE_WIRE = (Point.ENVELOPE_ANSWERED, Point.BEFORE_DOT, Point.AFTER_SEND, Point.AFTER_REPLY)


def every_case() -> Iterator[Case]:
    for action in ("kill9", "raise", "dbclose"):
        for point, times in TIMES.items():
            for number in range(1, times + 1):
                yield Case("first", point, number, action)
                if point in _ON_THE_WIRE and number <= 34:  # two refused letters have no DATA
                    yield Case("plain", point, number, action)
        for point in (*TIMES, *AFTERWARDS):
            if point not in {Point.OCCURRENCE_TAKEN, Point.RUN_MADE, Point.FROZEN, Point.OPENED}:
                yield Case("next", point, 1, action)
        for point in _SWEEPS:
            yield Case("sweeper", point, 1, action)
    for number in range(1, TIMES[Point.JOURNAL_LINE] + 1):
        yield Case("first", Point.JOURNAL_LINE, number, "enospc")


def selected(selection: str = SELECTION) -> list[Case]:
    """Return the cases of a selection, the same ones each time."""
    cases = list(every_case())
    if selection == "all":
        return cases
    if selection == "broad":
        return [case for n, case in enumerate(cases) if case.action == "kill9" or n % 7 == 0]
    return [
        case
        for case in cases
        if case.action == "kill9" and case.scene != "plain" and case.number in {1, 6}
    ]


def hold(arena: Arena, case: Case) -> None:
    """Break it there, start anew, drain, and compare what arrived with what the tables say."""
    code = SCENES[case.scene](arena, case.fault)
    if case.action == "kill9":
        assert code == KILLED, "the point was not reached"
    arena.settle()
