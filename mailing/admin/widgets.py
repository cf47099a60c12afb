"""Form widgets of our own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse


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
        numbers = [str(v) for v in value or () if str(v).isascii() and str(v).isdigit()]
        queryset = self.choices.queryset  # type: ignore[attr-defined] # a ModelChoiceIterator
        context["widget"]["chosen"] = queryset.filter(pk__in=numbers) if numbers else ()
        context["widget"]["url"] = reverse("mailing_client_choices")
        return context


class WallClockField(forms.DateTimeField):
    """A date and time as the clock on a wall shows it; the form adds the place.

    Cleans to a naive datetime. The stock field would read it in the request's time zone.
    """

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        for format_ in self.input_formats or ():
            try:
                return self.strptime(str(value).strip(), format_)
            except (ValueError, TypeError):
                continue
        raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
