"""Tokens in the links of letters: unforgeable, for one purpose, without an address in them."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from django.conf import settings
from django.utils.crypto import constant_time_compare

_PURPOSE = b"mailing.unsubscribe"
_MARK_CHARACTERS = 32  # 128 bits


def unsubscribe_url(site_url: str, delivery_id: int) -> str:
    """Return the address that stops the letters of the delivery's owner to its recipient."""
    return f"{site_url}/u/{unsubscribe_token(delivery_id)}/"


def unsubscribe_token(delivery_id: int) -> str:
    return f"{delivery_id}-{_mark(settings.SECRET_KEY, delivery_id)}"


def read_unsubscribe_token(token: str) -> int | None:
    """Return the delivery's id, or None if we did not make this token.

    Links in old letters keep working while the key they were made with is in SECRET_KEY_FALLBACKS.
    """
    number, _dash, mark = token.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if constant_time_compare(mark, _mark(key, int(number))):
            return int(number)
    return None


def _mark(secret: str, delivery_id: int) -> str:
    mark = hmac.digest(_key(secret), b"%d" % delivery_id, hashlib.sha256)
    return mark.hex()[:_MARK_CHARACTERS]


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    """Return a key of its own for this purpose, so that no other token can stand in for it."""
    return hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)
