"""A copy of all that the service keeps about a person: a ZIP of JSON files, made as it is read.

Each package says what it has (`export_with`). Rows are read in steps and compressed at once, so a
copy of millions of rows needs no more memory than one of ten, and no transaction stays open.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.serializers.json import DjangoJSONEncoder
from wagtail.models import PageLogEntry
from wagtail.users.models import UserProfile

from accounts.models import User

Rows = Callable[[User], Iterable[Any]]
Files = Callable[[User], Iterable[Any]]

STEP = 1000
"""Rows that are read, and compressed, at a time."""

_sections: dict[str, Rows] = {}
_pictures: list[Files] = []


def export_with(sections: Mapping[str, Rows], pictures: Files | None = None) -> None:
    """Register files of the copy: a name without suffix, and what gives the rows of a person.

    `pictures` gives files that are taken as they are.
    """
    _sections.update(sections)
    if pictures is not None and pictures not in _pictures:
        _pictures.append(pictures)


def in_steps(queryset: Any, *fields: str) -> Iterator[dict[str, Any]]:
    """Yield the values of all rows in the order of their keys, each step by a query of its own."""
    last = 0
    while rows := list(queryset.filter(pk__gt=last).order_by("pk").values("pk", *fields)[:STEP]):
        last = rows[-1]["pk"]
        yield from rows


def copy_of(user: User, *, now: datetime) -> Iterator[bytes]:
    """Yield the bytes of the archive."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in (file for source in _pictures for file in source(user)):
            with suppress(OSError), file.open() as picture:  # one that is lost costs no other
                archive.writestr(f"pictures/{Path(file.name or '').name}", picture.read())
            yield sink.taken()
        for name, rows in _sections.items():
            member = zipfile.ZipInfo(f"{name}.json", now.timetuple()[:6])
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=True) as array:
                for part in _array(rows(user)):
                    array.write(part)
                    yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """Takes what the archive writes, to be given on; `zipfile` sees that it cannot go back."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._buffer += data
        return len(data)

    def taken(self) -> bytes:
        part = bytes(self._buffer)
        self._buffer.clear()
        return part


def _array(rows: Iterable[Any]) -> Iterator[bytes]:
    """Yield a JSON array, one row in a line, in parts of many rows."""
    lines: list[str] = []
    separator = "[\n"
    for row in rows:
        text = json.dumps(row, cls=_Encoder, ensure_ascii=False)
        lines.append(separator + text)
        separator = ",\n"
        if len(lines) == STEP:
            yield "".join(lines).encode()
            lines.clear()
    yield ("".join(lines) + ("[" if separator == "[\n" else "\n") + "]\n").encode()


class _Encoder(DjangoJSONEncoder):
    def default(self, value: Any) -> Any:
        try:
            return super().default(value)
        except TypeError:
            return str(value)  # a telephone number, a country, a time zone


# --- What accounts keeps --------------------------------------------------------------------------


def _account(user: User) -> Iterator[dict[str, Any]]:
    fields = ("email", "first_name", "middle_name", "last_name", "phone", "country")
    yield {
        **{name: getattr(user, name) for name in fields},
        "signed_up_at": user.date_joined,
        "last_login_at": user.last_login,
        "roles": list(user.groups.order_by("name").values_list("name", flat=True)),
        "addresses": list(
            EmailAddress.objects.filter(user=user).values("email", "verified", "primary")
        ),
        "preferences": UserProfile.objects.filter(user=user)
        .values("preferred_language", "current_time_zone", "theme")
        .first(),
        "second_steps": list(  # not their keys, which would open the door
            Authenticator.objects.filter(user=user).values("type", "created_at", "last_used_at")
        ),
    }


def _sessions(user: User) -> Iterator[dict[str, Any]]:
    sessions = UserSession.objects.filter(user=user)
    return in_steps(sessions, "ip", "user_agent", "created_at", "last_seen_at")


def _page_log(user: User) -> Iterator[dict[str, Any]]:
    """Yield what the admin has noted of what this person did with pages."""
    return in_steps(
        PageLogEntry.objects.filter(user=user),
        *("timestamp", "action", "content_type__model", "label", "data"),
    )


def _avatar(user: User) -> Iterator[Any]:
    if user.avatar:
        yield user.avatar


export_with({"account": _account, "sessions": _sessions, "page-log": _page_log}, _avatar)
