"""What a name or a subject may not hold."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# C0, C1, line and paragraph separators, and the characters that turn the direction of text.
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def refuse_hidden_characters(value: str) -> None:
    """Validate a name or a subject: no line breaks, control or direction characters."""
    if _HIDDEN.search(value):
        raise ValidationError(
            _("Remove the line breaks and invisible control characters."),
            code="hidden_characters",
        )
