"""Merge fields: `{{ first_name }}` in a letter stands for a client's value.

They are substituted, never evaluated: no logic, no attributes, no recursion (a value that looks
like a field stays text). `{{ first_name|friend }}` gives a word for clients whose field is empty.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

FIELD = re.compile(r"\{\{ *([a-z_]+) *(?:\|([^{}|]*))?\}\}")
FIELD_LABELS: dict[str, Promise] = {
    "first_name": pgettext_lazy("merge field", "First name"),
    "middle_name": pgettext_lazy("merge field", "Middle name"),
    "last_name": pgettext_lazy("merge field", "Last name"),
    "full_name": pgettext_lazy("merge field", "Full name"),
    "email": pgettext_lazy("merge field", "E-mail address"),
}
CLIENT_FIELDS = tuple(FIELD_LABELS)
UNSUBSCRIBE_URL = "unsubscribe_url"
"""Stands only in the footer, which we write; authors cannot use it."""

_ALMOST_A_FIELD = re.compile(r"\{\{ *([\w .-]{1,40}?) *(?:\|[^{}]*)?\}\}")
"""What was meant for a field, though none can be called so: `{{ First name }}`, `{{ имя }}`."""

_MEANT = {
    "name": "first_name",
    "given_name": "first_name",
    "surname": "last_name",
    "family_name": "last_name",
    "patronymic": "middle_name",
    "mail": "email",
    "address": "email",
    "имя": "first_name",
    "отчество": "middle_name",
    "фамилия": "last_name",
    "полное_имя": "full_name",
    "фио": "full_name",
    "почта": "email",
    "адрес": "email",
}
"""Other words that people write, in both languages of the service, and the field they mean."""


def as_field(name: str, default: str = "") -> str:
    """Return the field as its author writes it."""
    return "{{ " + (f"{name}|{default}" if default else name) + " }}"


def substitute(template: str, values: Mapping[str, str]) -> str:
    """Return `template` with its fields replaced, as plain text."""
    return FIELD.sub(lambda found: values[found[1]] or (found[2] or "").strip(), template)


def sample_values() -> dict[str, str]:
    """Return the values of an invented client, for previews."""
    first, middle, last = _("Philippa"), "", _("Hale")
    return {
        "first_name": first,
        "middle_name": middle,
        "last_name": last,
        "full_name": f"{first} {last}",
        "email": "p.hale@example.com",
    }


def check_merge_fields(text: str) -> None:
    """Validate an author's text: only known fields, and no brace that belongs to none."""
    for found in FIELD.finditer(text):
        if found[1] not in CLIENT_FIELDS:
            raise ValidationError(_unknown(found[1]), code="unknown_field")
    rest = FIELD.sub("", text)
    for found in _ALMOST_A_FIELD.finditer(rest):
        if found[1] not in CLIENT_FIELDS:
            raise ValidationError(_unknown(found[1]), code="unknown_field")
    if "{{" in rest or "}}" in rest:
        raise ValidationError(
            _("A merge field is not complete. It looks like this: {{ first_name }}"),
            code="broken_field",
        )


def refuse_merge_fields(text: str) -> None:
    """Validate a web address: a client's value has no place in it."""
    if "{{" in text or "}}" in text or "%7B%7B" in text.upper():
        raise ValidationError(
            _("A web address cannot hold a merge field."), code="field_in_address"
        )


def _unknown(name: str) -> str:
    word = re.sub(r"[ .-]+", "_", name.casefold())
    close = difflib.get_close_matches(word, [*CLIENT_FIELDS, *_MEANT], n=1)
    if close:
        return _("There is no field “%(name)s”. Did you mean %(close)s?") % {
            "name": name,
            "close": as_field(_MEANT.get(close[0], close[0])),
        }
    known = ", ".join(map(as_field, CLIENT_FIELDS))
    return _("There is no field “%(name)s”. These are: %(known)s") % {"name": name, "known": known}
