"""What each request of a signed-in person brings along: the session's trace, and preferences."""

from __future__ import annotations

import time
from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from wagtail.users.models import UserProfile

from accounts import blocking

SEEN_EVERY = 300
"""Seconds after which a session's last use is noted again: reading a page should not write."""
_SEEN_AT = "seen_at"
_PERSONAL = "/accounts/"
"""Pages with keys, codes and addresses, which no cache and no "back" button may bring back."""


class SessionsMiddleware:
    """Keeps the list of sessions that the profile shows, and tells whose session a block ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            seen_at = request.session.get(_SEEN_AT, 0)
            if not 0 <= time.time() - seen_at < SEEN_EVERY:
                request.session[_SEEN_AT] = int(time.time())
                UserSession.objects.create_from_request(request)
        elif request.session.get(blocking.ENDED_BY_BLOCK):
            request.session.flush()
            return redirect("account_inactive")
        response = self.get_response(request)
        if request.path.startswith(_PERSONAL) and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response


class PreferencesMiddleware:
    """Applies a signed-in person's language and time zone to the request.

    Anonymous visitors keep what LocaleMiddleware found (cookie, then Accept-Language).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        profile = UserProfile.objects.filter(user=request.user).first()
        # Whoever asks later asks no second time, also where there is none.
        request.user._state.fields_cache["wagtail_userprofile"] = profile
        if profile is not None and profile.preferred_language:
            translation.activate(profile.preferred_language)
            request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(request.user.time_zone):
            return self.get_response(request)
