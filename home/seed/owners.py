"""The accounts that own the sample data, and what their profiles say."""

from __future__ import annotations

from typing import NamedTuple

from django.db import transaction
from wagtail.users.models import UserProfile

from accounts.models import User

_NEEDED = ("admin", "manager", "blogger", "user", "other")


class AccountsMissing(Exception):
    """The text names the accounts and the command that makes them."""


class Cast(NamedTuple):
    """Who is who: `gardener` keeps the garden school, `bookseller` the bookshop."""

    manager: User
    blogger: User
    gardener: User
    bookseller: User


class _Profile(NamedTuple):
    language: str
    time_zone: str
    phone: str
    country: str


# No code in Russia is kept for examples; this number is the one that forms show.
_GARDENER = _Profile("en", "Europe/London", "+442079460123", "GB")
_BOOKSELLER = _Profile("ru", "Europe/Moscow", "+74951234567", "RU")


def find_cast() -> Cast:
    """Return the accounts. Raises AccountsMissing."""
    users = User.objects.in_bulk([f"{name}@demo.test" for name in _NEEDED], field_name="email")
    missing = [f"{name}@demo.test" for name in _NEEDED if f"{name}@demo.test" not in users]
    if missing:
        raise AccountsMissing(
            f"There is no {', '.join(missing)}: run “manage.py create_users” first."
        )
    return Cast(*(users[f"{name}@demo.test"] for name in _NEEDED[1:]))


@transaction.atomic
def complete_profiles(cast: Cast) -> None:
    """Fill in what the two owners have left empty."""
    for user, wanted in ((cast.gardener, _GARDENER), (cast.bookseller, _BOOKSELLER)):
        profile = UserProfile.get_for_user(user)
        profile.preferred_language = profile.preferred_language or wanted.language
        profile.current_time_zone = profile.current_time_zone or wanted.time_zone
        profile.save(update_fields=["preferred_language", "current_time_zone"])
        user.phone = user.phone or wanted.phone
        user.country = user.country or wanted.country
        user.save(update_fields=["phone", "country"])
