"""The end of an account: closed at once, then erased piece by piece by a worker.

Closing takes the name, the address and all ways in from the person's row; what else belongs to the
account may be millions of rows, and each package erases its own (`erase_with`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone
from wagtail.log_actions import log
from wagtail.users.utils import user_can_delete_user

from accounts import mail
from accounts.models import AccountMail, Erasure, User
from accounts.rows import forget_in_log

logger = logging.getLogger(__name__)

account_closed = Signal()
"""Sent inside the closing transaction, with `user`; a receiver stops the user's work."""

Step = Callable[[Erasure, Callable[[], bool]], bool]
"""Erases some of what `erasure.user` has, until the second argument says stop; True if all."""

SLICE_SECONDS = 20.0
CLAIM = timedelta(minutes=5)
_CLOSED_DOMAIN = "closed.invalid"  # RFC 2606: nobody gets mail there

_steps: list[Step] = []
_wake: Callable[[], None] | None = None


class LastAdministrator(Exception):
    """Nobody would be left who may do everything."""


def erase_with(*steps: Step) -> None:
    """Register what erases rows of other packages, in this order, before the person's own row."""
    _steps.extend(step for step in steps if step not in _steps)


def wake_with(callback: Callable[[], None]) -> None:
    """Register what is called after an account was closed, to have it erased soon."""
    global _wake
    _wake = callback


def may_close(user: User, *, by: User) -> bool:
    """Say whether `by` may close the account of somebody else; the own one is closed elsewhere."""
    return user.closed_at is None and bool(user_can_delete_user(by, user))


@transaction.atomic
def close(user: User, *, now: datetime, by: User | None = None) -> None:
    """Close an account for good, `by` the person unless said. Raises LastAdministrator.

    From here on nobody logs in with it, nothing is sent for it, and the address is free again.
    """
    if user.is_superuser and not _another_administrator(user):
        raise LastAdministrator
    # Not the stronger lock: who writes a row of this owner holds a weaker one, and may hold what
    # has to be stopped below.
    person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if person.closed_at is not None:
        return
    Erasure.objects.create(
        user=person,
        email=person.email,
        language=user.preferred_language,
        was_asked_for=by is None or by.pk == person.pk,
        due_at=now,
    )
    account_closed.send(sender=User, user=person)
    if person.avatar:
        storage, name = person.avatar.storage, str(person.avatar.name)
        transaction.on_commit(lambda: storage.delete(name), robust=True)
    User.objects.filter(pk=person.pk).update(
        email=f"closed-{person.pk}@{_CLOSED_DOMAIN}",
        password="!",  # noqa: S106 - Django's mark of a password that nobody has
        first_name="",
        middle_name="",
        last_name="",
        phone="",
        country="",
        avatar="",
        last_login=None,
        is_active=False,
        is_staff=False,
        is_superuser=False,
        closed_at=now,
    )
    person.groups.clear()
    person.user_permissions.clear()
    EmailAddress.objects.filter(user=person).delete()
    Authenticator.objects.filter(user=person).delete()
    AccountMail.objects.filter(user=person).delete()
    sessions = UserSession.objects.filter(user=person)
    Session.objects.filter(pk__in=sessions.values("session_key")).delete()
    sessions.delete()
    log(instance=User.objects.get(pk=person.pk), action="accounts.close", user=by or person)
    if _wake is not None:
        transaction.on_commit(_wake, robust=True)


def _another_administrator(person: User) -> bool:
    # Locked, so that the last two cannot leave together, each believing that the other stays.
    administrators = User.objects.filter(is_superuser=True).order_by("pk")
    everyone = administrators.select_for_update(no_key=True)
    return any(other.is_active for other in everyone if other.pk != person.pk)


def erase_due(now: datetime, seconds: float = SLICE_SECONDS) -> bool:
    """Erase closed accounts for one slice; return whether something is left to be done at once.

    Safe to run twice at once: an account is claimed first. A worker that is killed loses nothing,
    since each step finds what is left in the tables.
    """
    until = time.monotonic() + seconds

    def is_over() -> bool:
        return time.monotonic() >= until

    for erasure in Erasure.objects.filter(due_at__lte=now).select_related("user"):
        claimed = Erasure.objects.filter(pk=erasure.pk, due_at=erasure.due_at)
        if not claimed.update(due_at=now + CLAIM):
            continue
        if all(step(erasure, is_over) for step in _steps):
            _finish(erasure)
        else:
            Erasure.objects.filter(pk=erasure.pk).update(due_at=now)
        if is_over():
            return True
    return False


@transaction.atomic
def _finish(erasure: Erasure) -> None:
    """Delete the person's row, and have a letter tell that it is done."""
    email, language, was_asked_for = erasure.email, erasure.language, erasure.was_asked_for
    forget_in_log(User, [erasure.user_id])
    User.objects.get(pk=erasure.user_id).delete()
    mail.farewell(email, language=language, was_asked_for=was_asked_for, now=timezone.now())
    logger.info("account %s is erased", erasure.user_id)
