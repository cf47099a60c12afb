"""The clock of running processes jumps forward and back in the middle of a run. Row 24."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.installation import Installation, await_more, wait_for
from tests.faults.matrix import SELECTION
from tests.sink import Mood, Sink

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
LETTERS = 160

_JUMPS: list[tuple[str, ...]] = [("+1h",), ("-1h", "+0")]
if SELECTION == "all":
    _JUMPS += [("+1d", "+25h"), ("-3", "+3"), ("+1h", "+0")]

pytestmark = pytest.mark.skipif(
    not LIBRARIES, reason="the package faketime is not installed: no clock can be moved"
)


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """Return the file that says how far the clock of the processes is from ours."""
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    return clock


def under(clock: Path) -> dict[str, str]:
    return {
        "LD_PRELOAD": str(LIBRARIES[-1]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # whoever sets a clock does not move that one
    }


@pytest.mark.parametrize("jumps", _JUMPS, ids=" ".join)
def test_one_run_and_one_letter_for_each_whatever_the_clock_says(
    install: Callable[..., Installation], clock: Path, jumps: tuple[str, ...]
) -> None:
    with Sink(Mood(dot_delay=0.1)) as sink:
        due = install(
            EMAIL_URL=f"smtp://127.0.0.1:{sink.port}", SMTP_CONNECTIONS="2", **under(clock)
        )
        make = f"from tests.faults.chores import make_due_mailing as m; m({LETTERS}, 'week')"
        assert due.manage("shell", "--no-imports", "-c", make).returncode == 0
        arrived = sink.ledger.letters
        # One sends; the other plans and sweeps meanwhile, by the clock that has jumped.
        with due.running("scheduler"), due.running("scheduler"):
            for jump in jumps:
                await_more(arrived, 20, within=60)
                clock.write_text(f"{jump}\n")
            wait_for(
                lambda: due.read("SELECT status FROM mailing_run") == [("completed",)],
                within=60,
                what="the end of the only run",
            )
    assert due.read("SELECT state, count(*) FROM mailing_delivery GROUP BY state") == [
        ("sent", LETTERS)
    ]
    assert len({letter["delivery"] for letter in arrived}) == len(arrived) == LETTERS
    ((batches,),) = due.read("SELECT count(*) FROM mailing_batch")
    if jumps == ("+1h",):
        assert batches > 1, "the other took the sender for dead"
