"""The link of a password reset; apart from the other forms, because those allauth imports early."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import UserTokenForm


class ResetLinkForm(UserTokenForm):
    """Refuses the link of a blocked account, also one that was mailed before the block."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if not self.reset_user.is_active:
            raise get_adapter().validation_error("invalid_password_reset")
        return cleaned
