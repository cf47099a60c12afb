"""Makes the messages of an owner, with their pictures."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from wagtail.images.models import AbstractImage
from wagtail.log_actions import log

from accounts.models import User
from home.seed.drawing import Picture
from home.seed.gallery import ensure_image
from home.seed.letter_texts import Letter
from mailing.models import Message

Messages = dict[Letter, Message]


def ensure_messages(owner: User, letters: list[Letter], language: str, now: datetime) -> Messages:
    """Return a message for each letter; one with its subject that is there already is taken."""
    there = {message.subject: message for message in Message.objects.owned_by(owner)}
    messages = {}
    for letter in letters:
        message = there.get(letter.subject)
        if message is None:
            images = {
                picture.title: ensure_image(picture, collection="letters", owner=owner)
                for _, picture in letter.parts
                if isinstance(picture, Picture)
            }
            message = _make(owner, letter, images, language, now)
        messages[letter] = message
    return messages


@transaction.atomic
def _make(
    owner: User, letter: Letter, images: dict[str, AbstractImage], language: str, now: datetime
) -> Message:
    written_at = now - timedelta(days=90)
    message = Message.objects.create(
        owner=owner,
        subject=letter.subject,
        preheader=letter.preheader,
        language=language,
        body=json.dumps([_block(kind, content, images) for kind, content in letter.parts]),
    )
    Message.objects.filter(pk=message.pk).update(created_at=written_at, updated_at=written_at)
    log(instance=message, action="wagtail.create", user=owner, timestamp=written_at)
    return message


def _block(kind: str, content: Any, images: dict[str, AbstractImage]) -> dict[str, Any]:
    value = content
    if isinstance(content, Picture):
        image = images[content.title]
        value = {"image": image.pk, "alt_text": content.description, "decorative": False}
    elif kind == "button":
        value = {"text": content[0], "url": content[1]}
    return {"type": kind, "value": value}
