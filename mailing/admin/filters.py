"""Filters of our lists: what may be chosen follows the owner rule, and each can be taken away."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.admin import SimpleListFilter
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from mailing.enums import SuppressionReason
from mailing.models import ClientImport, ClientList, ClientTag
from mailing.permissions import sees_every_owner
from mailing.querysets import is_number_of_a_row
from mailing.selection import Selection, narrowed

_MOST_OFFERED = 500


class Pill(NamedTuple):
    """A filter in force, and the address of the list without it."""

    title: str
    value: str
    url: str


class OwnedFilter(SimpleListFilter):
    """Offers values; one that is not among them finds nobody, as if it were not there."""

    parameter_name: str
    is_silent = False
    """Whether it shows elsewhere, or not at all."""

    def has_output(self) -> bool:
        # True also without choices, so that the parameter counts as taken.
        return bool(self.lookup_choices) or bool(self.value())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return narrowed(queryset, self.parameter_name, value, request.user) if value else queryset

    @property
    def chosen(self) -> str:
        """The value in force if it is one that is offered, or empty."""
        value = self.value() or ""
        return value if value in dict(self.lookup_choices) else ""

    @property
    def unknown_label(self) -> str:
        """What the pill says of a value that is not offered; without words there is no pill."""
        return _("not there")


class OwnerFilter(OwnedFilter):
    """For those who see several owners: the ones who have such rows."""

    title = gettext_lazy("owner")
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if not sees_every_owner(request.user):
            return []
        rows = self.owned_model(model_admin)._default_manager.visible_to(request.user).order_by()
        owners = User.objects.filter(Exists(rows.filter(owner=OuterRef("pk"))))
        owners = owners.order_by("first_name", "last_name", "email")[:_MOST_OFFERED]
        bearers = Counter(str(owner) for owner in owners)
        return [(str(o.pk), str(o) if bearers[str(o)] == 1 else f"{o} ({o.email})") for o in owners]

    def has_output(self) -> bool:
        return bool(self.lookup_choices)

    @property
    def unknown_label(self) -> str:
        return ""  # it is not taken, as for those who see only their own

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(owner=int(self.chosen)) if self.chosen else queryset

    def owned_model(self, model_admin: Any) -> Any:
        """Return the model whose owners are offered."""
        return model_admin.model


class _GroupFilter(OwnedFilter):
    """Lists or tags of one owner: one's own; for those who see several, of whom they have chosen.

    The one in force is offered in any case.
    """

    model: type[ClientList] | type[ClientTag]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        groups = self.model.objects.visible_to(request.user)
        offered = groups
        if sees_every_owner(request.user):
            owner = request.GET.get(OwnerFilter.parameter_name, "")
            offered = groups.filter(owner=owner if is_number_of_a_row(owner) else request.user.pk)
        choices = [(str(group.pk), str(group)) for group in offered[:_MOST_OFFERED]]
        value = request.GET.get(self.parameter_name, "")
        if value not in dict(choices) and is_number_of_a_row(value):
            choices += [(str(group.pk), str(group)) for group in groups.filter(pk=value)]
        return choices


class ListFilter(_GroupFilter):
    title = gettext_lazy("client list")
    parameter_name = "list"
    model = ClientList


class TagFilter(_GroupFilter):
    title = gettext_lazy("tag")
    parameter_name = "tag"
    model = ClientTag


class LanguageFilter(OwnedFilter):
    title = gettext_lazy("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((code, str(name)) for code, name in settings.LANGUAGES), ("none", _("Not known"))]


class StatusFilter(OwnedFilter):
    """Whether clients get letters, and for which reason they do not."""

    title = gettext_lazy("status")
    parameter_name = "status"
    MOST = "active"
    """The value that narrows a list least."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (self.MOST, _("Gets letters")),
            ("suppressed", _("Gets no letters")),
            *((reason.value, capfirst(str(reason.label))) for reason in SuppressionReason),
        ]


class ChosenFilter(OwnedFilter):
    """The rows whose boxes were ticked; set by what is done to them, it offers nothing."""

    title = gettext_lazy("chosen")
    parameter_name = "chosen"
    is_silent = True

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = Selection.read(request.GET).chosen
        return queryset if chosen is None else queryset.filter(pk__in=chosen)


class ImportFilter(OwnedFilter):
    """Set by the links of an import's page; it names the import, it does not offer others."""

    title = gettext_lazy("import")
    parameter_name = "import"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        wanted = request.GET.get(self.parameter_name, "")
        if not is_number_of_a_row(wanted):
            return []
        imports = ClientImport.objects.visible_to(request.user).filter(pk=wanted)
        return [(str(row.pk), str(row)) for row in imports]


def pills(view: Any) -> list[Pill]:
    """Return the search and the filters in force of a list, each with the address without it."""

    def without(name: str) -> str:
        query: str = view.get_query_string(remove=[name])
        return query if len(query) > 1 else str(view.index_url)

    found = []
    for spec in view.filter_specs:
        value = spec.value()
        label = dict(spec.lookup_choices).get(value, getattr(spec, "unknown_label", ""))
        if value and label and not getattr(spec, "is_silent", False):
            title = capfirst(str(spec.title))
            found.append(Pill(title, str(label), without(spec.parameter_name)))
    if view.query.strip():
        found.insert(0, Pill(_("Search"), view.query, without(view.SEARCH_VAR)))
    return found
