"""What in a stored page is each request's own: cut out when it is stored, filled in when it leaves.

Three things differ between two requests for the same page: the CSRF token, which is masked anew
each time and belongs to one browser; the nonce of the Content-Security-Policy; and what moves
faster than pages do, such as the number of a post's readers (`live`).

The pieces in between are stored apart, without any mark, so nothing that somebody writes into a
page can be taken for a slot.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.middleware import csrf
from django.middleware.csrf import CSRF_SECRET_LENGTH, CSRF_TOKEN_LENGTH, get_token
from django.utils.safestring import SafeString, mark_safe

_RUN = re.compile(rb"[0-9A-Za-z]{%d,}" % CSRF_TOKEN_LENGTH)
"""A token stands in one, and not always alone: \\u0022 and %22 end in a digit."""
_LONGEST_RUN = 1_000
_MARKS = "_marks_of_live_parts"

Filler = Callable[[HttpRequest, Any], str]
_fillers: dict[str, Filler] = {}


class Slot(NamedTuple):
    """`kind` is "csrf", "nonce" or the name of a live part, whose `argument` the filler gets."""

    kind: str
    argument: Any = None


class CutPage(NamedTuple):
    """A page in pieces; a slot stands between each two of them."""

    pieces: Sequence[bytes]
    slots: Sequence[Slot]

    def filled(self, request: HttpRequest) -> bytes:
        """Return the page as this request gets it."""
        if not self.slots:
            return self.pieces[0]
        values = {slot: _value(slot, request).encode() for slot in set(self.slots)}
        parts = [self.pieces[0]]
        for slot, piece in zip(self.slots, self.pieces[1:], strict=True):
            parts += (values[slot], piece)
        return b"".join(parts)

    @property
    def has_nonce(self) -> bool:
        return any(slot.kind == "nonce" for slot in self.slots)


def fill_live_with(name: str, filler: Filler) -> None:
    """Register what writes a live part: from the request and the part's argument to HTML."""
    _fillers[name] = filler


def record(request: HttpRequest) -> None:
    """Have the live parts of the page that is rendered now marked, for `cut` to find them."""
    setattr(request, _MARKS, {})


def live(request: HttpRequest, name: str, argument: Any) -> SafeString:
    """Return a live part for a template: a mark while the page is recorded, else its HTML."""
    marks: dict[bytes, Slot] | None = getattr(request, _MARKS, None)
    if marks is None:
        return mark_safe(_fillers[name](request, argument))  # noqa: S308 - fillers return HTML
    mark = f"<!-- {secrets.token_hex(16)} -->"
    marks[mark.encode()] = Slot(name, argument)
    return mark_safe(mark)  # noqa: S308 - made above


def cut(content: bytes, request: HttpRequest) -> CutPage:
    """Take out of a rendered page what belongs to this request alone."""
    places = {
        **getattr(request, _MARKS, {}),
        **dict.fromkeys(_tokens(content, request), Slot("csrf")),
    }
    if nonce := _nonce(request):
        places[nonce.encode()] = Slot("nonce")
    if not places:
        return CutPage([content], [])
    found = re.split(b"(" + b"|".join(re.escape(place) for place in places) + b")", content)
    return CutPage(found[::2], [places[place] for place in found[1::2]])


def holds_secret(page: CutPage, request: HttpRequest) -> bool:
    """Return whether the browser's CSRF secret may stand in a page even so."""
    secret = _secret(request)
    return bool(secret) and any(
        secret.encode() in piece or any(len(run) > _LONGEST_RUN for run in _RUN.findall(piece))
        for piece in page.pieces
    )


def _tokens(content: bytes, request: HttpRequest) -> set[bytes]:
    secret = _secret(request)
    if not secret:
        return set()
    # Django has no public way from a token back to its secret.
    unmasked = csrf._unmask_cipher_token  # type: ignore[attr-defined]
    places = {
        run[start : start + CSRF_TOKEN_LENGTH]
        for run in set(_RUN.findall(content))
        if len(run) <= _LONGEST_RUN  # a page with a longer one is not kept
        for start in range(len(run) - CSRF_TOKEN_LENGTH + 1)
    }
    return {token for token in places if unmasked(token.decode()) == secret}


def _secret(request: HttpRequest) -> str:
    secret: str = request.META.get("CSRF_COOKIE", "")
    return secret if len(secret) == CSRF_SECRET_LENGTH else ""


def _nonce(request: HttpRequest) -> str:
    """Return the nonce that a middleware has given the request, as django-csp and Django 6 do."""
    return str(getattr(request, "csp_nonce", "") or "")


def _value(slot: Slot, request: HttpRequest) -> str:
    if slot.kind == "csrf":
        return str(get_token(request))
    if slot.kind == "nonce":
        return _nonce(request)
    return _fillers[slot.kind](request, slot.argument)
