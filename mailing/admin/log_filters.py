"""Filters of what the engine wrote. Each takes only what the person may see."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy

from mailing.admin.widgets import is_number_of_a_row
from mailing.models import Mailing
from mailing.span import Span, last_days, parse

PERIODS = {
    "7": gettext_lazy("Last 7 days"),
    "30": gettext_lazy("Last 30 days"),
    "90": gettext_lazy("Last 90 days"),
    "365": gettext_lazy("Last 12 months"),
}
_MAILINGS_OFFERED = 50


def span_of(value: str) -> Span | None:
    """Return the span that a parameter names: one of `PERIODS`, or two days as `Span` has them."""
    zone, today = timezone.get_current_timezone(), timezone.localdate()
    return last_days(int(value), today, zone) if value in PERIODS else parse(value, zone)


def written(span: Span) -> str:
    first, last = (date_format(day, "SHORT_DATE_FORMAT") for day in (span.first, span.last))
    return first if first == last else f"{first} – {last}"


class PeriodFilter(SimpleListFilter):
    """The last so many days, or the days that a link of the statistics names."""

    title = gettext_lazy("period")
    parameter_name = "period"
    field: str
    """The path to the instant that must lie within; a subclass says it."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        choices = [(value, str(label)) for value, label in PERIODS.items()]
        chosen = request.GET.get(self.parameter_name, "")
        span = None if chosen in PERIODS else span_of(chosen)
        return choices if span is None else [*choices, (chosen, written(span))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        span = span_of(self.value() or "")
        return queryset if span is None else self.narrow(queryset, span, request)

    def narrow(self, rows: QuerySet[Any], span: Span, request: HttpRequest) -> QuerySet[Any]:
        return rows.filter(**{f"{self.field}__gte": span.start, f"{self.field}__lt": span.end})


class MailingFilter(SimpleListFilter):
    """The newest mailings that the person sees, and the one that a link names, deleted or not."""

    title = gettext_lazy("mailing")
    parameter_name = "mailing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kept = Mailing.objects.visible_to(request.user).order_by("-pk")
        choices = list(kept.values_list("pk", "name")[:_MAILINGS_OFFERED])
        wanted = request.GET.get(self.parameter_name, "")
        if is_number_of_a_row(wanted) and int(wanted) not in dict(choices):
            choices += (
                Mailing.objects.of_visible_owners(request.user)
                .filter(pk=wanted)
                .values_list("pk", "name")
            )
        return [(str(pk), name) for pk, name in choices]

    def has_output(self) -> bool:
        return True  # so that the parameter counts as taken where nothing is to be offered

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        if self.value() not in dict(self.lookup_choices):
            return queryset.none()
        return self.narrow(queryset, int(self.value() or 0))

    def narrow(self, rows: QuerySet[Any], mailing_id: int) -> QuerySet[Any]:
        raise NotImplementedError


class CodeFilter(SimpleListFilter):
    """A reply code that is typed in the form of the search."""

    title = gettext_lazy("code")
    parameter_name = "code"
    field = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        code = request.GET.get(self.parameter_name, "").strip()
        return [(code, code)] if _is_code(code) else []

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        code = (self.value() or "").strip()
        return queryset.filter(**{self.field: int(code)}) if _is_code(code) else queryset


def _is_code(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isdigit()
