"""Screens for client lists: named groups of clients that mailings go to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from wagtail.admin.auth import permission_denied
from wagtail.admin.panels import FieldPanel, ObjectList

from mailing import reach
from mailing.admin.chips import status_chip
from mailing.admin.counts import MOST_LEAFED, at_most_leafed, number_text
from mailing.admin.filters import OwnerFilter
from mailing.admin.owned import OwnedForm, OwnedIndexView, OwnedInspectView, OwnedModelAdmin
from mailing.admin.widgets import ChoicesField, ClientChoice
from mailing.enums import MailingStatus
from mailing.models import Client, ClientList
from mailing.querysets import is_number_of_a_row
from mailing.recipients import within_budget

_MAILINGS_SHOWN = 20
_CLIENTS_SHOWN = 5
_MOST_ASKED = 100
_FIGURES = ("clients", "mailed", "recent")


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


class ClientListIndexView(OwnedIndexView):
    """Counts what can be counted at once; a script fetches the figures of larger lists."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        lists = context["object_list"] = list(context["object_list"])
        shown = figures_shown([row.pk for row in lists])
        for row in lists:
            row.figures = shown[row.pk]
        context["figures_url"] = figures_url([pk for pk, f in shown.items() if f.is_partial])
        return context


class ClientListInspectView(OwnedInspectView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        client_list = self.instance
        shown = figures_shown([client_list.pk])[client_list.pk]
        mailings = client_list.mailings.kept().select_related("period")[:_MAILINGS_SHOWN]
        clients_url = f"{reverse('mailing_client_modeladmin_index')}?list={client_list.pk}"
        return super().get_context_data(
            **kwargs,
            figures=shown,
            figures_url=figures_url([client_list.pk]) if shown.is_partial else "",
            mailings=[(m, status_chip(MailingStatus(m.status))) for m in mailings],
            clients=self._latest(),
            clients_url=clients_url,
            may_export=not shown.is_empty,
            may_edit=self.permission_helper.user_can_edit_obj(self.request.user, client_list),
        )

    def _latest(self) -> list[Client]:
        """Return the newest of its clients, from the index over lists and their clients."""
        rows = ClientList.clients.through.objects.filter(clientlist=self.instance)
        return [
            row.client
            for row in rows.select_related("client").order_by("-client_id")[:_CLIENTS_SHOWN]
        ]


@dataclass(frozen=True, slots=True)
class FiguresShown:
    """What a page shows of a list; `mailed` and `recent` are None if they come later."""

    pk: int
    clients: str
    mailed: str | None
    recent: str | None
    is_partial: bool
    is_empty: bool


def figures_shown(list_ids: list[int]) -> dict[int, FiguresShown]:
    """Return what can be said at once of lists, by two queries."""
    counted = reach.sizes(list_ids, MOST_LEAFED)
    small = within_budget({pk: counted.get(pk, 0) for pk in list_ids})
    found = reach.figures_of_small(small, timezone.now())
    shown = {}
    for pk in list_ids:
        size, figures = counted.get(pk, 0), found.get(pk)
        shown[pk] = FiguresShown(
            pk=pk,
            clients=at_most_leafed(size),
            mailed=number_text(figures.mailed) if figures else None,
            recent=number_text(figures.recent) if figures else None,
            is_partial=figures is None,
            is_empty=not size,
        )
    return shown


def figures_url(list_ids: list[int]) -> str:
    if not list_ids:
        return ""
    url = reverse("mailing_clientlist_modeladmin_figures")
    return f"{url}?lists={','.join(str(pk) for pk in list_ids)}"


class ClientListAdmin(OwnedModelAdmin):
    model = ClientList
    menu_label = gettext_lazy("Client lists")
    menu_item_name = "client-lists"
    menu_icon = "list-ul"
    menu_order = 130
    add_label = gettext_lazy("Add a list")
    delete_warning = gettext_lazy("The clients in this list are kept.")
    opens_page = True
    list_display = ("name", "size", "mailed", "recent", "used_by")
    list_filter = (OwnerFilter,)
    search_fields = ("name", "description")
    index_view_class = ClientListIndexView
    index_template_name = "mailing/admin/client_list_index.html"
    inspect_view_class = ClientListInspectView
    inspect_template_name = "mailing/admin/client_list_inspect.html"
    edit_handler = ObjectList(
        [FieldPanel("name"), FieldPanel("description"), FieldPanel("add_clients")],
        base_form_class=ClientListForm,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClientList]:
        return super().get_queryset(request).with_mailings()

    def size(self, client_list: ClientList) -> SafeString:
        return format_html(
            '<a href="{}?list={}">{}</a>',
            reverse("mailing_client_modeladmin_index"),
            client_list.pk,
            _figure(client_list, "clients"),
        )

    size.short_description = gettext_lazy("clients")  # type: ignore[attr-defined]

    def mailed(self, client_list: ClientList) -> SafeString:
        return _figure(client_list, "mailed")

    mailed.short_description = gettext_lazy("get letters")  # type: ignore[attr-defined]

    def recent(self, client_list: ClientList) -> SafeString:
        return _figure(client_list, "recent")

    recent.short_description = gettext_lazy("new in 30 days")  # type: ignore[attr-defined]

    def used_by(self, client_list: ClientList) -> str:
        return number_text(client_list.mailings_count)  # type: ignore[attr-defined] # annotated

    used_by.short_description = gettext_lazy("mailings")  # type: ignore[attr-defined]

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        """Answer the exact figures of lists, for a script."""
        if not self.permission_helper.user_can_list(request.user):
            return permission_denied(request)
        wanted = [pk for pk in request.GET.get("lists", "").split(",") if is_number_of_a_row(pk)]
        lists = ClientList.objects.visible_to(request.user).filter(pk__in=wanted[:_MOST_ASKED])
        found = reach.figures(list(lists.values_list("pk", flat=True)), timezone.now())
        texts = {
            pk: {name: number_text(getattr(figures, name)) for name in _FIGURES}
            for pk, figures in found.items()
        }
        return JsonResponse(texts)

    def get_admin_urls_for_registration(self) -> tuple[URLPattern, ...]:
        pattern = f"{self.opts.app_label}/{self.opts.model_name}/figures/"
        name = self.url_helper.get_action_url_name("figures")
        return (
            *super().get_admin_urls_for_registration(),
            path(pattern, require_safe(self.figures_view), name=name),
        )


def _figure(client_list: ClientList, name: str) -> SafeString:
    shown = client_list.figures  # type: ignore[attr-defined] # set by the list
    context = {"shown": shown, "name": name, "text": getattr(shown, name)}
    return render_to_string("mailing/admin/figure.html", context)
