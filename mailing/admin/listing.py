"""The list of mailings: tabs of statuses, whose they are, whom they reach, what came of them."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailing import heartbeat
from mailing.admin.filters import OwnedFilter, OwnerFilter
from mailing.admin.owned import OwnedIndexView
from mailing.admin.recipients import audiences_shown, audiences_url
from mailing.admin.results import with_latest_result
from mailing.enums import ACTIVE_MAILINGS, MailingStatus
from mailing.models import Mailing
from mailing.pages import MAILINGS
from site_project.page_cache import ManagedCachedMixin

ACTIVE = "active"
"""Not a status: those whose dates count."""


class StatusTabs(OwnedFilter):
    """The tabs above the list; each says how many it holds."""

    title = gettext_lazy("status")
    parameter_name = "status"
    is_silent = True

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(ACTIVE, _("Active")), *((s.value, str(s.label)) for s in MailingStatus)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mailing]) -> QuerySet[Mailing]:
        chosen = self.value()
        if chosen == ACTIVE:
            return queryset.filter(status__in=ACTIVE_MAILINGS)
        return queryset.filter(status=chosen) if chosen in MailingStatus.values else queryset


class MailingIndexView(ManagedCachedMixin, OwnedIndexView):
    managed_cache = MAILINGS
    searched_with = ("owner",)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        owners = next((s for s in self.filter_specs if isinstance(s, OwnerFilter)), None)
        chosen = self.request.GET.get(StatusTabs.parameter_name, "")
        context = super().get_context_data(
            **kwargs,
            tabs=self._tabs(owners, chosen),
            chosen_tab=chosen if chosen in {ACTIVE, *MailingStatus.values} else "",
            owners=owners.lookup_choices if owners else [],
            chosen_owner=owners.chosen if owners else "",
            worker_runs=heartbeat.is_beating(timezone.now()),
        )
        context["object_list"] = with_latest_result(context["object_list"])
        audiences = audiences_shown([mailing.pk for mailing in context["object_list"]])
        for mailing in context["object_list"]:
            mailing.audience = audiences[mailing.pk]
        context["figures_url"] = audiences_url(audiences.values())
        return context

    def _tabs(self, owners: OwnerFilter | None, chosen: str) -> list[tuple[str, str, int, str]]:
        """Return value, label, number and address of each; they keep owner, search and order."""
        mailings = self.get_base_queryset()
        if owners is not None:
            mailings = owners.queryset(self.request, mailings)
        found = self.get_search_results(self.request, mailings.order_by(), self.query)
        counts = dict(found.order_by().values_list("status").annotate(n=Count("pk")))
        kept = [s for s in MailingStatus if s in counts or s == chosen]
        active = sum(counts.get(status, 0) for status in ACTIVE_MAILINGS)
        return [
            ("", _("All"), sum(counts.values()), self._tab_url(owners, None)),
            *(
                [(ACTIVE, _("Active"), active, self._tab_url(owners, ACTIVE))]
                if active or chosen == ACTIVE
                else []
            ),
            *((s.value, str(s.label), counts.get(s, 0), self._tab_url(owners, s)) for s in kept),
        ]

    def _tab_url(self, owners: OwnerFilter | None, status: str | None) -> str:
        # An owner's address may name another; for those who see only their own it means nothing.
        ignored = [] if owners and owners.chosen else [OwnerFilter.parameter_name]
        query = self.get_query_string({StatusTabs.parameter_name: status and str(status)}, ignored)
        return query if len(query) > 1 else str(self.index_url)
