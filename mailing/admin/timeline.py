"""What was sent to a client and what happened, the latest first, a page at a time.

Pages follow the runs, which an index of the letters knows by client: a page costs the same however
many letters there are. What happened beside the letters is put among them by its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from wagtail.log_actions import registry as log_registry

from mailing.admin.chips import icon_of, status_chip, tone
from mailing.enums import DeliveryState, Outcome, SuppressionReason
from mailing.models import Attempt, Client, Delivery, Run, Suppression
from mailing.querysets import is_number_of_a_row

LETTERS_SHOWN = 20
_ENTRIES_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Event:
    """`lines` tell more: pairs of an instant, or None, and words."""

    at: datetime
    tone: str
    icon: str
    title: str
    chip: SafeString | str = ""
    url: str = ""
    lines: list[tuple[datetime | None, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """`before` leads to what is earlier, None if nothing is."""

    events: list[Event]
    before: int | None


def page_of(client: Client, suppression: Suppression | None, before: str) -> Page:
    """Return the events before the run that `before` names, or the latest ones."""
    letters = Delivery.objects.filter(client=client).order_by("-run_id")
    newest = Run.objects.none()
    if is_number_of_a_row(before):
        newest = Run.objects.filter(pk=before, deliveries__client=client)
    until = newest.values_list("opened_at", flat=True).first()
    if until is not None:
        letters = letters.filter(run_id__lt=int(before))
    shown = list(
        letters.select_related("run__mailing")
        .defer("run__html", "run__text")
        .prefetch_related("log")[: LETTERS_SHOWN + 1]
    )
    has_more, shown = len(shown) > LETTERS_SHOWN, shown[:LETTERS_SHOWN]
    since = shown[-1].run.opened_at if has_more else None
    events = [_letter(delivery) for delivery in shown]
    events += [
        event
        for event in _others(client, suppression)
        if (until is None or event.at < until) and (since is None or event.at >= since)
    ]
    events.sort(key=lambda event: event.at, reverse=True)
    return Page(events, shown[-1].run_id if has_more else None)


def numbers_of(client: Client) -> list[tuple[DeliveryState, str, int]]:
    """Return for each state its tone and how many letters are in it."""
    found = dict(
        Delivery.objects.filter(client=client)
        .order_by()
        .values_list("state")
        .annotate(n=Count("pk"))
    )
    kept = (DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.FAILED)
    rare = [s for s in DeliveryState if s in found and s not in kept]
    return [(state, tone(state), found.get(state, 0)) for state in (*kept, *rare)]


def _letter(delivery: Delivery) -> Event:
    state = DeliveryState(delivery.state)
    attempts = sorted(delivery.log.all(), key=lambda attempt: attempt.number)
    title = _("%(mailing)s: “%(subject)s”") % {
        "mailing": delivery.run.mailing,
        "subject": delivery.run.subject,
    }
    return Event(
        at=attempts[-1].at if attempts else delivery.run.opened_at,
        tone=tone(state),
        icon=icon_of(state),
        title=title,
        chip=status_chip(state),
        url=reverse("mailing_delivery_modeladmin_inspect", args=[delivery.pk]),
        lines=[(attempt.at, _words(attempt)) for attempt in attempts],
    )


def _words(attempt: Attempt) -> str:
    outcome = str(Outcome(attempt.outcome).label)
    parts = (str(attempt.code or ""), attempt.enhanced, attempt.reply)
    reply = " ".join(part for part in parts if part)
    return f"{outcome}: {reply}" if reply else outcome


def _others(client: Client, suppression: Suppression | None) -> Iterator[Event]:
    if suppression is not None:
        texts = {
            SuppressionReason.UNSUBSCRIBED: _("Unsubscribed by a link in a letter"),
            SuppressionReason.BOUNCED: _("The mail server said that the address takes no mail"),
            SuppressionReason.EXCLUDED: _("Excluded from mail by the owner"),
        }
        text = texts[SuppressionReason(suppression.reason)]
        yield Event(suppression.created_at, "amber", "shield-ban", text)
    was_told = False
    for entry in _entries(client):
        if entry.action == "wagtail.create":
            was_told = True
        yield Event(entry.timestamp, "grey", "pencil-line", _said(entry))
    if not was_told:
        yield Event(client.created_at, "grey", "user", pgettext("of a client", "Added"))


def _entries(client: Client) -> list[Any]:
    entries = log_registry.get_logs_for_instance(client).select_related("user")
    return list(entries.order_by("-timestamp")[:_ENTRIES_SHOWN])


def _said(entry: Any) -> str:
    words = {
        "wagtail.create": pgettext("of a client", "Added"),
        "wagtail.edit": pgettext("of a client", "Edited"),
    }
    said = words.get(entry.action, str(entry.message))
    return _("%(person)s: %(event)s") % {"person": entry.user_display_name, "event": said}
