"""Account mails: queued in the request, sent by a worker, tried again until the server takes them.

A queued row names the template and the person. What opens a door (the verification key, the reset
token) is made at the moment of sending, so no secret rests in the database or in a task.
"""

from __future__ import annotations

import logging
import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.app_settings import PASSWORD_RESET_TOKEN_GENERATOR
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.dateparse import parse_datetime

from accounts.browsers import browser_name
from accounts.models import AccountMail, User

logger = logging.getLogger(__name__)

KEEP_TRYING = timedelta(days=2)
"""A verification link lives for three days; a mail that comes later would be of no use."""
CLAIM = timedelta(minutes=5)
"""How long a sender has a row to itself; longer than a slice and one try with all its time-outs."""
_SLICE_SECONDS = 60.0
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=30)
_PATIENCE_SECONDS = 10

_PLAIN_CONTEXT = ("ip", "user_agent", "from_email", "to_email", "deleted_email", "timestamp")
"""The parts of allauth's context that are kept as they are. Anything else is left out."""

_wake: Callable[[], None] | None = None


class _Obsolete(Exception):
    """The reason for the mail is gone: the account was deleted, the address already verified."""


def wake_with(callback: Callable[[], None]) -> None:
    """Register what is called after a mail was queued, to have it sent soon."""
    global _wake
    _wake = callback


def post(*, template: str, email: str, context: dict[str, Any], now: datetime) -> None:
    """Queue the mail that allauth asks for; it never raises because of the mail server."""
    _queue(
        template=template,
        email=email,
        user=context.get("user") or get_user_model().objects.filter(email__iexact=email).first(),
        language=translation.get_language() or settings.LANGUAGE_CODE,
        context={key: str(context[key]) for key in _PLAIN_CONTEXT if key in context},
        now=now,
    )


def notify(user: User, *, template: str, context: dict[str, Any], now: datetime) -> None:
    """Queue a mail to a user in the language they read; it leaves if the transaction commits.

    `context` is kept as JSON: whatever is in it must be plain, in that language, and no secret.
    """
    _queue(
        template=template,
        email=user.email,
        user=user,
        language=user.preferred_language,
        context=context,
        now=now,
    )


def farewell(email: str, *, language: str, was_asked_for: bool, now: datetime) -> None:
    """Queue the last mail to somebody whose account is erased."""
    _queue(
        template="accounts/email/account_erased",
        email=email,
        user=None,
        language=language,
        context={"was_asked_for": was_asked_for},
        now=now,
    )


def _queue(*, now: datetime, **fields: Any) -> None:
    AccountMail.objects.create(created_at=now, next_attempt_at=now, **fields)
    if _wake is not None:
        transaction.on_commit(_wake, robust=True)


