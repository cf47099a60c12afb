"""Certificates for `localhost`, made for the occasion."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme


class Certificates:
    def __init__(self, folder: Path) -> None:
        self._issuer = trustme.CA()
        self.authority = folder / "authority.pem"
        self._issuer.cert_pem.write_to_path(str(self.authority))

    def server_context(self, *, expired: bool = False) -> ssl.SSLContext:
        not_after = datetime.now(UTC) + timedelta(days=-1 if expired else 1)
        certificate = self._issuer.issue_cert("localhost", not_after=not_after)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context
