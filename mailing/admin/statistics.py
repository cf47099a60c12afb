"""The page of statistics: figures of a period, each a link to the rows behind it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from wagtail.admin.auth import permission_denied

from accounts.models import User
from mailing.admin.export import BYTE_ORDER_MARK, safe_cell
from mailing.admin.log_filters import PERIODS, written
from mailing.enums import Cause, Outcome
from mailing.figures import FEWEST_LETTERS, Figures, MailingFigures, Piece, figures
from mailing.models import Mailing
from mailing.permissions import sees_every_owner
from mailing.span import MOST_DAYS, Span, is_possible, last_days

if TYPE_CHECKING:
    from mailing.permissions import Person

OWN_DATES = "own"
_DEFAULT = "30"
_LINES = {
    Outcome.ACCEPTED: ("sent", gettext_lazy("Sent")),
    Outcome.TRANSIENT: ("deferred", gettext_lazy("Put off")),
    Outcome.PERMANENT: ("failed", gettext_lazy("Refused")),
    Outcome.UNKNOWN: ("unknown", gettext_lazy("Unknown")),
}
"""The outcomes in the order of the stacked chart, with the names of their colours."""


class PeriodForm(forms.Form):
    """Which days, and for those who see several owners whose."""

    period = forms.ChoiceField(
        label=gettext_lazy("Period"),
        choices=[*PERIODS.items(), (OWN_DATES, gettext_lazy("Own dates"))],
        required=False,
    )
    first = forms.DateField(
        label=gettext_lazy("From"),
        required=False,
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
    )
    last = forms.DateField(
        label=gettext_lazy("To"),
        required=False,
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
    )
    owner = forms.ModelChoiceField(
        label=gettext_lazy("Owner"),
        queryset=User.objects.none(),
        required=False,
        empty_label=gettext_lazy("All owners"),
    )

    def __init__(self, data: Any, user: Person) -> None:
        super().__init__(data)
        if sees_every_owner(user):
            owners = Mailing.objects.of_visible_owners(user).order_by().values("owner")
            self.fields["owner"].queryset = User.objects.filter(pk__in=owners).order_by(  # type: ignore[attr-defined]
                "first_name", "last_name", "email"
            )
        else:
            del self.fields["owner"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("period") == OWN_DATES:
            self._check_dates(cleaned)
        return cleaned

    def _check_dates(self, cleaned: dict[str, Any]) -> None:
        for name in ("first", "last"):
            if name in cleaned and cleaned[name] is None:
                self.add_error(name, ValidationError(_("Choose a date."), code="required"))
        first, last = cleaned.get("first"), cleaned.get("last")
        if first is None or last is None:
            return
        if last < first:
            self.add_error("last", _("This is before the first day."))
        elif not is_possible(Span(first, last, timezone.get_current_timezone())):
            text = _("Choose at most %(years)d years after 1970.")
            self.add_error("last", text % {"years": MOST_DAYS // 366})

    @cached_property
    def span(self) -> Span:
        """The chosen days; the last thirty while the choice has an error."""
        zone = timezone.get_current_timezone()
        cleaned = self.cleaned_data if self.is_valid() else {}
        if cleaned.get("period") == OWN_DATES:
            return Span(cleaned["first"], cleaned["last"], zone)
        days = int(cleaned.get("period") or _DEFAULT)
        return last_days(days, timezone.localdate(), zone)

    @property
    def chosen_owner(self) -> User | None:
        return self.cleaned_data.get("owner") if self.is_valid() else None


class Links:
    """Addresses of the lists that hold what a figure counts."""

    def __init__(self, span: Span, owner: User | None) -> None:
        self._always = {"owner": owner.pk} if owner else {}
        self._span = span

    def attempts(self, span: Span | None = None, **filters: Any) -> str:
        query = {"period": str(span or self._span), **filters, **self._always}
        return f"{reverse('mailing_attempt_modeladmin_index')}?{urlencode(query)}"


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with its way to the rows, and the one of the period before."""

    name: str
    label: Any
    help: Any
    tone: str
    number: int
    url: str
    before: int

    @property
    def sign(self) -> str:
        return "▲" if self.number > self.before else "▼"

    @property
    def percent(self) -> int:
        """Return by how much it differs from the period before, which had some."""
        return round(100 * abs(self.number - self.before) / self.before)


