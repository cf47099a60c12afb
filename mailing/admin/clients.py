"""Screens for clients and client lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from wagtail.admin import messages
from wagtail.admin.panels import FieldPanel, FieldRowPanel, ObjectList

from mailing import lifecycle
from mailing.addresses import parse_address
from mailing.admin.chips import chip, status_chip
from mailing.admin.owned import (
    OwnedCreateView,
    OwnedDeleteView,
    OwnedEditView,
    OwnedForm,
    OwnedIndexView,
    OwnedInspectView,
    OwnedModelAdmin,
)
from mailing.admin.tags import TagsField, names_of, tags_named
from mailing.admin.widgets import ChoicesField, ClientChoice
from mailing.enums import Outcome, SuppressionReason
from mailing.models import Attempt, Client, ClientList, ClientTag, Suppression
from mailing.permissions import sees_every_owner

_LETTERS_SHOWN = 50


class ClientForm(OwnedForm):
    """The address is checked as a mail server would, and once per owner whatever its case."""

    derived_fields = ("email_normalized",)
    lists = ChoicesField(
        label=gettext_lazy("Client lists"),
        queryset=ClientList.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
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
        return super().get_context_data(
            **kwargs,
            suppression=Suppression.objects.filter(
                owner=client.owner, email_normalized=client.email_normalized
            ).first(),
            lists=client.lists.all(),
            tags=client.tags.all(),
            attempts=[
                (attempt, status_chip(Outcome(attempt.outcome)))
                for attempt in Attempt.objects.filter(delivery__client=client)
                .select_related("delivery__run__mailing")
                .order_by("-pk")[:_LETTERS_SHOWN]
            ],
        )


class ClientIndexView(OwnedIndexView):
    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """Go owner by owner, as the indexes do; for a single one that changes nothing."""
        ordering: list[str] = super().get_ordering(request, queryset)
        return ["-owner_id" if ordering[0].startswith("-") else "owner_id", *ordering]


class ListFilter(SimpleListFilter):
    """Only the lists that the person may see."""

    title = gettext_lazy("client list")
    parameter_name = "list"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        lists = ClientList.objects.visible_to(request.user)
        return [(str(pk), name) for pk, name in lists.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = dict(self.lookup_choices)
        return queryset.filter(lists=self.value()) if self.value() in chosen else queryset


class TagFilter(SimpleListFilter):
    """Only the tags that the person may see; of several owners each says whose it is."""

    title = gettext_lazy("tag")
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        tags = ClientTag.objects.visible_to(request.user).select_related("owner")
        several = sees_every_owner(request.user)
        return [(str(tag.pk), f"{tag} ({tag.owner})" if several else str(tag)) for tag in tags]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = dict(self.lookup_choices)
        return queryset.filter(tags=self.value()) if self.value() in chosen else queryset


class LanguageFilter(SimpleListFilter):
    title = gettext_lazy("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((code, str(name)) for code, name in settings.LANGUAGES), ("none", _("Unknown"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(language="" if self.value() == "none" else self.value())


class StatusFilter(SimpleListFilter):
    """Whether clients get letters, and for which reason they do not."""

    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("active", _("Gets letters")),
            ("suppressed", _("Gets no letters")),
            *((reason.value, capfirst(str(reason.label))) for reason in SuppressionReason),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any]:
        chosen = self.value()
        if chosen in SuppressionReason.values:
            return queryset.suppressed_for(SuppressionReason(chosen))
        if chosen in {"active", "suppressed"}:
            return queryset.filter(suppressed=chosen == "suppressed")
        return queryset


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
    list_filter = (ListFilter, TagFilter, StatusFilter, LanguageFilter)
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
        if client.suppressed:  # type: ignore[attr-defined] # annotated above
            return chip("grey", "shield-ban", _("Gets no letters"))
        return chip("green", "check", _("Gets letters"))

    status.short_description = gettext_lazy("status")  # type: ignore[attr-defined]


class ClientListForm(OwnedForm):
    add_clients = ChoicesField(
        label=gettext_lazy("Add clients"),
        help_text=gettext_lazy("Type a part of a name or an address."),
        queryset=Client.objects.all(),
        required=False,
        widget=ClientChoice,
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        twins = ClientList.objects.owned_by(self.instance.owner).filter(name=name)
        if twins.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("You have a list with this name already."))
        return name

    def save(self, commit: bool = True) -> ClientList:
        client_list: ClientList = super().save(commit=commit)
        if commit:
            client_list.clients.add(*self.cleaned_data["add_clients"])
        return client_list


class ClientListAdmin(OwnedModelAdmin):
    model = ClientList
    menu_label = gettext_lazy("Client lists")
    menu_item_name = "client-lists"
    menu_icon = "list-ul"
    menu_order = 130
    add_label = gettext_lazy("Add a list")
    delete_warning = gettext_lazy("The clients in this list are kept.")
    list_display = ("name", "size", "description")
    search_fields = ("name", "description")
    inspect_view_enabled = False
    edit_handler = ObjectList(
        [FieldPanel("name"), FieldPanel("description"), FieldPanel("add_clients")],
        base_form_class=ClientListForm,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClientList]:
        return super().get_queryset(request).with_size()

    def size(self, client_list: ClientList) -> SafeString:
        count: int = client_list.size  # type: ignore[attr-defined] # annotated above
        text = ngettext("%(count)d client", "%(count)d clients", count) % {"count": count}
        url = reverse("mailing_client_modeladmin_index")
        return format_html('<a href="{}?list={}">{}</a>', url, client_list.pk, text)

    size.short_description = gettext_lazy("clients")  # type: ignore[attr-defined]
    size.admin_order_field = "size"  # type: ignore[attr-defined]
