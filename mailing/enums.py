"""The states of mailings, runs and deliveries, and the one table of moves for each.

A move is always one conditional UPDATE. Those of mailings and runs are built from the tables here;
the table of deliveries is what the tests hold `engine.ledger` to.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Unit(models.TextChoices):
    """The unit of a sending interval. ONCE has no count."""

    ONCE = "once", _("once")
    MINUTE = "minute", _("minutes")
    HOUR = "hour", _("hours")
    DAY = "day", _("days")
    WEEK = "week", _("weeks")
    MONTH = "month", _("months")
    YEAR = "year", _("years")


class MonthDay(models.TextChoices):
    """Which day of a month an interval of months falls on. The mailing's start says which n-th."""

    SAME_DAY = "day", _("on the same day of the month")
    LAST_DAY = "last_day", _("on the last day of the month")
    NTH_WEEKDAY = "weekday", _("on the same weekday, such as the second Tuesday")
    LAST_WEEKDAY = "last_weekday", _("on the last such weekday of the month")


class MailingStatus(models.TextChoices):
    CREATED = "created", pgettext_lazy("mailing", "Created")
    SCHEDULED = "scheduled", pgettext_lazy("mailing", "Scheduled")
    SENDING = "sending", pgettext_lazy("mailing", "Sending")
    PAUSED = "paused", pgettext_lazy("mailing", "Paused")
    DEACTIVATED = "deactivated", pgettext_lazy("mailing", "Deactivated")
    COMPLETED = "completed", pgettext_lazy("mailing", "Completed")


class RunStatus(models.TextChoices):
    SENDING = "sending", pgettext_lazy("run", "Sending")
    PAUSED = "paused", pgettext_lazy("run", "Paused")
    COMPLETED = "completed", pgettext_lazy("run", "Completed")
    CANCELLED = "cancelled", pgettext_lazy("run", "Cancelled")
    MISSED = "missed", pgettext_lazy("run", "Missed")
    SKIPPED = "skipped", pgettext_lazy("run", "Skipped")


class DeliveryState(models.TextChoices):
    """SENDING is not stored: it is a pending or deferred delivery up to its batch's watermark."""

    PENDING = "pending", pgettext_lazy("delivery", "Pending")
    SENDING = "sending", pgettext_lazy("delivery", "Being sent")
    DEFERRED = "deferred", pgettext_lazy("delivery", "Deferred")
    SENT = "sent", pgettext_lazy("delivery", "Sent")
    FAILED = "failed", pgettext_lazy("delivery", "Failed")
    UNKNOWN = "unknown", pgettext_lazy("delivery", "Unknown")
    SUPPRESSED = "suppressed", pgettext_lazy("delivery", "Suppressed")
    CANCELLED = "cancelled", pgettext_lazy("delivery", "Cancelled")
    EXPIRED = "expired", pgettext_lazy("delivery", "Expired")


class Outcome(models.TextChoices):
    """What became of one SMTP transaction."""

    ACCEPTED = "accepted", pgettext_lazy("attempt", "Accepted")
    TRANSIENT = "transient", pgettext_lazy("attempt", "Refused for now")
    PERMANENT = "permanent", pgettext_lazy("attempt", "Refused")
    UNKNOWN = "unknown", pgettext_lazy("attempt", "Unknown")


class Stage(models.TextChoices):
    """How far an SMTP transaction got before its answer."""

    RENDER = "render", _("composing")
    CONNECT = "connect", _("connection")
    MAIL = "mail", _("sender address")
    RCPT = "rcpt", _("recipient address")
    DATA = "data", _("start of the letter")
    DOT = "dot", _("end of the letter")


class Cause(models.IntegerChoices):
    """Why the mail server did not take a letter, from what it answered. A number: it is narrow."""

    NO_MAILBOX = 1, _("The mailbox does not exist")
    DISABLED = 2, _("The mailbox is switched off")
    FULL = 3, _("The mailbox is full")
    POLICY = 4, _("Refused by the server’s rules")
    CONTENT = 5, _("The letter itself was refused")
    BUSY = 6, _("The server asked to come back later")
    NO_ANSWER = 7, _("No answer after the whole letter")
    COMPOSING = 8, _("The letter could not be composed")
    UNCLEAR = 9, _("Refused without a clear reason")


class SuppressionReason(models.TextChoices):
    UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
    BOUNCED = "bounced", _("the address takes no mail")
    EXCLUDED = "excluded", _("excluded by the owner")


class ClientAction(models.TextChoices):
    """What is done to many clients at once."""

    ADD = "add", _("Add to a list")
    REMOVE = "remove", _("Remove from a list")
    TAG = "tag", _("Tag")
    UNTAG = "untag", _("Remove a tag")
    EXCLUDE = "exclude", _("Exclude from mail")
    READMIT = "readmit", _("Mail again")
    DELETE = "delete", _("Delete")


