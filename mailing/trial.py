"""Test letters: a person looks at a letter in the own mail program, before clients get it.

A test is no delivery: it is in no statistics, uses no quota and can unsubscribe nobody. The entries
of the event log are what limits them (docs/adr/0021).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address

from allauth.account.models import EmailAddress
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.log_actions import log
from wagtail.models import ModelLogEntry

from accounts import mail
from accounts.models import User
from mailing.composer.preview import Preview

PERIOD = timedelta(hours=1)
TESTS_IN_A_PERIOD = 5
_ACTION = "mailing.test_letter"


class NotAllowed(Exception):
    """No test may be sent now; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many tests are left, and when there is one more."""

    left: int
    more_at: datetime | None


def allowance(user: User, now: datetime) -> Allowance:
    asked = ModelLogEntry.objects.filter(user=user, action=_ACTION, timestamp__gt=now - PERIOD)
    times = list(asked.order_by("timestamp").values_list("timestamp", flat=True))
    return Allowance(
        left=max(0, TESTS_IN_A_PERIOD - len(times)),
        more_at=times[0] + PERIOD if times else None,
    )


def send(user: User, letter: Preview, *, now: datetime) -> mail.Verdict:
    """Send `letter` to `user`, marked as a test. Raises NotAllowed.

    What the server refuses counts against the limit too: it has been asked.
    """
    if not EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists():
        raise NotAllowed(_("Confirm your e-mail address first: tests go to confirmed ones only."))
    with transaction.atomic():
        list(User.objects.select_for_update().filter(pk=user.pk).values_list("pk"))
        if not allowance(user, now).left:
            raise NotAllowed(_("You have sent as many tests as there may be in an hour."))
        log(
            instance=user,
            action=_ACTION,
            user=user,
            timestamp=now,
            data={"subject": letter.subject},
        )
    return mail.send_at_once(_message(letter, user.email))


def _message(letter: Preview, address: str) -> EmailMultiAlternatives:
    sender = Address(display_name=letter.sender_name, addr_spec=letter.sender_address)
    message = EmailMultiAlternatives(
        subject=_("[Test] %(subject)s") % {"subject": letter.subject},
        body=letter.text,
        from_email=str(sender),
        to=[address],
        reply_to=[letter.reply_to] if letter.reply_to else None,
        headers={"X-Mailing-Test": "yes", "X-Auto-Response-Suppress": "OOF, AutoReply"},
    )
    message.attach_alternative(letter.html, "text/html")
    return message
