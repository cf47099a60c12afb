"""The list of users, for managers: who they are, what they have, and a way to block them."""

from __future__ import annotations

from typing import Any

import django_filters
from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn, Column, DateColumn
from wagtail.admin.widgets.boolean_radio_select import BooleanRadioSelect
from wagtail.admin.widgets.button import Button
from wagtail.users.views import users as stock

from accounts import roles
from accounts.blocking import may_block, who_may_block
from accounts.matching import containing
from accounts.models import User
from accounts.workload import Workload, workloads

_SEARCHED = ("first_name", "middle_name", "last_name", "email")
_ROLES = {
    roles.USERS.name: pgettext_lazy("role", "User"),
    roles.MANAGERS.name: pgettext_lazy("role", "Manager"),
    roles.BLOGGERS.name: pgettext_lazy("role", "Blogger"),
}


def with_confirmed(users: QuerySet[User]) -> QuerySet[User]:
    """Annotate `is_confirmed`: whether the address they sign in with has been confirmed."""
    own = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    same = own.annotate(address=Lower("email")).filter(address=OuterRef("email"))
    return users.annotate(is_confirmed=Exists(same))


def status_of(user: User) -> SafeString:
    """Return the chip: closed, blocked, not confirmed, or active.

    `user` is from `with_confirmed`.
    """
    if user.closed_at is not None:
        tone, icon, label = "grey", "hourglass", pgettext("of an account", "Closed")
    elif not user.is_active:
        tone, icon, label = "red", "ban", _("Blocked")
    elif not user.is_confirmed:  # type: ignore[attr-defined]
        tone, icon, label = "amber", "hourglass", _("Not confirmed")
    else:
        tone, icon, label = "green", "check", _("Active")
    return render_to_string("components/chip.html", {"tone": tone, "icon": icon, "label": label})


def role_of(user: User) -> str:
    """Return the roles in words; `user` has its groups prefetched."""
    held = [str(_ROLES.get(group.name, group.name)) for group in user.groups.all()]
    return ", ".join([*([_("Administrator")] if user.is_superuser else []), *sorted(held)]) or "—"


def mailings_text(load: Workload) -> str:
    if not load.active:
        return str(load.mailings)
    return _("%(all)d (%(active)d active)") % {"all": load.mailings, "active": load.active}


def _mailings_of(user: User) -> str:
    return mailings_text(user.workload)  # type: ignore[attr-defined] # set by the list


def _clients_of(user: User) -> str:
    return clients_text(user.workload)  # type: ignore[attr-defined]


def clients_text(load: Workload) -> str:
    return render_to_string("accounts/clients.html", {"load": load}).strip()


class PersonColumn(stock.UserColumn):
    cell_template_name = "accounts/person_cell.html"


class PeopleFilterSet(stock.UserFilterSet):
    is_active = django_filters.BooleanFilter(
        label=gettext_lazy("Active"), widget=BooleanRadioSelect
    )
    is_confirmed = django_filters.BooleanFilter(
        field_name="is_confirmed",
        label=gettext_lazy("Address confirmed"),
        widget=BooleanRadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        group = self.filters["group"]
        group.label = _("Role")
        group.field.label_from_instance = lambda held: str(_ROLES.get(held.name, held.name))


class PeopleView(stock.IndexView):
    default_ordering = "email"

    @cached_property
    def columns(self) -> list[Column]:
        name = self._get_title_column_class(PersonColumn)
        return [
            BulkActionsCheckboxColumn("bulk_actions", obj_type="user"),
            name(
                "name",
                accessor=str,
                label=_("Name"),
                sort_key="name",
                get_url=lambda user: reverse("wagtailusers_users:person", args=[user.pk]),
                classname="name ms-person",
            ),
            self._column("email", _("E-mail address"), sort_key="email"),
            self._column("role", _("Role"), accessor=role_of),
            Column(
                "status",
                label=_("Status"),
                accessor=status_of,
                sort_key="is_active",
                classname="ms-close",
            ),
            self._column("date_joined", _("Joined"), DateColumn, sort_key="date_joined"),
            self._column("last_login", _("Last login"), DateColumn, sort_key="last_login"),
            self._column("mailings", _("Mailings"), accessor=_mailings_of),
            self._column("clients", _("Clients"), accessor=_clients_of),
        ]

    @staticmethod
    def _column(name: str, label: str, kind: type[Column] = Column, **options: Any) -> Column:
        """Return a column that a phone leaves out; the page of the person has it."""
        return kind(name, label=label, classname="ms-close ms-wide", **options)

    def get_base_queryset(self) -> QuerySet[User]:
        users: QuerySet[User] = super().get_base_queryset()
        return with_confirmed(users).prefetch_related("groups")

    def search_queryset(self, queryset: QuerySet[User]) -> QuerySet[User]:
        if not self.is_searching:
            return queryset
        found: QuerySet[User] = containing(queryset, self.search_query, *_SEARCHED)
        return found

    def get_table(self, object_list: Any) -> Any:
        users = list(object_list)
        counted = workloads([user.pk for user in users])
        for user in users:
            user.workload = counted[user.pk]
        return super().get_table(users)

    def get_edit_url(self, instance: User) -> str | None:
        # The stock view offers it to everybody, also to managers who may only look.
        if self.user_has_permission("change"):
            url: str = super().get_edit_url(instance)
            return url
        return None

    def get_copy_url(self, instance: User) -> str | None:
        if self.user_has_permission("add"):
            url: str = super().get_copy_url(instance)
            return url
        return None

    def get_delete_url(self, instance: User) -> str | None:
        if instance.closed_at is not None:
            return None
        url: str | None = super().get_delete_url(instance)
        return url

    @cached_property
    def blockers(self) -> set[int]:
        return who_may_block()

    def get_list_buttons(self, instance: User) -> list[Any]:
        buttons = [
            b for b in super().get_list_buttons(instance) if getattr(b, "dropdown_buttons", True)
        ]
        if not may_block(instance, by=self.request.user, blockers=self.blockers):
            return buttons
        toggle = Button(
            _("Block") if instance.is_active else _("Unblock"),
            url=reverse("wagtailusers_users:toggle_active", args=[instance.pk]),
            priority=30,
        )
        return [toggle, *buttons]
