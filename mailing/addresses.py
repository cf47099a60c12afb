"""E-mail addresses: what a person typed, what is compared, and what goes to the mail server.

RFC 5321 section 2.3.11 leaves the case of the local part to its host; people do not, so two
addresses that differ only in case are one client here, while the letter goes to the one as typed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from email_validator import EmailNotValidError, validate_email

# C0, C1, line and paragraph separators, and the characters that turn the direction of text.
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Address:
    """`email` as it is shown, `normalized` as it is compared (and unique)."""

    email: str
    normalized: str


def parse_address(text: str) -> Address:
    """Return the address in `text`, or raise ValidationError with a sentence for its author.

    The domain becomes an A-label by UTS 46 (not by Python's IDNA 2003, which turns faß.de into
    fass.de, another domain). No DNS is asked.
    """
    text = text.strip()
    if "@" not in text:
        raise ValidationError(_("An address looks like name@example.com."))
    try:
        # The domain .test is for demonstrations and tests; others that cannot exist are refused.
        valid = validate_email(text, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise ValidationError(
            _("This is not an address a letter can be sent to: %(reason)s"),
            params={"reason": str(error)},
        ) from error
    if "." not in valid.ascii_domain:
        raise ValidationError(
            _("Something is missing after the @. An address looks like name@example.com.")
        )
    local = unicodedata.normalize("NFC", valid.local_part)
    return Address(
        email=f"{local}@{valid.domain}",
        normalized=f"{local.casefold()}@{valid.ascii_domain.lower()}",
    )


def refuse_hidden_characters(value: str) -> None:
    """Validate a name or a subject: no line breaks, control or direction characters."""
    if _HIDDEN.search(value):
        raise ValidationError(
            gettext_lazy("Remove the line breaks and invisible control characters."),
            code="hidden_characters",
        )


def wire_address(email: str, normalized: str) -> str:
    """Return the address for the mail server: the local part as typed, the domain as A-label."""
    return f"{email.rpartition('@')[0]}@{normalized.rpartition('@')[2]}"
