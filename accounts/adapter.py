"""What differs from stock allauth: who may sign up, which group follows, and how mail leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.core.validators import MaxLengthValidator
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from wagtail.users.models import UserProfile

from accounts import inbox, mail, roles
from accounts.models import User

if TYPE_CHECKING:
    from allauth.account.models import EmailAddress
    from django.forms import BaseForm
    from django.http import HttpRequest, HttpResponse

_LONGEST_ADDRESS = 254  # RFC 5321 section 4.5.3.1.3
_ON_THE_NEXT_PAGE = {
    "account/messages/email_confirmation_sent.txt",
    "account/messages/password_changed.txt",
}
"""What strangers are told by a page of its own, so that no toast need repeat it."""


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy(
            "This address and this password do not belong together. Check both."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.REGISTRATION_OPEN

    def clean_email(self, email: str) -> str:
        """Refuse what the columns cannot hold; the fields of forms allow more."""
        MaxLengthValidator(_LONGEST_ADDRESS)(email)
        return email

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Refuse for a blocked person, and where another account already has the address.

        allauth asks only whether another has it confirmed, but our users' addresses are unique.
        """
        user = email_address.user
        if not user.is_active:
            raise ImmediateHttpResponse(self.respond_user_inactive(request, user))
        others = User.objects.exclude(pk=user.pk)
        if others.filter(email__iexact=email_address.email).exists():
            text = "account/messages/email_confirmation_failed.txt"
            self.add_message(request, messages.ERROR, text, {"email": email_address.email})
            return False
        confirmed: bool = super().confirm_email(request, email_address)
        return confirmed

    def save_user(
        self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True
    ) -> User:
        with transaction.atomic():
            user = super().save_user(request, user, form, commit)
            if commit:
                roles.give(user, roles.USERS)
                profile = UserProfile.get_for_user(user)
                profile.preferred_language = get_language() or settings.LANGUAGE_CODE
                profile.save(update_fields=["preferred_language"])
        return user

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if message_template in _ON_THE_NEXT_PAGE and not request.user.is_authenticated:
            return
        super().add_message(request, level, message_template, *args, **kwargs)

    def respond_email_verification_sent(
        self, request: HttpRequest, user: User | None
    ) -> HttpResponse:
        inbox.remember(request)
        response: HttpResponse = super().respond_email_verification_sent(request, user)
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue the mail; sent in the request, a dead mail server would break the sign-up."""
        mail.post(template=template_prefix, email=email, context=context, now=timezone.now())
