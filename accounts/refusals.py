"""What is left of a closed account: fingerprints of the addresses that had refused its letters.

Nobody can read an address out of one, but whoever signs up again with the same address, and adds
such a client again, is recognised: that client stays unmailed. The key comes from SECRET_KEY; a
former one counts while it is in SECRET_KEY_FALLBACKS.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from django.conf import settings

from accounts.models import KeptRefusal

_PURPOSE = b"accounts.refusals"
_MARK_BYTES = 16

Refusal = tuple[str, str, datetime]
"""A normalised address, the reason, and since when."""


def keep(owner_email: str, refused: Iterable[Refusal]) -> None:
    """Keep the fingerprints of these addresses. Twice is harmless."""
    key = _key(settings.SECRET_KEY)
    KeptRefusal.objects.bulk_create(
        [
            KeptRefusal(
                owner_mark=_mark(key, owner_email),
                mark=_mark(key, owner_email, address),
                reason=reason,
                created_at=created_at,
            )
            for address, reason, created_at in refused
        ],
        ignore_conflicts=True,
    )


def any_kept(owner_email: str) -> bool:
    """Return whether an account of this address was closed that had refusals."""
    return KeptRefusal.objects.filter(owner_mark__in=_marks(owner_email)).exists()


def take(owner_email: str, addresses: Sequence[str]) -> list[Refusal]:
    """Return those of the normalised addresses whose fingerprints were kept for this owner.

    Call inside the transaction that writes the refusals down again: from then on these say who may
    be mailed, and may be lifted; a fingerprint that stayed would bring them back each time.
    """
    by_mark = {mark: address for address in addresses for mark in _marks(owner_email, address)}
    kept = list(KeptRefusal.objects.filter(mark__in=by_mark))
    KeptRefusal.objects.filter(pk__in=[row.pk for row in kept]).delete()
    return [(by_mark[row.mark], row.reason, row.created_at) for row in kept]


def _marks(*texts: str) -> list[str]:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [_mark(_key(secret), *texts) for secret in secrets]


def _mark(key: bytes, *texts: str) -> str:
    return hashlib.blake2b("\n".join(texts).encode(), key=key, digest_size=_MARK_BYTES).hexdigest()


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    """Return a key of its own for this purpose, so that no other fingerprint can stand in."""
    return hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)
