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
    keyed = _keyed(settings.SECRET_KEY)

    def link(delivery_id: int) -> str:
        return f"{site_url}/u/{delivery_id}-{_mark(keyed, delivery_id)}/"

    return link


def unsubscribe_token(delivery_id: int) -> str:
    return f"{delivery_id}-{_mark(_keyed(settings.SECRET_KEY), delivery_id)}"


def read_unsubscribe_token(token: str) -> int | None:
    """Return the delivery's id, or None if we did not make this token.

    Links in old letters keep working while the key they were made with is in SECRET_KEY_FALLBACKS.
    """
    number, _dash, mark = token.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if constant_time_compare(mark, _mark(_keyed(key), int(number))):
            return int(number)
    return None


def _mark(keyed: hashlib.blake2b, delivery_id: int) -> str:
    mark = keyed.copy()
    mark.update(b"%d" % delivery_id)
    return mark.hexdigest()


@lru_cache(maxsize=8)
def _keyed(secret: str) -> hashlib.blake2b:
    """Return a hash to be copied, with a key for this purpose: no other token can stand in for it.

    A keyed hash by design (RFC 7693); an HMAC hashes twice, and this is done for every letter.
    """
    key = hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)
    return hashlib.blake2b(key=key, digest_size=_MARK_BYTES)
