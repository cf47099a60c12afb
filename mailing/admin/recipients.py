"""Whom a mailing would go to, said while its audience is being chosen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from wagtail.admin.auth import permission_denied
from wagtail.admin.panels import Panel

from accounts.models import User
from mailing.models import Client, ClientList
from mailing.querysets import is_number_of_a_row
from mailing.reach import reach

_MOST_CHOSEN = 1000


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
            chosen = ([getattr(v, "pk", v) for v in self.form[n].value() or ()] for n in _FIELDS)
            return {
                **super().get_context_data(parent_context),
                **reach_context(self.form.instance.owner, *chosen),
            }


_FIELDS = ("lists", "clients")
