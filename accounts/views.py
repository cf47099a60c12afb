"""The profile page, the end of a session, and the switch of the language."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from django.views.generic import View
from wagtail.users.models import UserProfile

from accounts.forms import PersonalForm, PreferencesForm
from accounts.models import User


class ProfileView(LoginRequiredMixin, View):
    """Cards that are saved each alone; `card` in the POST says which one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(_forms(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        forms = _forms(request)
        card = request.POST.get("card", "")
        if card not in forms:
            return self._page(forms, status=400)
        form = forms[card]
        if not form.is_valid():
            return self._page(forms)
        form.save()
        if card == "preferences":
            translation.activate(form.cleaned_data["preferred_language"])
            messages.success(request, _("Language and time saved"))
            response = redirect("account_profile")
            _remember_language(response, form.cleaned_data["preferred_language"])
            return response
        messages.success(request, _("Personal details saved"))
        return redirect("account_profile")

    def _page(self, forms: dict[str, Any], status: int = 200) -> HttpResponse:
        context = {"forms": forms, **_security(self.request)}
        return render(self.request, "accounts/profile.html", context, status=status)


@login_required
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of the person's own sessions; that of the request itself is a log-out."""
    session = get_object_or_404(UserSession, pk=pk, user=request.user)
    end_sessions(request, [session])
    messages.success(request, _("The session is ended"))
    return redirect("usersessions_list")


# A token would set a cookie on every public page, and all this does is choose a language.
@csrf_exempt
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the chosen language in a cookie and, for a signed-in person, in the profile."""
    language = request.POST.get("language", "")
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        target = "/"
    response = HttpResponseRedirect(target)
    if language in dict(settings.LANGUAGES):
        _remember_language(response, language)
        if request.user.is_authenticated:
            profile = UserProfile.get_for_user(request.user)
            profile.preferred_language = language
            profile.save(update_fields=["preferred_language"])
    return response


def _forms(request: HttpRequest) -> dict[str, Any]:
    assert isinstance(request.user, User)  # noqa: S101 - LoginRequiredMixin has seen to it
    card = request.POST.get("card")
    # A copy: an invalid form must not show its values in the page's header.
    user = User.objects.get(pk=request.user.pk)
    profile = UserProfile.get_for_user(user)
    # As the page is shown, until something is chosen: saving the time zone must not turn it round.
    profile.preferred_language = profile.preferred_language or translation.get_language() or ""
    profile.current_time_zone = str(user.time_zone)
    post, files = request.POST, request.FILES
    return {
        "personal": (
            PersonalForm(post, files, instance=user)
            if card == "personal"
            else PersonalForm(instance=user)
        ),
        "preferences": PreferencesForm(post if card == "preferences" else None, instance=profile),
    }


def _security(request: HttpRequest) -> dict[str, Any]:
    """Return how the person logs in, for the card that leads to the pages of allauth."""
    kinds = list(Authenticator.objects.filter(user=request.user).values_list("type", flat=True))
    return {
        "passkeys": kinds.count(Authenticator.Type.WEBAUTHN),
        "has_app": Authenticator.Type.TOTP in kinds,
        "other_sessions": UserSession.objects.filter(user=request.user)
        .exclude(session_key=request.session.session_key)
        .count(),
    }


def _remember_language(response: HttpResponse, language: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
    )


def admin_account(request: HttpRequest) -> HttpResponse:
    """Send Wagtail's account page to the profile, so that a person has one place for all of it."""
    return redirect(reverse("account_profile"))