def send_due(now: datetime, interrupted: Callable[[], bool] = lambda: False) -> int:
    """Send what is due over one connection and return how many mails the server took.

    While the server cannot be reached everything stays as it is. A mail that fails by itself waits
    longer each time; one that is refused for good or too old is dropped with a line in the log.
    Safe to run twice at once: a row is claimed first. A slow server gets a slice at a time, so that
    no claim runs out under its sender; the rest is still due. So it is after an interruption.
    """
    due = list(AccountMail.objects.due(now)[:200])
    if not due:
        return 0
    started, sent = time.monotonic(), 0
    connection: BaseEmailBackend = get_connection()
    try:
        connection.open()
        for mail in due:
            if _claim(mail, now):
                sent += _send(mail, connection, now)
            if interrupted() or time.monotonic() - started > _SLICE_SECONDS:
                break
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("account mails wait for the mail server (%s)", type(error).__name__)
    finally:
        connection.close()
    return sent


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a mail server made of a mail; no reply if it could not be reached."""

    accepted: bool
    reply: str = ""


def send_at_once(message: EmailMessage) -> Verdict:
    """Hand a mail to the mail server while a person waits; never raises because of the server.

    It is not tried again: the person reads the answer and decides.
    """
    try:
        message.connection = get_connection(timeout=min(_PATIENCE_SECONDS, settings.EMAIL_TIMEOUT))
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, reply = next(iter(error.recipients.values()))
        return Verdict(False, _reply(code, reply))
    except smtplib.SMTPResponseException as error:
        return Verdict(False, _reply(error.smtp_code, error.smtp_error))
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("a mail could not be sent at once (%s)", type(error).__name__)
        return Verdict(False)
    return Verdict(True)


def _reply(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join(f"{code} {text}".split())[:300]


def _claim(mail: AccountMail, now: datetime) -> bool:
    claimed = AccountMail.objects.filter(pk=mail.pk, next_attempt_at=mail.next_attempt_at)
    return bool(claimed.update(next_attempt_at=now + CLAIM))


def _send(mail: AccountMail, connection: BaseEmailBackend, now: datetime) -> int:
    try:
        with translation.override(mail.language):
            message = _render(mail, now)
        message.connection = connection
        message.send()
    except _Obsolete as reason:
        logger.warning("account mail %s dropped: %s", mail.pk, reason)
        mail.delete()
    except Exception as error:
        if _is_refused_for_good(error):
            logger.warning("account mail %s dropped: the address was refused", mail.pk)
            mail.delete()
            return 0
        logger.warning("account mail %s waits", mail.pk, exc_info=True)
        _defer(mail, error, now)
        if isinstance(error, OSError):
            # The failure may have cost the connection; it must not cost the next mail too.
            connection.close()
            connection.open()
    else:
        mail.delete()
        return 1
    return 0


def _is_refused_for_good(error: Exception) -> bool:
    return isinstance(error, smtplib.SMTPRecipientsRefused) and all(
        code >= 500 for code, _reply in error.recipients.values()
    )


def _defer(mail: AccountMail, error: Exception, now: datetime) -> None:
    wait = min(_FIRST_WAIT * 2 ** min(mail.attempts, 10), _LONGEST_WAIT)
    AccountMail.objects.filter(pk=mail.pk).update(
        attempts=mail.attempts + 1,
        next_attempt_at=now + wait,
        last_error=f"{type(error).__name__}: {error}"[:200],
    )


def _render(mail: AccountMail, now: datetime) -> Any:
    if now - mail.created_at > KEEP_TRYING:
        raise _Obsolete("the mail server was away for too long")
    context: dict[str, Any] = {
        **mail.context,
        "user": mail.user,
        "email": mail.email,
        "current_site": SimpleNamespace(
            name=settings.SITE_NAME, domain=urlsplit(settings.SITE_URL).netloc
        ),
        "contact": settings.CONTACT_EMAIL,
        "login_url": _url("account_login"),
        "signup_url": _url("account_signup"),
        "password_reset_url": _url("account_reset_password"),
    }
    if "timestamp" in context:
        context["timestamp"] = parse_datetime(context["timestamp"])
    if "user_agent" in context:
        context["browser"] = browser_name(context["user_agent"])
    if mail.template.startswith("account/email/email_confirmation"):
        context.update(_confirmation(mail))
    elif mail.template == "account/email/password_reset_key":
        context.update(_password_reset(mail.user))
    # The stock method: our adapter's `send_mail` is what queued the row.
    return DefaultAccountAdapter().render_mail(mail.template, mail.email, context)


def _confirmation(mail: AccountMail) -> dict[str, str]:
    address = EmailAddress.objects.filter(user=mail.user, email__iexact=mail.email).first()
    if address is None or address.verified:
        raise _Obsolete("nothing is left to verify")
    key = EmailConfirmationHMAC(address).key
    return {"key": key, "activate_url": _url("account_confirm_email", key)}


def _password_reset(user: User | None) -> dict[str, str]:
    if user is None or not user.is_active:
        raise _Obsolete("the account is gone or blocked")
    uid, token = user_pk_to_url_str(user), PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    return {"password_reset_url": _url("account_reset_password_from_key", uid, token)}


def _url(name: str, *arguments: str) -> str:
    return settings.SITE_URL + reverse(name, args=arguments)
