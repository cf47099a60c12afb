"""Screens for clients and client lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from wagtail.admin import messages
from wagtail.admin.panels import FieldPanel, FieldRowPanel, ObjectList

from mailing import lifecycle
from mailing.addresses import parse_address
from mailing.admin import bulk, timeline
from mailing.admin.bulk import BulkView
from mailing.admin.chips import chip
from mailing.admin.counts import BoundedPaginator, KeysOncePaginator
from mailing.admin.filters import (
    ChosenFilter,
    ImportFilter,
    LanguageFilter,
    ListFilter,
    OwnerFilter,
    StatusFilter,
    TagFilter,
)
from mailing.admin.owned import (
    OwnedCreateView,
    OwnedDeleteView,
    OwnedEditView,
    OwnedForm,
    OwnedIndexView,
    OwnedInspectView,
    OwnedModelAdmin,
)
from mailing.admin.tags import TagsField, names_of
from mailing.admin.widgets import ChipSelect, ChoicesField
from mailing.clientele import tags_named
from mailing.enums import ClientAction, SuppressionReason
from mailing.models import Client, ClientList, ClientTag, Suppression
from mailing.pages import CLIENTS
from mailing.permissions import may_change
from site_project.page_cache import ManagedCachedMixin


class ClientForm(OwnedForm):
    """The address is checked as a mail server would, and once per owner whatever its case."""

    derived_fields = ("email_normalized",)
    lists = ChoicesField(
        label=gettext_lazy("Client lists"),
        queryset=ClientList.objects.all(),
        required=False,
        widget=ChipSelect,
    )
    tag_names = TagsField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [("", _("Not known")), *settings.LANGUAGES]
        self.fields["tag_names"].suggest(ClientTag.objects.owned_by(self.instance.owner))
        if self.instance.pk:
            self.initial["tag_names"] = names_of(self.instance.tags.all())
        if not self.fields["lists"].queryset.exists():
            del self.fields["lists"]
        elif self.instance.pk:
            self.initial["lists"] = list(self.instance.lists.values_list("pk", flat=True))

    def clean_email(self) -> str:
        address = parse_address(self.cleaned_data["email"])
        twin = (
            Client.objects.owned_by(self.instance.owner)
            .filter(email_normalized=address.normalized)
            .exclude(pk=self.instance.pk)
            .first()
        )
        if twin is not None:
            raise forms.ValidationError(
                _("You have a client with this address already: %(client)s"),
                params={"client": twin},
                code="duplicate",
            )
        self.instance.email_normalized = address.normalized
        return address.email

    def save(self, commit: bool = True) -> Client:
        client: Client = super().save(commit=commit)
        if commit:
            if "lists" in self.fields:
                client.lists.set(self.cleaned_data["lists"])
            client.tags.set(tags_named(self.cleaned_data["tag_names"], owner=client.owner))
        return client


class SuppressedNoticeMixin:
    """Says at once that a saved client will not be mailed, and why."""

    def form_valid(self, form: Any) -> Any:
        response = super().form_valid(form)  # type: ignore[misc]
        client = form.instance
        suppression = Suppression.objects.filter(
            owner=client.owner, email_normalized=client.email_normalized
        ).first()
        if client.pk and suppression is not None:
            messages.warning(
                self.request,  # type: ignore[attr-defined]
                _("%(address)s gets no letters from you: %(reason)s.")
                % {"address": client.email, "reason": suppression.get_reason_display()},
            )
        return response


class ClientCreateView(SuppressedNoticeMixin, OwnedCreateView):
    pass


class ClientEditView(SuppressedNoticeMixin, OwnedEditView):
    pass


class ClientDeleteView(OwnedDeleteView):
    def delete_instance(self) -> None:
        lifecycle.delete_client(self.instance)


class ClientInspectView(OwnedInspectView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        client = self.instance
        suppression = Suppression.objects.filter(
            owner=client.owner_id, email_normalized=client.email_normalized
        ).first()
        page = timeline.page_of(client, suppression, self.request.GET.get("before", ""))
        return super().get_context_data(
            **kwargs,
            suppression=suppression,
            chip=client_chip(suppression is not None),
            lists=client.lists.all(),
            tags=client.tags.all(),
            page=page,
            is_latest="before" not in self.request.GET,
            numbers=timeline.numbers_of(client),
            bulk_actions=self._actions(suppression),
            bulk_url=self.url_helper.get_action_url("bulk"),
        )

    def _actions(self, suppression: Suppression | None) -> list[ClientAction]:
        """Return what can be done to this client as to many: each asks on the same page."""
        if not may_change(self.request.user, self.instance):
            return []
        mail = ClientAction.EXCLUDE
        if suppression is not None:
            mail = ClientAction.READMIT
        is_said_by_others = suppression and suppression.reason != SuppressionReason.EXCLUDED
        wanted = [ClientAction.ADD] if is_said_by_others else [mail, ClientAction.ADD]
        return [action for action in bulk.allowed_actions(self.request.user) if action in wanted]


class ClientIndexView(ManagedCachedMixin, OwnedIndexView):
    managed_cache = CLIENTS

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """Go owner by owner, as the indexes do; for a single one that changes nothing."""
        ordering: list[str] = super().get_ordering(request, queryset)
        return ["-owner_id" if ordering[0].startswith("-") else "owner_id", *ordering]

    def get_ordering_field(self, field_name: str) -> str | None:
        """Order addresses as they are compared, which an index does."""
        if field_name == "email":
            return "email_normalized"
        found: str | None = super().get_ordering_field(field_name)
        return found

    def get_paginator(self) -> BoundedPaginator:
        """Look once where a search finds many and most of them are filtered away."""
        status = self.params.get(StatusFilter.parameter_name, StatusFilter.MOST)
        if self.query.strip() and status != StatusFilter.MOST:
            return KeysOncePaginator(self.queryset, self.items_per_page)
        return super().get_paginator()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        if user.is_authenticated:
            bulk.tell_finished(self.request, user)
        context = super().get_context_data(
            **kwargs,
            may_import=user.has_perm("mailing.add_clientimport"),
            may_see_imports=user.has_perm("mailing.view_clientimport"),
        )
        return context | bulk.bar(self, self.request, context["object_list"])


def client_chip(is_suppressed: bool) -> SafeString:
    if is_suppressed:
        return chip("grey", "shield-ban", _("Gets no letters"))
    return chip("green", "check", _("Gets letters"))


class ClientAdmin(OwnedModelAdmin):
    model = Client
    menu_label = gettext_lazy("Clients")
    menu_item_name = "clients"
    menu_icon = "users"
    menu_order = 120
    add_label = gettext_lazy("Add a client")
    delete_warning = gettext_lazy(
        "Letters to this client that have not left are cancelled. Letters that have left stay in "
        "the history of their mailings."
    )
    opens_page = True
    list_display = ("email", "name", "client_lists", "tag_names", "status")
    list_filter = (
        OwnerFilter,
        ListFilter,
        TagFilter,
        StatusFilter,
        LanguageFilter,
        ImportFilter,
        ChosenFilter,
    )
    list_export = (
        "email",
        "first_name",
        "middle_name",
        "last_name",
        "phone",
        "language",
        "client_lists",
        "tag_names",
        "comment",
        "created_at",
    )
    export_filename = "clients"
    index_template_name = "mailing/admin/client_index.html"
    search_fields = ("email", "first_name", "middle_name", "last_name", "phone")
    index_view_class = ClientIndexView
    create_view_class = ClientCreateView
    edit_view_class = ClientEditView
    delete_view_class = ClientDeleteView
    inspect_view_class = ClientInspectView
    inspect_template_name = "mailing/admin/client_inspect.html"
    edit_handler = ObjectList(
        [
            FieldPanel("email"),
            FieldRowPanel(
                [FieldPanel("first_name"), FieldPanel("middle_name"), FieldPanel("last_name")]
            ),
            FieldRowPanel([FieldPanel("phone"), FieldPanel("language")]),
            FieldPanel("lists"),
            FieldPanel("tag_names"),
            FieldPanel("comment"),
        ],
        base_form_class=ClientForm,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        return super().get_queryset(request).with_suppression().prefetch_related("lists", "tags")

    def bulk_view(self, request: HttpRequest) -> HttpResponse:
        return BulkView.as_view(model_admin=self)(request)

    def get_admin_urls_for_registration(self) -> tuple[URLPattern, ...]:
        pattern = f"{self.opts.app_label}/{self.opts.model_name}/bulk/"
        name = self.url_helper.get_action_url_name("bulk")
        return (
            *super().get_admin_urls_for_registration(),
            path(pattern, self.bulk_view, name=name),
        )

    def name(self, client: Client) -> str:
        return client.full_name

    name.short_description = pgettext_lazy("of a person", "name")  # type: ignore[attr-defined]
    name.admin_order_field = "last_name"  # type: ignore[attr-defined]

    def client_lists(self, client: Client) -> str:
        return ", ".join(str(client_list) for client_list in client.lists.all())

    client_lists.short_description = gettext_lazy("client lists")  # type: ignore[attr-defined]

    def tag_names(self, client: Client) -> str:
        return names_of(client.tags.all())

    tag_names.short_description = gettext_lazy("tags")  # type: ignore[attr-defined]

    def status(self, client: Client) -> SafeString:
        return client_chip(client.suppressed)  # type: ignore[attr-defined] # annotated above

    status.short_description = gettext_lazy("status")  # type: ignore[attr-defined]
