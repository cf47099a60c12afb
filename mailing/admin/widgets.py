"""Form widgets of our own."""

from __future__ import annotations

import calendar
import re
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from mailing.models.mailing import refuse_seconds
from mailing.querysets import is_number_of_a_row as is_number_of_a_row

# Beyond them the calendar cannot tell the same instant in another zone.
_YEARS = range(1970, 9000)
_MOST_OFFERED = 500


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


class ChipSelect(forms.SelectMultiple):
    """Choose among rows that may be many: a plain select, which a script makes into chips.

    The script asks `views` for suggestions. Without it as many rows are offered as a person can
    look through, and always those that are chosen.
    """

    template_name = "mailing/widgets/chip_select.html"
    url_name = "mailing_list_choices"

    class Media:
        js = ("js/chips.js",)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["url"] = reverse(self.url_name)
        return context

    def optgroups(self, name: str, value: list[str], attrs: Any = None) -> list[Any]:
        rows = self.choices.queryset  # type: ignore[attr-defined] # a ModelChoiceIterator
        wanted = {v for v in value if is_number_of_a_row(v)}
        offered = list(rows[:_MOST_OFFERED])
        if missing := wanted - {str(row.pk) for row in offered}:
            offered += rows.filter(pk__in=missing)
        options = [
            self.create_option(name, str(row.pk), str(row), str(row.pk) in wanted, index)
            for index, row in enumerate(offered)
        ]
        return [(None, [option], index) for index, option in enumerate(options)]


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


class WeekdaysField(forms.MultipleChoiceField):
    """Seven boxes; cleans to a number with a bit for each, as `Mailing.weekdays` holds it."""

    widget = forms.CheckboxSelectMultiple

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def prepare_value(self, value: Any) -> Any:
        """Return the boxes to be ticked, for a number as well as for what was posted."""
        if isinstance(value, int):
            return [str(day) for day in range(7) if value & 1 << day]
        return value

    def clean(self, value: Any) -> int:
        return sum(1 << int(day) for day in set(super().clean(value)))


class DayField(forms.DateField):
    """A day of the calendar. The message says so if there is no such day."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    input_formats = ("%Y-%m-%d",)

    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values:
            return None
        _refuse_unknown_day(str(value))
        day = super().to_python(value)
        if day is not None and day.year not in _YEARS:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return day


class WallClockField(forms.DateTimeField):
    """A date and time as the clock on a wall shows it, to the minute; the form adds the place.

    Cleans to a naive datetime. The stock field would read it in the request's time zone.
    """

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    input_formats = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M")

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        _refuse_unknown_day(str(value))
        for format_ in self.input_formats:
            try:
                wall = self.strptime(str(value).strip(), format_)
            except (ValueError, TypeError):
                continue
            if wall.year in _YEARS:
                refuse_seconds(wall)
                return wall
        raise ValidationError(self.error_messages["invalid"], code="invalid")


def _refuse_unknown_day(typed: str) -> None:
    """Raise ValidationError for a date such as 30 February, which is written as dates are."""
    found = re.match(r"\s*(\d{4})-(\d\d?)-(\d\d?)(?!\d)", typed)
    if found is None:
        return
    year, month, day = (int(number) for number in found.groups())
    if year in _YEARS and not (
        1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
    ):
        text = _("There is no such day in the calendar: %(day)s.")
        raise ValidationError(text % {"day": found.group().strip()}, code="no_such_day")
