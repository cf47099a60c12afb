"""A full name in one cell, taken apart."""

from __future__ import annotations


def split_name(text: str, *, surname_first: bool) -> tuple[str, str, str]:
    """Return first, middle and last name. A comma says by itself that the last name comes first."""
    before, _comma, after = (" ".join(part.split()) for part in text.partition(","))
    if before and after:
        first, _blank, middle = after.partition(" ")
        return first, middle, before
    words = text.replace(",", " ").split()
    if len(words) < 2:
        return "".join(words), "", ""
    if surname_first:
        last, first, *between = words
    else:
        first, *between, last = words
    return first, " ".join(between), last
