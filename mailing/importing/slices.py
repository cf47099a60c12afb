"""An import goes on for one slice of time, from the row where the last slice has ended.

What is before that row has to be read again, which a workbook makes slow: a slice writes for three
times as long as it took to get there, within bounds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from mailing.enums import ImportState
from mailing.importing import jobs
from mailing.importing.checking import Checker, Faulty
from mailing.importing.jobs import Job
from mailing.importing.refusals import FileRefused, Refusal
from mailing.importing.report import fault
from mailing.importing.rows import reading
from mailing.importing.table import Row
from mailing.importing.writing import CHUNK, Chunk, write

logger = logging.getLogger(__name__)

SLICE_SECONDS = 3.0
"""Short: a worker that imports is not there for the clock meanwhile."""

_LONGEST_SLICE = 15.0
_RENEW_AFTER = 50_000
"""Rows passed by between two renewals of the lease."""


def go_on(
    clock: Callable[[], datetime],
    seconds: float = SLICE_SECONDS,
    interrupted: Callable[[], bool] = lambda: False,
) -> bool:
    """Go on with one import; return whether there was one."""
    job = jobs.claim(clock())
    if job is None:
        return False
    try:
        _run(job, clock, seconds, interrupted)
    except FileRefused as refused:
        jobs.finish(job, ImportState.FAILED, now=clock(), refusal=refused.refusal)
    except FileNotFoundError:
        logger.error("The file of import %s is gone", job.row.pk)  # noqa: TRY400
        jobs.finish(job, ImportState.FAILED, now=clock(), refusal=Refusal.GONE)
    finally:
        jobs.release(job)
    return True


def _run(
    job: Job, clock: Callable[[], datetime], seconds: float, interrupted: Callable[[], bool]
) -> None:
    row = job.row
    began = time.monotonic()
    checker = Checker.for_owner(row.columns, row.owner_id)
    with row.file.open("rb") as file, reading(file) as rows:
        for number, _row in enumerate(_taken(rows, row.rows_done), start=1):
            if number % _RENEW_AFTER == 0 and not job.update(lease_until=clock() + jobs.LEASE):
                return
        here = time.monotonic()
        until = here + min(_LONGEST_SLICE, max(seconds, 3 * (here - began)))
        while chunk := _chunk(job, rows, checker):
            if not write(job, chunk, now=clock()):
                return
            if time.monotonic() >= until or interrupted():
                return
    _end(job, clock())


def _taken(rows: Iterator[Row], number: int) -> Iterator[Row]:
    for _n in range(number):
        row = next(rows, None)
        if row is None:
            return
        yield row


def _chunk(job: Job, rows: Iterator[Row], checker: Checker) -> Chunk | None:
    """Read and check the next rows; None after the last."""
    chunk = Chunk()
    is_first = job.row.rows_done == 0 and job.row.has_headings
    for row in _taken(rows, CHUNK):
        chunk.rows += 1
        if is_first:
            is_first = False
            continue
        try:
            chunk.entries.append(checker.check(row))
        except Faulty as found:
            chunk.faulty += 1
            chunk.faults.append(fault(job.row, row, found))
    return chunk if chunk.rows else None


def _end(job: Job, now: datetime) -> None:
    if job.row.is_checked:
        jobs.finish(job, ImportState.COMPLETED, now=now)
    elif job.row.faulty:
        jobs.finish(job, ImportState.FAILED, now=now, refusal=Refusal.FAULTY_LINES)
    else:
        job.update(is_checked=True, rows_done=0)
