"""The letter that one client would get, for people to look at: made by the code that sends."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from mailing.addresses import wire_address
from mailing.composer.render import content_of
from mailing.engine.letter import Letter, Recipient, Service
from mailing.merge_fields import sample_values, substitute

if TYPE_CHECKING:
    from accounts.models import User
    from mailing.models import Client, Message

# No letter has this number, so nothing can be unsubscribed by the link.
_UNSUBSCRIBE_PATH = "/u/preview/"
_NO_DELIVERY = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """One letter as it would arrive."""

    sender_name: str
    sender_address: str
    reply_to: str
    subject: str
    preheader: str
    html: str
    text: str


def preview(message: Message, *, owner: User, client: Client | None = None) -> Preview:
    """Return the letter to `client`, or to an invented one. Raises ContentError.

    The message need not be saved. Its link to unsubscribe leads nowhere.
    """
    recipient = _sample() if client is None else _recipient(client)
    letter = Letter(
        content_of(message, owner=owner, reason=""),
        _service(),
        run_id=_NO_DELIVERY,
        mailing_id=_NO_DELIVERY,
        mailing_name="",
    )
    wire = letter.render(recipient, int(timezone.now().timestamp()))
    parsed = message_from_bytes(wire, policy=default)
    assert isinstance(parsed, EmailMessage)  # noqa: S101 - by its policy
    (sender,) = parsed["From"].addresses
    values = {
        "first_name": recipient.first_name,
        "middle_name": recipient.middle_name,
        "last_name": recipient.last_name,
        "full_name": f"{recipient.first_name} {recipient.last_name}".strip(),
        "email": recipient.email,
    }
    return Preview(
        sender_name=sender.display_name,
        sender_address=sender.addr_spec,
        reply_to=str(parsed["Reply-To"] or ""),
        subject=str(parsed["Subject"]).strip(),
        preheader=substitute(message.preheader, values),
        html=_part(parsed, "html"),
        text=_part(parsed, "plain"),
    )


def framed(html: str) -> str:
    """Return the HTML of a letter for a sandboxed frame: nothing is fetched but its pictures.

    Where its links lead opens in a window of its own, which the sandbox does not allow: a click
    does nothing.
    """
    policy = f"default-src 'none'; img-src {settings.SITE_URL} data:; style-src 'unsafe-inline'"
    head = (
        f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<base target="_blank">'
    )
    return html.replace("<head>", head, 1)


def _recipient(client: Client) -> Recipient:
    address = client.email
    if address != client.email_normalized:
        address = wire_address(client.email, client.email_normalized)
    return Recipient(_NO_DELIVERY, address, client.first_name, client.middle_name, client.last_name)


def _sample() -> Recipient:
    values = sample_values()
    return Recipient(
        _NO_DELIVERY,
        values["email"],
        values["first_name"],
        values["middle_name"],
        values["last_name"],
    )


def _service() -> Service:
    return Service(
        sender_address=settings.SENDER_ADDRESS,
        host=urlsplit(settings.SITE_URL).hostname or "localhost",
        unsubscribe_url=lambda delivery_id: settings.SITE_URL + _UNSUBSCRIBE_PATH,
        secret=settings.SECRET_KEY.encode(),
    )


def _part(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body((kind,))
    assert part is not None  # noqa: S101 - letters have both
    return str(part.get_content())
