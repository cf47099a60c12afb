"""How much of a file is taken, and for how long it is kept."""

from __future__ import annotations

from datetime import timedelta

MOST_BYTES = 50 * 1024 * 1024
MOST_ROWS = 1_048_576
"""As many as a sheet of Excel has."""

MOST_COLUMNS = 200
LONGEST_CELL = 10_000
LONGEST_LINE = 1_000_000
"""Characters of one line of a text: nobody's table, but it would have to be held in memory."""

# An XLSX is an archive, and a small one may hold a huge table.
MOST_UNPACKED_BYTES = 512 * 1024 * 1024
MOST_SHARED_BYTES = 32 * 1024 * 1024
"""Of the parts that are held in memory whole: all texts of the sheets, and the styles."""
MOST_PARTS = 2_000

MOST_LISTS_OF_OWNER = 500
"""Lists of one owner up to which an import makes those that a file names."""
MOST_TAGS_OF_OWNER = 1_000
MOST_NAMES_IN_CELL = 20

ROWS_SHOWN = 10
"""Rows of the preview."""
MOST_PREVIEWED = 10_000
"""Rows that are checked for the figures of the preview."""
PREVIEW_SECONDS = 2.0

MOST_FAULTS_KEPT = 10_000
"""Faulty lines that a report names; the others are counted."""
MOST_DRAFTS = 5
"""Files of one owner that wait for a decision; an older one gives way."""

MOST_RUNNING = 5
"""Imports of one owner at a time: each keeps its file until it has ended."""

KEEP_DRAFTS = timedelta(days=7)
KEEP_REPORTS = timedelta(days=90)
