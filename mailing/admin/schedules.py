"""The part of a mailing's form that says when: its fields, what is refused, and the next dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from wagtail.admin.panels import Panel

from mailing import schedule
from mailing.admin.clock import Date, dates_on_the_wall, wall_clock
from mailing.admin.owned import OwnedForm
from mailing.admin.widgets import DayField, WallClockField, WeekdaysField
from mailing.enums import Unit
from mailing.models import DatePeriod, Mailing
from mailing.models.mailing import MOST_RUNS
from mailing.sentences import schedule_sentence

DATES_SHOWN = 5
_MINUTE = timedelta(minutes=1)
_ANYWHERE = ZoneInfo("UTC")  # where the form is refused for want of a zone
_TIME_FORMATS = ("%H:%M",)


def _time_field(label: Any, help_text: Any = "") -> forms.TimeField:
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    return forms.TimeField(
        label=label,
        help_text=help_text,
        widget=widget,
        input_formats=_TIME_FORMATS,
        required=False,
    )


class ScheduleForm(OwnedForm):
    """Times are what the clocks show in the mailing's own zone."""

    starts_at = WallClockField(
        label=pgettext_lazy("schedule", "Start"),
        help_text=gettext_lazy("Date and time in the time zone of this mailing."),
    )
    weekdays = WeekdaysField(
        label=gettext_lazy("Only on these weekdays"),
        choices=list(WEEKDAYS_ABBR.items()),
        required=False,
        help_text=gettext_lazy(
            "None chosen: any day. With weeks, these are the days of the week it falls on."
        ),
    )
    ends_at = DayField(
        label=gettext_lazy("Last day"),
        required=False,
        help_text=gettext_lazy("Neither day nor number: it goes on until you pause it."),
    )
    max_runs = forms.IntegerField(
        label=gettext_lazy("Number of dates"),
        required=False,
        min_value=1,
        max_value=MOST_RUNS,
        error_messages=dict.fromkeys(
            ("min_value", "max_value"), gettext_lazy("Choose a number from 1 to 1000.")
        ),
        help_text=gettext_lazy("It ends after so many, whether or not letters left."),
    )
    window_from = _time_field(
        gettext_lazy("Letters leave from"),
        gettext_lazy("Outside these hours letters wait. Empty: at any time."),
    )
    window_until = _time_field(
        gettext_lazy("Letters leave until"),
        gettext_lazy("A time before the other one: on the next day."),
    )

    SCHEDULE_FIELDS = (
        "period",
        "time_zone",
        "starts_at",
        "weekdays",
        "ends_at",
        "max_runs",
        "window_from",
        "window_until",
    )

    class Media:
        js = ("js/schedule.js",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["period"].queryset = DatePeriod.objects.shortest_first()
        zone = self.instance.time_zone if self.instance.pk else self.instance.owner.time_zone
        if self.instance.pk:
            starts_there = self.instance.starts_at.astimezone(zone)
            self.initial["starts_at"] = starts_there.replace(tzinfo=None, second=0, microsecond=0)
            if self.instance.ends_at is not None:
                self.initial["ends_at"] = self.instance.ends_at.astimezone(zone).date()
        else:
            hour = timezone.now().astimezone(zone).replace(minute=0, second=0, microsecond=0)
            self.initial["starts_at"] = (hour + timedelta(hours=1)).replace(tzinfo=None)
            self.initial["time_zone"] = zone
            self.initial["period"] = DatePeriod.objects.filter(unit=Unit.ONCE).first()

    @property
    def changes_schedule(self) -> bool:
        """Whether the dates would be others than those of what is saved."""
        return not self.instance.pk or not set(self.SCHEDULE_FIELDS).isdisjoint(self.changed_data)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        self._check_window(cleaned)
        self._place_in_zone(cleaned)
        self._check_start(cleaned)
        self._check_ends(cleaned)
        if not any(name in self.errors for name in self.SCHEDULE_FIELDS):
            self._check_dates(cleaned)
        return cleaned

    def _place_in_zone(self, cleaned: dict[str, Any]) -> None:
        """Turn wall time and day into instants: the last day ends with its last minute.

        What nobody has touched stays the instant that it was: a wall time may mean two of them.
        """
        zone = cleaned.get("time_zone") or _ANYWHERE
        wall: datetime | None = cleaned.get("starts_at")
        if self._is_untouched("starts_at"):
            cleaned["starts_at"] = self._saved.starts_at.replace(second=0, microsecond=0)
        elif wall is not None and not schedule.exists(wall, zone):
            text = _("The clocks skip this time in %(zone)s on that day. Choose another.")
            self.add_error("starts_at", text % {"zone": zone})
        elif wall is not None:
            cleaned["starts_at"] = schedule.instant(wall, zone)
        last_day: date | None = cleaned.get("ends_at")
        if self._is_untouched("ends_at"):
            cleaned["ends_at"] = self._saved.ends_at
        elif last_day is not None:
            midnight = datetime.combine(last_day + timedelta(days=1), time(0))
            cleaned["ends_at"] = schedule.instant(midnight, zone) - _MINUTE

    def _is_untouched(self, name: str) -> bool:
        return bool(self.instance.pk) and not {name, "time_zone"} & set(self.changed_data)

    @cached_property
    def _saved(self) -> Mailing:
        saved: Mailing = Mailing.objects.get(pk=self.instance.pk)
        return saved

    def _check_start(self, cleaned: dict[str, Any]) -> None:
        starts_at, now = cleaned.get("starts_at"), timezone.now().replace(second=0, microsecond=0)
        if "time_zone" in self.errors or starts_at is None or starts_at >= now:
            return
        if self._is_untouched("starts_at") or (
            self.instance.pk and starts_at == self._saved.starts_at
        ):
            return
        zone = cleaned["time_zone"]
        text = _("This time has passed: it is %(now)s in %(zone)s.")
        self.add_error("starts_at", text % {"now": wall_clock(now, zone), "zone": zone})

    def _check_window(self, cleaned: dict[str, Any]) -> None:
        bounds = {name: cleaned.get(name) for name in ("window_from", "window_until")}
        if any(name in self.errors for name in bounds) or set(bounds.values()) == {None}:
            return
        for name, bound in bounds.items():
            if bound is None:
                self.add_error(name, _("Give both times, or none."))
                return
        if bounds["window_from"] == bounds["window_until"]:
            self.add_error("window_until", _("These hours never begin. Choose another time."))

    def _check_ends(self, cleaned: dict[str, Any]) -> None:
        period = cleaned.get("period")
        if period is not None and period.is_once:
            cleaned["ends_at"] = cleaned["max_runs"] = None
        elif cleaned.get("ends_at") and cleaned.get("max_runs"):
            self.add_error("max_runs", _("Give a last day or a number of dates, not both."))
        starts_at, ends_at = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts_at and ends_at and ends_at < starts_at:
            self.add_error("ends_at", _("This is before the start."))

    def _check_dates(self, cleaned: dict[str, Any]) -> None:
        """Refuse a schedule that has no date at all, where it is to be mended."""
        endless = {name: cleaned[name] for name in self.SCHEDULE_FIELDS if name != "ends_at"}
        first, ends_at = Mailing(**endless).schedule.first, cleaned["ends_at"]
        if first is None:
            self.add_error("weekdays", _("No date of this schedule is on one of these weekdays."))
        elif ends_at is not None and ends_at < first:
            text = _("There is no date until then: the first one is %(date)s.")
            self.add_error("ends_at", text % {"date": wall_clock(first, cleaned["time_zone"])})


@dataclass(frozen=True, slots=True)
class Preview:
    """What a form's schedule means: a sentence and dates, or what is wrong with it."""

    sentence: str
    dates: list[Date]
    errors: list[tuple[str, str]]


def preview_of(form: ScheduleForm, now: datetime) -> Preview | None:
    """Return the preview of what is typed, or of what is saved; None for an untouched new form."""
    if form.is_bound:
        errors = [
            (str(form.fields[name].label), error)
            for name in form.SCHEDULE_FIELDS
            for error in form.errors.get(name, ())
        ]
        if errors:
            return Preview("", [], errors)
    if not form.instance.pk and not form.is_bound:
        return None
    mailing = form.instance
    dates = mailing.dates_to_come(now, DATES_SHOWN)
    if form.is_bound and form.changes_schedule:
        mailing = Mailing(**{name: form.cleaned_data[name] for name in form.SCHEDULE_FIELDS})
        dates = mailing.next_dates(now, DATES_SHOWN)
    return _preview(mailing, dates)


def _preview(mailing: Mailing, instants: list[datetime]) -> Preview:
    dates = dates_on_the_wall(instants)
    return Preview(schedule_sentence(mailing.schedule, mailing.window), dates, [])


class DatesPanel(Panel):
    """Shows the next dates below the fields, and renews them as one types (js/schedule.js)."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "mailing/admin/dates_panel.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            return {
                **super().get_context_data(parent_context),
                "preview": preview_of(self.form, timezone.now()),
                "fields": " ".join(self.form.SCHEDULE_FIELDS),
                "instance": self.instance,
            }
