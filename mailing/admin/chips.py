"""Status chips: icon, word and tone, the same on every screen."""

from __future__ import annotations

from functools import lru_cache

from django.db.models import Choices, TextChoices
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mailing.enums import DeliveryState, ImportState, MailingStatus, Outcome, RunStatus

_LOOKS: dict[type[Choices], dict[str, tuple[str, str]]] = {
    MailingStatus: {
        "created": ("grey", "pencil-line"),
        "scheduled": ("blue", "calendar-clock"),
        "sending": ("teal", "send"),
        "paused": ("amber", "circle-pause"),
        "deactivated": ("red", "octagon-x"),
        "completed": ("green", "circle-check"),
    },
    RunStatus: {
        "sending": ("teal", "send"),
        "paused": ("amber", "circle-pause"),
        "completed": ("green", "circle-check"),
        "cancelled": ("grey", "ban"),
        "missed": ("amber", "hourglass"),
        "skipped": ("grey", "ban"),
    },
    DeliveryState: {
        "pending": ("grey", "circle-dashed"),
        "sending": ("teal", "send"),
        "deferred": ("amber", "rotate-cw"),
        # Green means finished, not sent: accepted by a server is not delivered.
        "sent": ("blue", "check"),
        "failed": ("red", "circle-x"),
        "unknown": ("violet", "circle-question-mark"),
        "suppressed": ("grey", "shield-ban"),
        "cancelled": ("grey", "ban"),
        "expired": ("grey", "hourglass"),
    },
    ImportState: {
        "draft": ("grey", "pencil-line"),
        "running": ("teal", "rotate-cw"),
        "completed": ("green", "circle-check"),
        "failed": ("red", "circle-x"),
        "cancelled": ("grey", "ban"),
    },
    Outcome: {
        "accepted": ("blue", "check"),
        "transient": ("amber", "rotate-cw"),
        "permanent": ("red", "circle-x"),
        "unknown": ("violet", "circle-question-mark"),
    },
}


@lru_cache(maxsize=500, typed=True)
def chip(tone: str, icon: str, label: str) -> SafeString:
    """Return a chip. A list has one in each row, of few kinds: each is drawn once.

    `typed`: markup and the same letters as text are equal, but only one of them is escaped.
    """
    return render_to_string("components/chip.html", {"tone": tone, "icon": icon, "label": label})


def status_chip(value: TextChoices) -> SafeString:
    """Return the chip of a member of one of our enums, labelled in the active language."""
    tone, icon = _LOOKS[type(value)][value.value]
    return chip(tone, icon, str(value.label))


def tone(value: TextChoices) -> str:
    return _LOOKS[type(value)][value.value][0]


def icon_of(value: TextChoices) -> str:
    return _LOOKS[type(value)][value.value][1]
