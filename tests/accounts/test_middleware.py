"""Whose language and time zone a request has."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries
from wagtail.users.models import UserProfile

from accounts.middleware import PreferencesMiddleware
from accounts.models import User

pytestmark = pytest.mark.django_db


def ask(user: User | AnonymousUser) -> tuple[str | None, str]:
    """Return the language and the time zone that a view has for this person."""
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append((translation.get_language(), timezone.get_current_timezone_name()))
        return HttpResponse()

    request = RequestFactory().get("/")
    request.user = user
    with translation.override("en"):
        PreferencesMiddleware(view)(request)
    return seen[0]


def prefer(user: User, **fields: str) -> User:
    profile = UserProfile.get_for_user(user)
    for name, value in fields.items():
        setattr(profile, name, value)
    profile.save()
    return User.objects.get(pk=user.pk)


def test_a_visitor_keeps_what_the_browser_says() -> None:
    assert ask(AnonymousUser()) == ("en", "UTC")


def test_a_person_without_a_profile_has_the_defaults(alice: User) -> None:
    assert ask(alice) == ("en", "UTC")
    assert alice.time_zone == ZoneInfo("UTC")
    assert alice.preferred_language == "en"


def test_a_profile_counts(alice: User) -> None:
    user = prefer(alice, preferred_language="ru", current_time_zone="Asia/Tokyo")
    assert ask(user) == ("ru", "Asia/Tokyo")


def test_an_empty_profile_is_none(alice: User) -> None:
    assert ask(prefer(alice, preferred_language="", current_time_zone="")) == ("en", "UTC")


def test_the_time_zone_ends_with_the_request_even_if_it_fails(alice: User) -> None:
    user = prefer(alice, current_time_zone="Asia/Tokyo")
    request = RequestFactory().get("/")
    request.user = user

    def view(request: HttpRequest) -> HttpResponse:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        PreferencesMiddleware(view)(request)
    assert timezone.get_current_timezone_name() == "UTC"


def test_it_costs_one_query(alice: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    user = prefer(alice, preferred_language="en", current_time_zone="Asia/Tokyo")
    with django_assert_num_queries(1):
        ask(user)
