"""Renders a message: the one function behind the preview and behind every letter.

The result holds merge fields, which `engine.letter` fills in for each client, and the footer that
every letter ends with: who sends it, why it came, how to stop it.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nh3
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig
from wagtail.rich_text import RichText, expand_db_html

from mailing.addresses import parse_address, wire_address
from mailing.engine.letter import Content
from mailing.engine.planner import ContentError
from mailing.merge_fields import (
    CLIENT_FIELDS,
    FIELD,
    UNSUBSCRIBE_URL,
    as_field,
    check_merge_fields,
)

if TYPE_CHECKING:
    from accounts.models import User
    from mailing.models import Mailing, Message

_PICTURE_FILTER = "width-1200|format-jpeg|bgcolor-ffffff|jpegquality-75"
"""Twice the 600 pixels of the layout, for sharp screens; every mail program shows a JPEG."""

# Mail programs drop style sheets, so each element carries its own style.
_TEXT_TAGS = {"p", "b", "strong", "i", "em", "a", "ul", "ol", "li", "br"}
_TEXT_STYLES = {
    "p": {"style": "margin:0 0 18px"},
    "ul": {"style": "margin:0 0 18px;padding:0 0 0 22px"},
    "ol": {"style": "margin:0 0 18px;padding:0 0 0 22px"},
    "li": {"style": "margin:0 0 6px"},
    "a": {"style": "color:#1f4f8f", "class": "link"},
}
_PLAIN_TEXT = ParserConfig(css=CSS_PROFILES["strict"], display_links=True)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message with its merge fields still in it; in `html` they are HTML-escaped."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class _Part:
    kind: str
    html: SafeString | str
    text: str
    url: str = ""
    is_first_heading: bool = False


def render(message: Message, *, owner: User, reason: str = "") -> Rendered:
    """Return subject, HTML and plain text in the message's language.

    `reason` is the name of the mailing, for the sentence that says why the letter came.
    """
    with translation.override(message.language):
        context = {
            "message": message,
            "parts": _parts(message),
            "owner": str(owner),
            "service": settings.SITE_NAME,
            "reason": reason,
            "unsubscribe_field": mark_safe(as_field(UNSUBSCRIBE_URL)),  # noqa: S308 - ours
        }
        return Rendered(
            subject=message.subject,
            html=_undo_field_escapes(render_to_string("emails/letter/body.html", context)),
            text=render_to_string("emails/letter/body.txt", context).strip() + "\n",
        )


def freeze(mailing: Mailing) -> Content:
    """Return what a run of `mailing` keeps. Raises ContentError if the message cannot be sent."""
    try:
        return _freeze(mailing)
    except ContentError:
        # Whoever asked, a person or the clock: the reason is for the owner to read.
        with translation.override(mailing.owner.preferred_language):
            return _freeze(mailing)


def _freeze(mailing: Mailing) -> Content:
    if mailing.message is None:
        raise ContentError(_("The mailing has no message."))
    return content_of(mailing.message, owner=mailing.owner, reason=mailing.name)


def content_of(message: Message, *, owner: User, reason: str) -> Content:
    """Return what letters are made of. Raises ContentError if the message cannot be sent."""
    try:
        check_merge_fields(message.subject)
        rendered = render(message, owner=owner, reason=reason)
    except ValidationError as error:
        raise ContentError(" ".join(error.messages)) from error
    unknown = {f[0] for f in FIELD.findall(rendered.text + rendered.html)}
    if unknown - {*CLIENT_FIELDS, UNSUBSCRIBE_URL} or not message.subject.strip():
        raise ContentError(_("The message has no subject or an unknown merge field."))
    with translation.override(message.language):
        sender_name = _("%(owner)s via %(service)s") % {
            "owner": owner,
            "service": settings.SITE_NAME,
        }
    return Content(
        subject=message.subject,
        text=rendered.text,
        html=rendered.html,
        sender_name=sender_name,
        reply_to=_reply_to(owner),
    )


def _reply_to(owner: User) -> str:
    """Return the owner's address as a header may hold it; empty if only SMTPUTF8 could carry it."""
    try:
        address = parse_address(owner.email)
    except ValidationError:  # of an operator, such as root@localhost
        return owner.email if owner.email.isascii() else ""
    wire = wire_address(address.email, address.normalized)
    return wire if wire.isascii() else ""


def _parts(message: Message) -> list[_Part]:
    parts: list[_Part] = []
    for block in message.body:
        part = _part(block.block_type, block.value)
        if part is not None:
            parts.append(part)
    for index, part in enumerate(parts):
        if part.kind == "heading":
            parts[index] = _Part("heading", part.html, part.text, is_first_heading=True)
            break
    return parts


def _part(kind: str, value: Any) -> _Part | None:
    if kind == "text":
        markup = _text_html(value)
        return _Part(kind, markup, _plain(markup))
    if kind == "picture":
        if value is None:
            return None  # the picture was deleted since
        url = value.get_rendition(_PICTURE_FILTER).url
        if url.startswith("/"):
            url = settings.SITE_URL + url
        alt = "" if value.decorative else value.contextual_alt_text or ""
        return _Part(kind, alt, alt, url=url)
    if kind == "button":
        return _Part(kind, value["text"], value["text"], url=value["url"])
    return _Part(kind, value or "", str(value or ""))


def _text_html(value: RichText) -> SafeString:
    expanded = expand_db_html(value.source).replace('href="/', f'href="{settings.SITE_URL}/')
    clean = nh3.clean(
        expanded,
        tags=_TEXT_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
        set_tag_attribute_values=_TEXT_STYLES,
    )
    return mark_safe(clean)  # noqa: S308 - nh3 leaves only what is listed above


def _plain(markup: str) -> str:
    return get_text(f"<html><body>{markup}</body></html>", _PLAIN_TEXT).strip("\n")


def _undo_field_escapes(markup: str) -> str:
    """Write fields as their author did: quotes and ampersands in a default stay HTML-escaped."""
    return FIELD.sub(
        lambda found: (
            as_field(found[1])
            if found[2] is None
            else as_field(found[1], html.escape(html.unescape(found[2].strip())))
        ),
        markup,
    )
