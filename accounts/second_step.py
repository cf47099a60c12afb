"""The second step of a log-in: what differs from stock allauth.

The secrets of authenticator apps and recovery codes are encrypted at rest, so that a copy of the
database alone does not make codes. The key comes from SECRET_KEY; what was encrypted with a former
one is read while that is in SECRET_KEY_FALLBACKS.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import User

_PURPOSE = b"accounts.second_step"


class MFAAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return (
            _cipher(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
            .encrypt(text.encode())
            .decode()
        )

    def decrypt(self, encrypted_text: str) -> str:
        cipher = _cipher(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        return cipher.decrypt(encrypted_text.encode()).decode()

    def generate_authenticator_name(self, user: User, type: str) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return _("Passkey %(number)d") % {"number": number}

    def _get_site_name(self) -> str:
        return settings.SITE_NAME


@lru_cache(maxsize=4)
def _cipher(*secrets: str) -> MultiFernet:
    return MultiFernet(
        [
            Fernet(base64.urlsafe_b64encode(hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)))
            for secret in secrets
        ]
    )
