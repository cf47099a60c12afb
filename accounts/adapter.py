"""What differs from stock allauth: who may sign up, which group follows, and how mail leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import mail, roles

if TYPE_CHECKING:
    from django.forms import BaseForm
    from django.http import HttpRequest

    from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.REGISTRATION_OPEN

    def save_user(
        self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True
    ) -> User:
        with transaction.atomic():
            user = super().save_user(request, user, form, commit)
            if commit:
                roles.give(user, roles.USERS)
        return user

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue the mail; sent in the request, a dead mail server would break the sign-up."""
        mail.post(template=template_prefix, email=email, context=context, now=timezone.now())
