"""Which mail server takes the letters, and how patient we are with it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from enum import Enum


class Security(Enum):
    NONE = "none"
    STARTTLS = "starttls"  # required: without it nothing is sent
    TLS = "tls"  # from the first byte (RFC 8314)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds for each stage; the minima of RFC 5321 section 4.5.3.2.

    Each bounds the whole stage, however slowly the server drips, so no tarpit holds a connection.
    Stages are looked at once a second.
    """

    connect: float = 30
    greeting: float = 300
    command: float = 300
    data: float = 120
    dot: float = 600
    """From the first byte of the letter to the answer."""
    goodbye: float = 5


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int
    security: Security = Security.NONE
    user: str = ""
    password: str = field(default="", repr=False)
    local_name: str = "localhost"
    connections: int = 4
    messages_per_connection: int = 1000
    timeouts: Timeouts = Timeouts()
    ca_file: str | None = None

    @property
    def name(self) -> str:
        """Return what names this server in the database and in logs."""
        return f"{self.host}:{self.port}"

    def tls_context(self) -> ssl.SSLContext:
        """Return a context that verifies chain and host name, TLS 1.2 at least."""
        context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
