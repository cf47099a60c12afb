"""Reads table.txt: what each address of the site answers to whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OUTSIDERS = ("anonymous", "unverified", "blocked")
"""They share a column: who is not let in is nobody, whoever that may be."""

ROLES = (*OUTSIDERS, "owner", "stranger", "manager", "blogger", "superuser")


@dataclass(frozen=True)
class Row:
    section: str
    address: str
    answers: dict[str, tuple[str, str]]
    """By role: the answers to GET and to POST."""


def read_table() -> list[Row]:
    lines = Path(__file__).with_name("table.txt").read_text().splitlines()
    return list(_rows(line for line in lines if line and not line.startswith("#")))


def _rows(lines: Iterator[str]) -> Iterator[Row]:
    section = ""
    for line in lines:
        if line.startswith("["):
            section = line.strip("[]")
            continue
        address, *cells = line.split()
        outside, *inside = (_answers(cell) for cell in cells)
        answers = [outside] * len(OUTSIDERS) + inside
        yield Row(section, address, dict(zip(ROLES, answers, strict=True)))


def _answers(cell: str) -> tuple[str, str]:
    get, _slash, post = cell.partition("/")
    return get, post or get
