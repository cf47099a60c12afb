"""What both formats are read into."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is where a person finds it: the first line of it in a text, the row of a sheet."""

    line: int
    cells: tuple[str, ...]
    is_torn: bool = False
    """Its end was not found: a quotation mark is opened and not closed."""
