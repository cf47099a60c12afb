"""Answers to what other packages announce."""

from typing import Any

from django.utils import timezone

from accounts.models import User
from mailing import clientele, lifecycle
from mailing.importing import jobs


def pause_mailings_of_blocked_user(*, user: User, by: User, **_kwargs: Any) -> None:
    lifecycle.pause_all(user, by=by)


def stop_work_of_closed_account(*, user: User, **_kwargs: Any) -> None:
    """Stop also what would add clients while they are being erased."""
    lifecycle.pause_all(user, by=user)
    jobs.cancel_all(user, now=timezone.now())
    clientele.give_up_all(user)
