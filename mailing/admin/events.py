"""The screen of the event log: read only, one's own, narrowed by person, action, kind and time."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from wagtail.images import get_image_model
from wagtail.models import ModelLogEntry
from wagtail.permissions import policy_registry

from accounts.models import User
from mailing.admin.chips import chip
from mailing.admin.counts import MOST_LEAFED, BoundedPaginator
from mailing.admin.owned import OwnedIndexView, ReadOnlyModelAdmin, ReadOnlyPermissionHelper
from mailing.admin.widgets import is_number_of_a_row
from mailing.events import actions, look, parts, phrase, visible_events
from mailing.models import Client, ClientImport, ClientList, DatePeriod, Mailing, Message
from mailing.permissions import sees_every_owner

_PEOPLE_OFFERED = 100
_IMPORT_PAGE = "mailing_clientimport_modeladmin_inspect"
_DAYS = {"1": 1, "7": 7, "30": 30, "90": 90}
_KINDS: tuple[type[Model], ...] = (
    *(Mailing, Message, Client, ClientList, ClientImport),
    *(DatePeriod, User),
)


class PersonFilter(SimpleListFilter):
    """For those who see everybody's: who acted."""

    title = gettext_lazy("person")
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if not sees_every_owner(request.user):
            return []
        acted = ModelLogEntry.objects.filter(user=OuterRef("pk"))
        people = User.objects.filter(Exists(acted)).order_by("first_name", "last_name", "email")
        offered = {str(person.pk): str(person) for person in people[:_PEOPLE_OFFERED]}
        wanted = request.GET.get(self.parameter_name, "")
        if wanted not in offered and is_number_of_a_row(wanted):
            offered |= {str(p.pk): str(p) for p in User.objects.filter(pk=wanted)}
        return list(offered.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(user=chosen) if chosen in dict(self.lookup_choices) else queryset


class ActionFilter(SimpleListFilter):
    title = gettext_lazy("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return actions()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(action=chosen) if chosen in dict(actions()) else queryset


class KindFilter(SimpleListFilter):
    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        models = (*_KINDS, get_image_model())
        return [(m._meta.label_lower, capfirst(str(m._meta.verbose_name_plural))) for m in models]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for model in (*_KINDS, get_image_model()):
            if model._meta.label_lower == self.value():
                return queryset.filter(content_type=ContentType.objects.get_for_model(model))
        return queryset


class DaysFilter(SimpleListFilter):
    title = gettext_lazy("time")
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        text = _("Last %(days)d days")
        return [
            (key, _("Last 24 hours") if days == 1 else text % {"days": days})
            for key, days in _DAYS.items()
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = _DAYS.get(self.value() or "")
        if days is None:
            return queryset
        return queryset.filter(timestamp__gte=timezone.now() - timedelta(days=days))


class EventPermissionHelper(ReadOnlyPermissionHelper):
    def user_can_list(self, user: Any) -> bool:
        allowed: bool = user.has_perm("mailing.view_mailing")
        return allowed


class EventPaginator(BoundedPaginator):
    """Finds the keys of a page in each part of what somebody sees, then its rows.

    A database that is asked for one part or another goes through all entries of both and sorts
    them; of each part alone an index has the newest. Ordered by time only, either way.
    """

    def __init__(self, rows: QuerySet[Any], per_page: int, parts: list[Q]) -> None:
        super().__init__(rows, per_page)
        self._parts = [rows.filter(part) for part in parts]

    @cached_property
    def _counted(self) -> int:
        return sum(part.order_by().values("pk")[: MOST_LEAFED + 1].count() for part in self._parts)

    def page(self, number: Any) -> Any:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        last = first + self.per_page
        keys = [key for p in self._parts for key in p.values_list("timestamp", "pk")[:last]]
        if self.object_list.query.order_by[0] == "timestamp":
            keys.sort(key=lambda key: (key[0], -key[1]))
        else:
            keys.sort(reverse=True)
        shown = [pk for _timestamp, pk in keys[first:last]]
        return self._get_page(self.object_list.filter(pk__in=shown), number, self)


class EventIndexView(OwnedIndexView):
    def get_paginator(self) -> BoundedPaginator:
        user = self.request.user
        if not isinstance(user, User) or sees_every_owner(user):
            return super().get_paginator()
        return EventPaginator(self.queryset, self.items_per_page, parts(user))

    def get_page_title(self) -> str:
        return _("Event log")

    get_meta_title = get_page_title

    def crumbs(self) -> list[dict[str, str]]:
        return [{"url": self.index_url, "label": self.get_page_title()}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        entries = context["object_list"] = list(context["object_list"])
        urls = _urls_of(entries, self.request.user)
        for entry in entries:
            entry.url = urls.get((entry.content_type_id, entry.object_id), "")
        return context


def _urls_of(entries: list[ModelLogEntry], user: Any) -> dict[tuple[int, str], str]:
    """Return the pages of the objects that are still there and that `user` may open."""
    numbers: dict[int, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.content_type_id and is_number_of_a_row(entry.object_id):
            numbers[entry.content_type_id].add(entry.object_id)
    found: dict[tuple[int, str], str] = {}
    for model, rows, name in _pages(user):
        kind = ContentType.objects.get_for_model(model).pk
        if kind in numbers:
            there = rows.filter(pk__in=numbers[kind]).values_list("pk", flat=True)
            found |= {(kind, str(pk)): reverse(name, args=[pk]) for pk in there}
    return found


def _pages(user: Any) -> list[tuple[type[Model], QuerySet[Any], str]]:
    """Return for each kind of object which of them `user` may open, and by which address."""
    pages: list[tuple[type[Model], QuerySet[Any], str]] = [
        (Mailing, Mailing.objects.visible_to(user), "mailing_mailing_modeladmin_inspect"),
        (Message, Message.objects.visible_to(user), "mailing_message_modeladmin_inspect"),
        (Client, Client.objects.visible_to(user), "mailing_client_modeladmin_inspect"),
        (ClientImport, ClientImport.objects.visible_to(user), _IMPORT_PAGE),
        (ClientList, ClientList.objects.owned_by(user), "mailing_clientlist_modeladmin_edit"),
    ]
    if user.has_perm("mailing.change_dateperiod"):
        pages.append((DatePeriod, DatePeriod.objects.all(), "mailing_dateperiod_modeladmin_edit"))
    if user.has_perm("accounts.view_user"):
        pages.append((User, User.objects.all(), "wagtailusers_users:person"))
    policy = policy_registry.get_by_type(get_image_model())
    images = policy.instances_user_has_any_permission_for(user, ["change"])
    pages.append((get_image_model(), images.distinct(), "wagtailimages:edit"))
    return pages


class EventAdmin(ReadOnlyModelAdmin):
    model = ModelLogEntry
    base_url_path = "mailing/events"
    menu_label = gettext_lazy("Event log")
    menu_item_name = "events"
    menu_icon = "tasks"
    menu_order = 160
    inspect_view_enabled = False
    opens_page = False
    ordering = ("-timestamp", "-id")
    list_display = ("what", "thing", "who", "when")
    list_filter = (PersonFilter, ActionFilter, KindFilter, DaysFilter)
    list_export = ("timestamp", "who", "done", "label", "detail")
    export_filename = "events"
    list_select_related = ("user", "content_type")
    index_view_class = EventIndexView
    permission_helper_class = EventPermissionHelper

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelLogEntry]:
        return visible_events(request.user).order_by(*self.ordering)

    def what(self, entry: ModelLogEntry) -> SafeString:
        appearance = look(entry)
        return chip(appearance.tone, appearance.icon, phrase(entry))

    what.short_description = pgettext_lazy("event log", "what")  # type: ignore[attr-defined]

    def done(self, entry: ModelLogEntry) -> str:
        return phrase(entry)

    done.short_description = pgettext_lazy("event log", "what")  # type: ignore[attr-defined]

    def thing(self, entry: ModelLogEntry) -> SafeString:
        url, more = getattr(entry, "url", ""), detail(entry)
        name = format_html('<a href="{}">{}</a>', url, entry.label) if url else entry.label
        if not more:
            return format_html("<div>{}</div>", name)
        return format_html('<div>{}<br><span class="ms-meta">{}</span></div>', name, more)

    thing.short_description = pgettext_lazy("event log", "object")  # type: ignore[attr-defined]

    def who(self, entry: ModelLogEntry) -> str:
        return str(entry.user_display_name)

    who.short_description = pgettext_lazy("event log", "who")  # type: ignore[attr-defined]

    def when(self, entry: ModelLogEntry) -> SafeString:
        local = timezone.localtime(entry.timestamp)
        return format_html(
            '<time datetime="{}">{}</time>',
            local.isoformat(),
            date_format(local, "SHORT_DATETIME_FORMAT"),
        )

    when.short_description = pgettext_lazy("event log", "when")  # type: ignore[attr-defined]
    when.admin_order_field = "timestamp"  # type: ignore[attr-defined]

    def detail(self, entry: ModelLogEntry) -> str:
        return detail(entry)

    detail.short_description = pgettext_lazy("event log", "detail")  # type: ignore[attr-defined]


def detail(entry: ModelLogEntry) -> str:
    """Return what the entry keeps beside the action: a reason, a subject, a number of letters."""
    data = entry.data if isinstance(entry.data, dict) else {}
    for key in ("reason", "subject", "list"):
        if data.get(key):
            return str(data[key])
    if isinstance(data.get("letters"), int):
        text = ngettext("%(number)d letter", "%(number)d letters", data["letters"])
        return text % {"number": data["letters"]}
    return ""
