"""Answers to what other packages announce."""

from typing import Any

from accounts.models import User
from mailing import lifecycle


def pause_mailings_of_blocked_user(*, user: User, by: User, **_kwargs: Any) -> None:
    lifecycle.pause_all(user, by=by)


def pause_mailings_of_closed_account(*, user: User, **_kwargs: Any) -> None:
    lifecycle.pause_all(user, by=user)
