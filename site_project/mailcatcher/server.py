"""The SMTP server of the mail catcher.

It also plays the moods of real ones, for honest failures:
`…@bounce.test` does not exist (550 5.1.1), `…@defer.test` asks to come back once (451 4.7.1),
`…@slow.test` takes three seconds.
"""

from __future__ import annotations

import asyncio

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from site_project.mailcatcher.box import Box

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_SLOW_SECONDS = 3.0


class Catcher:
    """An aiosmtpd handler; each method answers one SMTP command."""

    def __init__(self, box: Box, delay_seconds: float) -> None:
        self._box = box
        self._delay_seconds = delay_seconds
        self._deferred: set[str] = set()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        domain = address.rpartition("@")[2].lower()
        if domain == "bounce.test":
            return "550 5.1.1 User unknown"
        if domain == "defer.test" and address not in self._deferred:
            self._deferred.add(address)
            return "451 4.7.1 Greylisted, try again in 5 minutes"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        slow = any(str(address).endswith("@slow.test") for address in envelope.rcpt_tos)
        await asyncio.sleep(_SLOW_SECONDS if slow else self._delay_seconds)
        content = envelope.content
        assert isinstance(content, bytes)  # noqa: S101 - decode_data is off
        self._box.put([str(address) for address in envelope.rcpt_tos], content)
        return "250 2.0.0 Ok: caught"


def controller(box: Box, *, host: str, port: int, delay_seconds: float) -> Controller:
    """Return the server, not started. It listens only on this machine."""
    if host not in LOOPBACK:
        raise ValueError("The mail catcher listens only on this machine.")
    return Controller(
        Catcher(box, delay_seconds), hostname=host, port=port, enable_SMTPUTF8=True, ident="Catcher"
    )
