"""How fast clients are brought in: from the first slice of a worker to the last row.

A file of a hundred thousand lines with names, phones, a list and tags; one line in ten repeats an
address of the file, one in a hundred is faulty. It is imported into an empty account, and once more
with every name changed, so that all clients are updated; a CSV file, and a workbook of a tenth.

    python -m bench.importing                      both databases, to bench/results/importing.json
    python -m bench.importing sqlite [small]       one, with a hundredth of the lines if small
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from bench import installation, report
from bench.report import Row, row

LINES = 100_000
REPEATS = 3
PORT = 2527  # nobody listens there: an import sends nothing
LINES_PER_SECOND = {"sqlite": 4_000, "postgresql": 4_000}
CHANGED_PER_SECOND = {"sqlite": 1_500, "postgresql": 1_500}
SHEET_ROWS_PER_SECOND = {"sqlite": 2_000, "postgresql": 2_000}
HEADINGS = ("E-mail", "First name", "Last name", "Phone", "Client lists", "Tags", "Comment")


def lines(number: int, first_name: str) -> Iterator[tuple[str, ...]]:
    yield HEADINGS
    for n in range(number):
        client = n - 7 if n % 10 == 9 else n
        address = "nobody" if n % 100 == 50 else f"Client{client}@example{client % 500}.com"
        phone = f"+7916{client % 10_000_000:07}"
        yield address, first_name, f"Ёлкина {client}", phone, f"List {n % 5}", "fair", f"No. {n}"


def csv_file(number: int, first_name: str) -> bytes:
    return "".join(";".join(cells) + "\r\n" for cells in lines(number, first_name)).encode()


def xlsx_file(number: int, first_name: str) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for cells in lines(number, first_name):
        sheet.append(cells)
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def lines_per_second(owner: Any, content: bytes, number: int) -> float:
    """Import a file as a worker does, slice after slice; return its lines in a second."""
    from django.core.files.base import ContentFile
    from django.utils import timezone

    from mailing import dispatch
    from mailing.enums import Existing, ImportState
    from mailing.importing import jobs
    from mailing.importing.columns import guess
    from mailing.importing.rows import survey
    from mailing.models import ClientImport

    looked = survey(BytesIO(content), first=50)
    found = ClientImport.objects.create(
        owner=owner,
        name="clients",
        file=ContentFile(content, "clients"),
        columns=guess(looked.first).columns,
        existing=Existing.UPDATE,
        total=looked.total,
    )
    started = time.monotonic()
    jobs.start(found, now=timezone.now())
    while dispatch.import_clients():
        pass
    seconds = time.monotonic() - started
    found.refresh_from_db()
    if found.state != ImportState.COMPLETED or found.rows_done != number + 1:
        raise RuntimeError(f"the import has ended as {found.state} at {found.rows_done}")
    print(
        f"  {number / seconds:,.0f} lines/s: {found.new} new, {found.changed} changed", flush=True
    )
    return number / seconds


def times(scale: int, database: str) -> list[Row]:
    from accounts.models import User

    number = LINES // scale
    new, changed, sheet = [], [], []
    for n in range(REPEATS):
        owner = User.objects.create_user(f"owner{n}@service.test")
        new.append(lines_per_second(owner, csv_file(number, "Anna"), number))
        changed.append(lines_per_second(owner, csv_file(number, "Anne"), number))
        other = User.objects.create_user(f"other{n}@service.test")
        sheet.append(lines_per_second(other, xlsx_file(number // 10, "Anna"), number // 10))
    return [
        row(
            "new clients of a CSV file", new, "lines/s", ">=", LINES_PER_SECOND[database], database
        ),
        row("changed clients", changed, "lines/s", ">=", CHANGED_PER_SECOND[database], database),
        row("a workbook", sheet, "rows/s", ">=", SHEET_ROWS_PER_SECOND[database], database),
    ]


def measure(database: str, scale: int) -> list[Row]:
    folder = installation.prepare(database, PORT)
    try:
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        print(f"{database}:", flush=True)
        return times(scale, database)
    finally:
        from django.db import connections

        connections.close_all()
        installation.remove(folder, database)


if __name__ == "__main__":
    sys.exit(report.measure_both("importing", measure, small=100))
