"""Form widgets of our own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.urls import reverse

# Beyond them the calendar cannot tell the same instant in another zone.
_YEARS = range(1970, 9000)
_LONGEST_NUMBER = 18


def is_number_of_a_row(text: str) -> bool:
    """Return whether `text` can be asked for as an id: both databases refuse longer numbers."""
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER


class ClientChoice(forms.SelectMultiple):
    """Choose clients by typing a part of a name or an address; the chosen ones show as chips.

    A `<select multiple>` with all clients would be unusable from a few hundred on. Suggestions come
    from `views.client_choices`, and only the chosen clients are looked up to draw the widget.
    """

    template_name = "mailing/widgets/client_choice.html"

    class Media:
        js = ("js/client-choice.js",)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = {
            "widget": {
                "name": name,
                "attrs": self.build_attrs(self.attrs, attrs),
                "template_name": self.template_name,
            }
        }
        numbers = [str(v) for v in value or () if is_number_of_a_row(str(v))]
        queryset = self.choices.queryset  # type: ignore[attr-defined] # a ModelChoiceIterator
        context["widget"]["chosen"] = queryset.filter(pk__in=numbers) if numbers else ()
        context["widget"]["url"] = reverse("mailing_client_choices")
        return context


class ChoicesField(forms.ModelMultipleChoiceField):
    """Refuses numbers that no row can have, which the stock field takes to the database."""

    def _check_values(self, value: Any) -> QuerySet[Any]:
        for chosen in value:
            if not is_number_of_a_row(str(chosen)):
                raise ValidationError(
                    self.error_messages["invalid_pk_value"],
                    code="invalid_pk_value",
                    params={"pk": chosen},
                )
        return super()._check_values(value)  # type: ignore[misc] # the stubs leave it out


class WallClockField(forms.DateTimeField):
    """A date and time as the clock on a wall shows it; the form adds the place.

    Cleans to a naive datetime. The stock field would read it in the request's time zone.
    """

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        for format_ in self.input_formats or ():
            try:
                wall = self.strptime(str(value).strip(), format_)
            except (ValueError, TypeError):
                continue
            if wall.year in _YEARS:
                return wall
        raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
