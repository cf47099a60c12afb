"""What a new front page says, in each language. Whoever keeps the site may rewrite it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override


def front_texts(language: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the blocks of the front page as pairs of a type and what it holds."""
    with override(language):
        return [_opening(), *_features(), _facts(), _invitation()]


def _opening() -> tuple[str, dict[str, Any]]:
    return (
        "opening",
        {
            "title": _("Letters that leave on time, once to each client."),
            "lead": _(
                "Keep your clients, write a message, choose when it goes. The service sends it "
                "every Monday at nine, or just this once, and shows you what became of each letter."
            ),
            "note": _("Runs on your own server. Opens and clicks are not tracked."),
            "picture": {
                "name": "sending",
                "description": _(
                    "A mailing on its way: how many letters have left, are waiting or have failed."
                ),
            },
        },
    )


def _features() -> list[tuple[str, dict[str, Any]]]:
    return [
        _feature(
            _("A schedule you can check"),
            _(
                "Once, every half hour, every second week, or on the last day of each month. You "
                "see the next dates before the mailing starts, in the time zone you chose."
            ),
            (
                _("09:00 stays 09:00 when the clocks change"),
                _("The 31st comes back after a shorter month"),
                _("After an outage: one letter, never a pile"),
            ),
            "dates",
            _("The next five dates of a mailing, with time and zone."),
        ),
        _feature(
            _("Numbers that add up"),
            _(
                "Every client in a mailing is in exactly one line, and the lines add up to the "
                "audience. Each number opens the list of people behind it."
            ),
            (
                _("What the other server answered, word for word"),
                _("Failures grouped by cause, with a button to try again"),
                _("“Unknown” when nobody can honestly know"),
            ),
            "results",
            _("The runs of a mailing: how many letters each one sent, and how many failed."),
        ),
        _feature(
            _("A letter to each by name"),
            _(
                "Put your clients on as many lists as you like. A letter greets each of them by "
                "name, and has another word ready for those whose name you do not know."
            ),
            (
                _("A client on two lists of a mailing gets one letter"),
                _("A misspelt field is pointed out before you save"),
                _("People who left stay left, whichever list they are on"),
            ),
            "message",
            _("A message as its readers will see it."),
        ),
    ]


def _feature(
    title: str, text: str, points: tuple[str, ...], picture: str, description: str
) -> tuple[str, dict[str, Any]]:
    shown = {"name": picture, "description": description}
    return ("feature", {"title": title, "text": text, "points": list(points), "picture": shown})


def _facts() -> tuple[str, dict[str, Any]]:
    facts = (
        (
            "shield-check",
            _("Yours alone"),
            _(
                "Clients, messages and results are seen by you and the managers of this server. "
                "Nobody else."
            ),
        ),
        (
            "bell-off",
            _("Leaving is one click"),
            _("Every letter says whom it is from and how to stop it. No login, no survey."),
        ),
        (
            "send",
            _("Exactly once"),
            _(
                "A restart in the middle of a run sends nobody the same letter twice, and nobody "
                "is forgotten."
            ),
        ),
        (
            "eye",
            _("See it first"),
            _("A preview made by the very code that sends, as a page and as plain text."),
        ),
        (
            "languages",
            _("Two languages"),
            _("Every screen and every footer in English and Russian, in light and dark."),
        ),
        (
            "house",
            _("On your own server"),
            _("One command on a laptop. PostgreSQL, Redis and several machines when you grow."),
        ),
    )
    listed = [{"icon": icon, "title": title, "text": text} for icon, title, text in facts]
    return ("facts", {"title": _("Built for people who answer their mail"), "facts": listed})


def _invitation() -> tuple[str, dict[str, Any]]:
    return (
        "invitation",
        {
            "title": _("Send your first letter today"),
            "text": _(
                "Add a client, write a message, choose a time. You see the letter as it will "
                "arrive before anybody gets it."
            ),
        },
    )
