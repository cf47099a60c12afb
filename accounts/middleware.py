"""Applies a signed-in person's language and time zone to the request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from wagtail.users.models import UserProfile


class PreferencesMiddleware:
    """Anonymous visitors keep what LocaleMiddleware found (cookie, then Accept-Language)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        profile = UserProfile.objects.filter(user=request.user).first()
        if profile is not None:
            request.user.wagtail_userprofile = profile  # type: ignore[attr-defined] # no second query
            if profile.preferred_language:
                translation.activate(profile.preferred_language)
                request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(request.user.time_zone):
            return self.get_response(request)
