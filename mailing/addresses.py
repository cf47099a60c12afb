"""E-mail addresses: what a person typed, what is compared, and what goes to the mail server.

RFC 5321 section 2.3.11 leaves the case of the local part to its host; people do not, so two
addresses that differ only in case are one client here, while the letter goes to the one as typed.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

from accounts.names import refuse_hidden_characters as refuse_hidden_characters

_LONGEST = 254  # RFC 5321 section 4.5.3.1.3, and the columns


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
        # The library's reasons come in English only.
        raise ValidationError(
            _("No letter can be sent to this address. An address looks like name@example.com.")
        ) from error
    if "." not in valid.ascii_domain:
        raise ValidationError(
            _("Something is missing after the @. An address looks like name@example.com.")
        )
    local = unicodedata.normalize("NFC", valid.local_part)
    address = Address(
        email=f"{local}@{valid.domain}",
        normalized=f"{local.casefold()}@{valid.ascii_domain.lower()}",
    )
    if len(address.normalized) > _LONGEST:  # some letters fold to three
        raise ValidationError(_("This address is too long."))
    return address


def wire_address(email: str, normalized: str) -> str:
    """Return the address for the mail server: the local part as typed, the domain as A-label."""
    return f"{email.rpartition('@')[0]}@{normalized.rpartition('@')[2]}"
