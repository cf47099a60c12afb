"""Forms of passkeys. allauth's own fail on answers that no authenticator gives."""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as stock
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.names import refuse_hidden_characters

_LONGEST_NAME = 100
_NOT_AN_ANSWER = (AttributeError, KeyError, TypeError, ValueError)
"""What fido2 raises while it reads what a stranger has made up."""


def _name(*, required: bool) -> forms.CharField:
    return forms.CharField(
        label=_("Name"),
        max_length=_LONGEST_NAME,
        required=required,
        validators=[refuse_hidden_characters],
        help_text=_("So that you know later which one it is."),
    )


class AddForm(stock.AddWebAuthnForm):
    """A passkey proves who somebody is by itself, so that it works as the only step as well."""

    name = _name(required=False)
    passwordless = forms.BooleanField(initial=True, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except _NOT_AN_ANSWER as error:
            raise get_adapter().validation_error("incorrect_code") from error
        return cleaned

    def clean_name(self) -> str:
        name: str = super().clean_name()
        return name.strip()


class RenameForm(stock.EditWebAuthnForm):
    name = _name(required=True)


class _Answer:
    """What the three forms share that ask for a known passkey."""

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except _NOT_AN_ANSWER as error:
            raise get_adapter().validation_error("incorrect_code") from error


class LoginForm(_Answer, stock.LoginWebAuthnForm):
    pass


class AuthenticateForm(_Answer, stock.AuthenticateWebAuthnForm):
    pass


class ReauthenticateForm(_Answer, stock.ReauthenticateWebAuthnForm):
    pass
