"""Blocking a person: the account, the sessions and, through a signal, all that is being sent."""

from collections.abc import Collection

from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone
from wagtail.log_actions import log

from accounts.models import User

ENDED_BY_BLOCK = "ended_by_block"
"""All that is left in a session that a block has ended, to tell its browser why."""

user_blocked = Signal()
"""Sent inside the blocking transaction, with `user` and `by`; a receiver stops the user's work."""


class NotAllowed(Exception):
    """Nobody may block oneself, a superuser or (but for a superuser) a fellow manager."""


def may_block(user: User, *, by: User, blockers: Collection[int] | None = None) -> bool:
    if user == by or user.is_superuser or user.closed_at is not None:
        return False
    if not by.has_perm("accounts.block_user"):
        return False
    if by.is_superuser:
        return True
    return user.pk not in (who_may_block() if blockers is None else blockers)


def who_may_block() -> set[int]:
    """Return the ids of those with the permission; `has_perm` would leave out the blocked ones."""
    grants = Permission.objects.filter(content_type__app_label="accounts", codename="block_user")
    granted = Q(user_permissions__in=grants) | Q(groups__permissions__in=grants)
    return set(User.objects.filter(granted).values_list("pk", flat=True))


@transaction.atomic
def set_active(user: User, *, active: bool, by: User, reason: str = "") -> bool:
    """Block or unblock `user`; return whether anything changed. Raises NotAllowed.

    The reason is kept in the event log. A block ends the sessions at once. Unblocking starts
    nothing again: paused mailings stay paused.
    """
    if not may_block(user, by=by):
        raise NotAllowed
    if not User.objects.filter(pk=user.pk, is_active=not active, closed_at=None).update(
        is_active=active
    ):
        return False
    user.is_active = active
    action = "accounts.unblock" if active else "accounts.block"
    log(instance=user, action=action, user=by, data={"reason": reason})
    if not active:
        _end_sessions(user)
        user_blocked.send(sender=User, user=user, by=by)
    return True


def _end_sessions(user: User) -> None:
    # A blocked person is refused at the next request anyway; this is so that unblocking does not
    # bring an old session back. Sessions name their user only inside the encoded data.
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.session_data = Session.objects.encode({ENDED_BY_BLOCK: True})
            session.save(update_fields=["session_data"])
    UserSession.objects.filter(user=user).delete()