def tiles(found: Figures, links: Links) -> list[Tile]:
    described = (
        (Outcome.ACCEPTED, _("Letters sent"), "blue", _("The next mail server accepted them.")),
        (Outcome.PERMANENT, _("Letters refused"), "red", _("The server will not take them.")),
        (Outcome.TRANSIENT, _("Put off"), "amber", _("Refused for now; each is tried again.")),
        (Outcome.UNKNOWN, _("Unknown"), "violet", _("They may or may not have arrived.")),
    )
    return [
        Tile(
            outcome.value,
            label,
            text,
            tone,
            found.outcomes.get(outcome, 0),
            links.attempts(outcome=outcome.value),
            found.before.get(outcome, 0),
        )
        for outcome, label, tone, text in described
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: its heading, and its numbers with the ways to the rows behind them."""

    heading: str
    cells: list[tuple[int, str]]
    url: str = ""
    note: str = ""
    share: str = ""


def day_lines(found: Figures, links: Links) -> list[Line]:
    return [
        Line(
            name_of(piece),
            [
                (piece.outcomes.get(o, 0), links.attempts(piece.span, outcome=o.value))
                for o in _LINES
            ],
        )
        for piece in found.pieces
    ]


def cause_lines(found: Figures, links: Links) -> list[Line]:
    return [
        Line(
            str(cause.label),
            [(n, links.attempts(outcome=outcome.value, cause=cause.value))],
            note=str(outcome.label),
            share=f"{100 * n / found.causes[0][2]:.2f}%",
        )
        for outcome, cause, n in found.causes
    ]


def mailing_lines(mailings: list[MailingFigures], links: Links, *, names_owner: bool) -> list[Line]:
    lines = []
    for row in mailings:
        mailing = row.mailing
        kept = mailing.deleted_at is None
        page = reverse("mailing_mailing_modeladmin_inspect", args=[mailing.pk]) if kept else ""
        numbers = [
            (row.outcomes.get(o, 0), links.attempts(outcome=o.value, mailing=mailing.pk))
            for o in _LINES
        ]
        note = str(mailing.owner) if names_owner else ""
        # Rounded down: 99.96 % is not all.
        share = f"{int(1000 * row.sent_share) / 10:g}"
        lines.append(Line(mailing.name, numbers, page, note, share))
    return lines


def name_of(piece: Piece) -> str:
    if piece.span.days == 1:
        return date_format(piece.span.first, "SHORT_DATE_FORMAT")
    return written(piece.span)


def _short_name(piece: Piece, by_month: bool) -> str:
    return date_format(piece.span.first, "M Y" if by_month else "j M")


@require_safe
def statistics(request: HttpRequest) -> HttpResponse:
    """Show or, with `export`, hand out the figures of a period."""
    user = request.user
    if not user.has_perm("mailing.view_attempt"):
        denied: HttpResponse = permission_denied(request)
        return denied
    form = PeriodForm(request.GET if request.GET else {"period": _DEFAULT}, user)
    owner, now = form.chosen_owner, timezone.now()
    found = figures(user, form.span, now, owner.pk if owner else None)
    links = Links(form.span, owner)
    names_owner = sees_every_owner(user) and owner is None
    export = request.GET.get("export", "")
    if export in _TABLES and form.is_valid():
        return _csv(export, found, links, names_owner=names_owner)
    return render(
        request,
        "mailing/admin/statistics.html",
        {
            "form": form,
            "own_dates": form["period"].value() == OWN_DATES,
            "found": found,
            "period": written(form.span),
            "zone": timezone.get_current_timezone_name(),
            "is_empty": not any(found.outcomes.values()) and not any(found.before.values()),
            "tiles": tiles(found, links),
            "lines": list(_LINES.values()),
            "days": day_lines(found, links),
            "causes": cause_lines(found, links),
            "best": mailing_lines(found.best, links, names_owner=names_owner),
            "worst": mailing_lines(found.worst, links, names_owner=names_owner),
            "clients_url": reverse("mailing_client_modeladmin_index"),
            "client_lines": [(name_of(piece), piece.clients) for piece in found.pieces],
            "growth": found.clients - found.clients_before,
            "growth_size": abs(found.clients - found.clients_before),
            "best_caption": _("Got through best"),
            "worst_caption": _("Got through worst"),
            "fewest": FEWEST_LETTERS,
            "charts": _charts(found, links),
            "exports": {name: _export_url(request, name) for name in _TABLES},
            "forgotten_days": settings.RETENTION_DAYS
            if settings.RETENTION_DAYS and (now - form.span.start).days > settings.RETENTION_DAYS
            else 0,
            "header_title": _("Statistics"),
            "crumbs": [{"url": "", "label": _("Statistics")}],
        },
    )


def _charts(found: Figures, links: Links) -> dict[str, Any]:
    """Return what the script draws; the tables on the page say the same."""
    days = day_lines(found, links)
    return {
        "labels": [_short_name(piece, found.span.by_month) for piece in found.pieces],
        "deliveries": [
            {
                "label": str(label),
                "colour": colour,
                "data": [line.cells[i][0] for line in days],
                "urls": [line.cells[i][1] for line in days],
            }
            for i, (colour, label) in enumerate(_LINES.values())
        ],
        "clients": [piece.clients for piece in found.pieces],
        "clientsLabel": _("Clients"),
    }


def _export_url(request: HttpRequest, table: str) -> str:
    query = request.GET.copy()
    query["export"] = table
    return f"{request.path}?{query.urlencode()}"


_TABLES = ("days", "causes", "mailings", "clients")


def _rows(table: str, found: Figures, links: Links, *, names_owner: bool) -> Iterator[list[Any]]:
    outcomes = [str(label) for _colour, label in _LINES.values()]
    if table == "days":
        yield [_("First day"), _("Last day"), *outcomes]
        for piece in found.pieces:
            numbers = [piece.outcomes.get(o, 0) for o in _LINES]
            yield [piece.span.first, piece.span.last, *numbers]
    elif table == "causes":
        yield [_("Cause"), _("Outcome"), _("Attempts")]
        for outcome, cause, n in found.causes:
            yield [Cause(cause).label, outcome.label, n]
    elif table == "mailings":
        yield [_("Mailing"), _("Owner"), *outcomes, _("Sent, %")]
        for line, row in zip(
            mailing_lines(found.mailings, links, names_owner=names_owner),
            found.mailings,
            strict=True,
        ):
            owner = row.mailing.owner if names_owner else ""
            yield [line.heading, owner, *(n for n, _url in line.cells), line.share]
    else:
        yield [_("Day"), _("Clients")]
        for piece in found.pieces:
            yield [piece.span.last, piece.clients]


def _csv(table: str, found: Figures, links: Links, *, names_owner: bool) -> HttpResponse:
    text = StringIO()
    writer = csv.writer(text)
    for row in _rows(table, found, links, names_owner=names_owner):
        writer.writerow([safe_cell(cell) for cell in row])
    response = HttpResponse(
        BYTE_ORDER_MARK + text.getvalue().encode(), content_type="text/csv; charset=utf-8"
    )
    name = f"statistics-{table}-{found.span}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
