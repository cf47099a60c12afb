"""The page "Check your inbox" after a sign-up, with a button that sends the letter again.

It answers alike whether or not the address has an account: all it knows is what the visitor typed.
"""

from __future__ import annotations

import time
from typing import Any

from allauth.account.internal.flows.email_verification import (
    consume_email_verification_rate_limit,
)
from allauth.account.models import EmailAddress
from allauth.account.views import EmailVerificationSentView
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

_SESSION_KEY = "inbox"


def remember(request: HttpRequest) -> None:
    """Keep for the page the address that this sign-up or log-in named."""
    typed = request.POST.get("email") or request.POST.get("login") or ""
    request.session[_SESSION_KEY] = {"email": typed.strip().lower()[:254], "at": time.time()}


class CheckInboxView(EmailVerificationSentView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.session.get(_SESSION_KEY) or {"email": "", "at": 0}
        left = asked["at"] + settings.CONFIRMATION_RESEND_SECONDS - time.time()
        wait = min(max(round(left), 0), settings.CONFIRMATION_RESEND_SECONDS)
        return super().get_context_data(**kwargs, email=asked["email"], wait_seconds=wait)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.session.get(_SESSION_KEY)
        if asked and time.time() - asked["at"] >= settings.CONFIRMATION_RESEND_SECONDS:
            address = EmailAddress.objects.filter(
                email=asked["email"], verified=False, user__is_active=True
            ).first()
            # Not by allauth's function for it, whose message would tell who exists.
            if address and consume_email_verification_rate_limit(request, address.email):
                address.send_confirmation(request)
            request.session[_SESSION_KEY] = asked | {"at": time.time()}
            messages.success(request, _("If the address waits for it, a new letter is on its way"))
        return redirect("account_email_verification_sent")
