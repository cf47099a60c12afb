"""What a benchmark leaves behind: a table on the screen and a file in bench/results/."""

from __future__ import annotations

import json
import operator
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
CACHE = Path(__file__).parent / "cache"
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


def measure_both(name: str, measure: Callable[[str, int], list[Row]], *, small: int) -> int:
    """Run `bench.<name>` as the command line says; return the exit code.

    Without a database: on SQLite, then on PostgreSQL, each in a process with settings of its own,
    and write the results. With one: on that alone. `small` divides the rows, to try it out.
    """
    databases = [a for a in sys.argv[1:] if a in {"sqlite", "postgresql"}]
    if len(databases) == 1:
        rows = measure(databases[0], small if "small" in sys.argv else 1)
        CACHE.mkdir(exist_ok=True)
        (CACHE / f"{name}-{databases[0]}.json").write_text(json.dumps([vars(r) for r in rows]))
        show(rows)
        return 0
    rows = []
    for database in ("sqlite", "postgresql"):
        subprocess.run([sys.executable, "-m", f"bench.{name}", database], check=True)
        rows += [Row(**r) for r in json.loads((CACHE / f"{name}-{database}.json").read_text())]
    print()
    show(rows)
    print(f"\n{machine()}\nwritten to {write(name, rows)}")
    return 0 if all(r.holds for r in rows) else 1


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
