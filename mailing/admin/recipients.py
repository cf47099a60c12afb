"""Whom mailings would go to: said of those there are, and while an audience is being chosen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import ngettext
from wagtail.admin.auth import permission_denied
from wagtail.admin.panels import Panel

from accounts.models import User
from mailing import recipients
from mailing.admin.counts import MOST_LEAFED, at_most_leafed, number_text
from mailing.models import Client, ClientList, Mailing
from mailing.querysets import is_number_of_a_row
from mailing.reach import reach, sizes

_MOST_CHOSEN = 1000
_MOST_ASKED = 100


@dataclass(frozen=True, slots=True)
class AudienceShown:
    """What a page says of a mailing's audience; the rest comes later if it `is_partial`."""

    pk: int
    clients: str
    mailed: str
    excluded: str
    """A sentence on those who get no letters, empty if there are none."""
    plural: int
    """The number that words beside `clients` go by."""
    is_partial: bool

    def figure(self, name: str) -> SafeString:
        context = {"shown": self, "name": name, "text": getattr(self, name)}
        return render_to_string("mailing/admin/figure.html", context)

    @property
    def clients_figure(self) -> SafeString:
        return self.figure("clients")

    @property
    def excluded_figure(self) -> SafeString:
        return self.figure("excluded")


def audiences_shown(mailing_ids: Iterable[int]) -> dict[int, AudienceShown]:
    """Return what can be said at once of mailings, by a fixed number of queries."""
    return {
        pk: _partly(pk, known.at_least) if known.size is None else _whole(pk, known.size)
        for pk, known in recipients.at_once(mailing_ids, MOST_LEAFED).items()
    }


def _whole(pk: int, size: recipients.Size) -> AudienceShown:
    without = ngettext(
        "%(number)s of them gets no letters.",
        "%(number)s of them get no letters.",
        size.suppressed,
    )
    return AudienceShown(
        pk=pk,
        clients=number_text(size.clients),
        mailed=number_text(size.mailed),
        excluded=without % {"number": number_text(size.suppressed)} if size.suppressed else "",
        plural=size.clients,
        is_partial=False,
    )


def _partly(pk: int, at_least: int) -> AudienceShown:
    text = at_most_leafed(at_least) if at_least > MOST_LEAFED else "…"
    return AudienceShown(pk, text, text, "", plural=MOST_LEAFED, is_partial=True)


def audiences_url(audiences: Iterable[AudienceShown]) -> str:
    """Return where a script finds what is not said yet, empty if all is."""
    partial = [str(shown.pk) for shown in audiences if shown.is_partial]
    if not partial:
        return ""
    return f"{reverse('mailing_mailing_modeladmin_figures')}?mailings={','.join(partial)}"


def audiences_view(request: HttpRequest) -> HttpResponse:
    """Answer exactly whom mailings would go to, for a script."""
    if not isinstance(request.user, User) or not request.user.has_perm("mailing.view_mailing"):
        denied: HttpResponse = permission_denied(request)
        return denied
    wanted = _numbers(request.GET.get("mailings", "").split(","))[:_MOST_ASKED]
    found = recipients.exactly(Mailing.objects.visible_to(request.user).filter(pk__in=wanted))
    shown = [_whole(pk, size) for pk, size in found.items()]
    return JsonResponse(
        {s.pk: {"clients": s.clients, "mailed": s.mailed, "excluded": s.excluded} for s in shown}
    )


def reach_context(owner: User, lists: Iterable[Any], clients: Iterable[Any]) -> dict[str, Any]:
    """Return what the template shows for these ids; those of others count as if missing."""
    list_ids, client_ids = (
        list(
            model.objects.owned_by(owner).filter(pk__in=_numbers(ids)).values_list("pk", flat=True)
        )
        for model, ids in ((ClientList, lists), (Client, clients))
    )
    found = reach(owner.pk, list_ids, client_ids)
    return {
        "reach": found,
        "reasons": [(str(reason.label), number) for reason, number in found.excluded.items()],
        "has_choice": bool(list_ids or client_ids),
    }


def reach_view(request: HttpRequest) -> HttpResponse:
    """Answer with the figures for the lists and clients that a form of this person holds."""
    if not isinstance(request.user, User) or not request.user.has_perm("mailing.add_mailing"):
        denied: HttpResponse = permission_denied(request)
        return denied
    chosen = (request.GET.getlist(name) for name in ("lists", "clients"))
    context = reach_context(request.user, *chosen)
    return render(request, "mailing/admin/reach.html", context)


def _numbers(ids: Iterable[Any]) -> list[str]:
    return [str(pk) for pk in ids if is_number_of_a_row(str(pk))][:_MOST_CHOSEN]


class ReachPanel(Panel):
    """Shows the figures below the choices, and renews them as one chooses (js/reach.js)."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "mailing/admin/reach_panel.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            owner = self.form.instance.owner
            lists, clients = (
                [getattr(v, "pk", v) for v in self.form[n].value() or ()] for n in _FIELDS
            )
            own = ClientList.objects.owned_by(owner).filter(pk__in=_numbers(lists))
            members = sizes(list(own.values_list("pk", flat=True)), MOST_LEAFED)
            most = max(members.values(), default=0)
            later = most > MOST_LEAFED
            return {
                **super().get_context_data(parent_context),
                # Of more a script asks: counting them takes longer than the form.
                "more_than": at_most_leafed(most) if later else "",
                **({} if later else reach_context(owner, lists, clients)),
            }


_FIELDS = ("lists", "clients")