class ImportState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("import", "Not started")
    RUNNING = "running", pgettext_lazy("import", "Running")
    COMPLETED = "completed", pgettext_lazy("import", "Completed")
    FAILED = "failed", pgettext_lazy("import", "Not carried out")
    CANCELLED = "cancelled", pgettext_lazy("import", "Cancelled")


class Existing(models.TextChoices):
    """What an import does with clients who are there already."""

    FILL = "fill", _("Fill in what is blank")
    UPDATE = "update", _("Replace what the file says otherwise")
    LEAVE = "leave", _("Leave them as they are")


# --- Named sets -----------------------------------------------------------------------------------

ACTIVE_MAILINGS = frozenset({MailingStatus.SCHEDULED, MailingStatus.SENDING})
"""Those whose dates count."""

OPEN_RUNS = frozenset({RunStatus.SENDING, RunStatus.PAUSED})

UNSENT_RUNS = frozenset({RunStatus.MISSED, RunStatus.SKIPPED})
"""Dates on which nothing was to be sent."""

OPEN_DELIVERIES = frozenset({DeliveryState.PENDING, DeliveryState.DEFERRED})
"""Stored states from which a delivery may still be sent; SENDING shows as one of them (I4)."""

# --- Tables of moves ------------------------------------------------------------------------------

MAILING_MOVES: dict[MailingStatus, frozenset[MailingStatus]] = {
    MailingStatus.CREATED: frozenset({MailingStatus.SCHEDULED, MailingStatus.SENDING}),
    MailingStatus.SCHEDULED: frozenset(
        {
            MailingStatus.SENDING,
            MailingStatus.PAUSED,
            MailingStatus.DEACTIVATED,
            MailingStatus.COMPLETED,
        }
    ),
    MailingStatus.SENDING: frozenset(
        {
            MailingStatus.SCHEDULED,
            MailingStatus.PAUSED,
            MailingStatus.DEACTIVATED,
            MailingStatus.COMPLETED,
        }
    ),
    MailingStatus.PAUSED: frozenset(
        {
            MailingStatus.SCHEDULED,
            MailingStatus.SENDING,
            MailingStatus.DEACTIVATED,
            MailingStatus.COMPLETED,
        }
    ),
    MailingStatus.DEACTIVATED: frozenset({MailingStatus.PAUSED}),
    # A person may send the failed or unknown letters of its last run again.
    MailingStatus.COMPLETED: frozenset({MailingStatus.SENDING}),
}

RUN_MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.SENDING: frozenset({RunStatus.PAUSED, RunStatus.COMPLETED, RunStatus.CANCELLED}),
    RunStatus.PAUSED: frozenset({RunStatus.SENDING, RunStatus.CANCELLED}),
    # A person may send the failed or unknown ones of a completed run again.
    RunStatus.COMPLETED: frozenset({RunStatus.SENDING}),
    RunStatus.CANCELLED: frozenset(),
    RunStatus.MISSED: frozenset(),
    RunStatus.SKIPPED: frozenset(),
}

DELIVERY_MOVES: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.PENDING: frozenset(
        {
            DeliveryState.SENDING,
            DeliveryState.SUPPRESSED,
            DeliveryState.CANCELLED,
            DeliveryState.EXPIRED,
        }
    ),
    DeliveryState.SENDING: frozenset(
        {
            DeliveryState.PENDING,
            DeliveryState.SENT,
            DeliveryState.DEFERRED,
            DeliveryState.FAILED,
            DeliveryState.UNKNOWN,
        }
    ),
    DeliveryState.DEFERRED: frozenset(
        {
            DeliveryState.SENDING,
            DeliveryState.SUPPRESSED,
            DeliveryState.CANCELLED,
            DeliveryState.EXPIRED,
        }
    ),
    DeliveryState.SENT: frozenset(),
    DeliveryState.FAILED: frozenset({DeliveryState.PENDING}),
    # Late evidence, or a person who decides to send again.
    DeliveryState.UNKNOWN: frozenset({DeliveryState.SENT, DeliveryState.PENDING}),
    DeliveryState.SUPPRESSED: frozenset(),
    DeliveryState.CANCELLED: frozenset(),
    DeliveryState.EXPIRED: frozenset(),
}


def mailing_sources(target: MailingStatus) -> list[MailingStatus]:
    """Return the statuses from which a mailing may move to `target`."""
    return [source for source, targets in MAILING_MOVES.items() if target in targets]


def run_sources(target: RunStatus) -> list[RunStatus]:
    """Return the statuses from which a run may move to `target`."""
    return [source for source, targets in RUN_MOVES.items() if target in targets]
