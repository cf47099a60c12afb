"""What a benchmark leaves behind: a table on the screen and a file in bench/results/."""

from __future__ import annotations

import json
import operator
import os
import platform
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
_HOLDS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
}


@dataclass
class Row:
    """One measured figure. `value` is the median of `runs`; `bar` is what it is held to."""

    what: str
    value: float
    unit: str
    bar: float
    op: str
    database: str
    runs: list[float] = field(default_factory=list)
    holds: bool = False

    def __post_init__(self) -> None:
        self.holds = _HOLDS[self.op](self.value, self.bar)


def row(what: str, runs: list[float], unit: str, op: str, bar: float, database: str) -> Row:
    value = statistics.median(runs)
    return Row(what, round(value, 4), unit, bar, op, database, [round(run, 4) for run in runs])


def show(rows: list[Row]) -> None:
    width = max(len(r.what) for r in rows)
    print(f"{'':{width}}  {'database':10}  {'measured':>12}  {'held to':>12}")
    for r in rows:
        verdict = "" if r.holds else "  falls short"
        measured, bar = f"{r.value:,.4g} {r.unit}", f"{r.op} {r.bar:,.4g}"
        print(f"{r.what:{width}}  {r.database:10}  {measured:>12}  {bar:>12}{verdict}")


def write(name: str, rows: list[Row]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{name}.json"
    content = {
        "machine": machine(),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
        "rows": [asdict(r) for r in rows],
    }
    target.write_text(json.dumps(content, indent=1) + "\n")
    return target


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} x {model}, {memory:.0f} GiB, Python {platform.python_version()}"


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()
