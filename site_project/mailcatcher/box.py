"""The folder of caught letters: one file each, named so that the newest sorts last."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

_KEPT = 5000


@dataclass(frozen=True, slots=True)
class Letter:
    key: str
    recipients: str
    source: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.source, policy=default)
        assert isinstance(parsed, EmailMessage)  # noqa: S101 - what the default policy makes
        return parsed

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def sender(self) -> str:
        return str(self.message["From"] or "")

    @property
    def caught_at(self) -> float:
        return int(self.key.split("-")[0]) / 1e6

    def body(self, kind: str) -> str:
        """Return the part of type text/`kind`, empty if there is none."""
        part = self.message.get_body((kind,))
        if part is None:
            return ""
        try:
            return str(part.get_content())
        except LookupError:  # a charset that nobody knows
            return bytes(part.get_payload(decode=True)).decode("utf-8", "replace")


class Box:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, recipients: list[str], source: bytes) -> None:
        """Keep a letter. A reader never sees half of one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        key = f"{time.time_ns() // 1000}-{secrets.token_hex(4)}"
        unfinished = self._folder / f"{key}.part"
        unfinished.write_bytes(", ".join(recipients).encode() + b"\n" + source)
        unfinished.rename(self._folder / f"{key}.eml")

    def count(self) -> int:
        return sum(1 for _ in self._folder.glob("*.eml")) if self._folder.is_dir() else 0

    def newest(self, limit: int, to: str = "") -> Iterator[Letter]:
        """Yield the newest letters first, those to addresses that contain `to`."""
        found = 0
        for path in sorted(self._folder.glob("*.eml"), reverse=True)[:_KEPT]:
            letter = _read(path)
            if to.lower() in letter.recipients.lower():
                yield letter
                found += 1
                if found == limit:
                    return

    def get(self, key: str) -> Letter | None:
        path = self._folder / f"{key}.eml"
        return _read(path) if path.is_file() else None


def _read(path: Path) -> Letter:
    recipients, _newline, source = path.read_bytes().partition(b"\n")
    return Letter(path.stem, recipients.decode("utf-8", "replace"), source)
