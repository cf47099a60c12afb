"""Screens for client lists: named groups of clients that mailings go to."""

from __future__ import annotations

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.panels import FieldPanel, ObjectList

from mailing.admin.filters import OwnerFilter
from mailing.admin.owned import OwnedForm, OwnedModelAdmin
from mailing.admin.widgets import ChoicesField, ClientChoice
from mailing.models import Client, ClientList


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
    list_filter = (OwnerFilter,)
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
