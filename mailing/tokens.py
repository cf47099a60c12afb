"""Tokens in the links of letters: unforgeable, for one purpose, without an address in them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.utils.crypto import constant_time_compare

_PURPOSE = b"mailing.unsubscribe"
_MARK_BYTES = 16


def unsubscribe_links(site_url: str) -> Callable[[int], str]:
    """Return a function from a delivery's id to the address that stops its owner's letters."""
    key = _key(settings.SECRET_KEY)

    def link(delivery_id: int) -> str:
        return f"{site_url}/u/{delivery_id}-{_mark(key, delivery_id)}/"

    return link


def unsubscribe_token(delivery_id: int) -> str:
    return f"{delivery_id}-{_mark(_key(settings.SECRET_KEY), delivery_id)}"


def read_unsubscribe_token(token: str) -> int | None:
    """Return the delivery's id, or None if we did not make this token.

    Links in old letters keep working while the key they were made with is in SECRET_KEY_FALLBACKS.
    """
    number, _dash, mark = token.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if constant_time_compare(mark, _mark(_key(key), int(number))):
            return int(number)
    return None


def _mark(key: bytes, delivery_id: int) -> str:
    # A keyed hash by design (RFC 7693); an HMAC hashes twice, and this is done for every letter.
    return hashlib.blake2b(b"%d" % delivery_id, key=key, digest_size=_MARK_BYTES).hexdigest()


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    """Return a key of its own for this purpose, so that no other token can stand in for it."""
    return hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)
