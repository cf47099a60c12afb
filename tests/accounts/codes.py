"""What an authenticator app does (RFC 6238), to compute codes in tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time


def app_code(secret: str, steps: int = 0) -> str:
    """Return the code that an app shows `steps` half minutes from now."""
    counter = int(time.time()) // 30 + steps
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1)
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
