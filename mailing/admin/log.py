"""Lists of what the engine wrote: deliveries, and the attempts at them."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from mailing.admin.chips import status_chip
from mailing.admin.counts import KeysFirstPaginator
from mailing.admin.filters import OwnerFilter
from mailing.admin.log_filters import CodeFilter, MailingFilter, PeriodFilter
from mailing.admin.owned import OwnedIndexView, OwnedInspectView, ReadOnlyModelAdmin
from mailing.admin.widgets import is_number_of_a_row
from mailing.enums import Cause, DeliveryState, Outcome
from mailing.models import Attempt, Delivery, Mailing, Run
from mailing.span import Span


def _mailing_link(mailing: Mailing) -> SafeString:
    if mailing.deleted_at is not None:
        return format_html("{}", mailing)  # its page is gone, its letters are not
    url = reverse("mailing_mailing_modeladmin_inspect", args=[mailing.pk])
    return format_html('<a href="{}">{}</a>', url, mailing)


class RunFilter(SimpleListFilter):
    """Set by the links of a mailing's page; it names the run, it does not offer others."""

    title = gettext_lazy("run")
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        wanted = request.GET.get("run", "")
        if not is_number_of_a_row(wanted):
            return []
        runs = Run.objects.visible_to(request.user).filter(pk=wanted).select_related("mailing")
        return [(str(run.pk), str(run)) for run in runs]

    def has_output(self) -> bool:
        # True also without choices, so that the parameter counts as taken.
        return True

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() is None:
            return queryset
        chosen = dict(self.lookup_choices)
        if self.value() not in chosen:
            return queryset.none()
        return queryset.of_runs(Run.objects.filter(pk=self.value() or 0))


class StateFilter(SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        stored = (s for s in DeliveryState if s != DeliveryState.SENDING)
        return [(s.value, str(s.label)) for s in stored]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value()
        if chosen not in dict(self.lookup_choices):
            return queryset
        run = request.GET.get(RunFilter.parameter_name, "")
        run_id = int(run) if is_number_of_a_row(run) else None
        return queryset.in_state(chosen, user=request.user, run_id=run_id)


class OutcomeFilter(SimpleListFilter):
    title = gettext_lazy("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(o.value, str(o.label)) for o in Outcome]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen not in Outcome.values:
            return queryset
        found: Any = queryset.filter(outcome=chosen)
        return found if chosen == Outcome.ACCEPTED else found.refused()


class CauseFilter(SimpleListFilter):
    title = gettext_lazy("cause")
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(cause.value), str(cause.label)) for cause in Cause]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = self.value()
        if chosen not in dict(self.lookup_choices):
            return queryset
        return queryset.refused().filter(cause=int(chosen or 0))


class RunPeriodFilter(PeriodFilter):
    """Of letters: when their run was due."""

    field = "run__due_at"


class AttemptPeriodFilter(PeriodFilter):
    def narrow(self, rows: Any, span: Span, request: HttpRequest) -> Any:
        return rows.within(span, user=request.user)


class AttemptMailingFilter(MailingFilter):
    def narrow(self, rows: Any, mailing_id: int) -> Any:
        return rows.of_mailing(mailing_id, user=self.user)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        self.user = request.user
        return super().lookups(request, model_admin)


class LetterCodeFilter(CodeFilter):
    field = "last_code"


class LogOwnerFilter(OwnerFilter):
    """Offers those who have mailings: nobody looks through millions of rows for their owners."""

    def owned_model(self, model_admin: Any) -> Any:
        return Mailing


class LetterOwnerFilter(LogOwnerFilter):
    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.chosen:
            return queryset
        return queryset.of_runs(Run.objects.filter(mailing__owner=int(self.chosen)))


class LetterMailingFilter(MailingFilter):
    def narrow(self, rows: Any, mailing_id: int) -> Any:
        return rows.of_runs(Run.objects.filter(mailing=mailing_id))


class AttemptCodeFilter(CodeFilter):
    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        found: Any = super().queryset(request, queryset)
        # A reply of 4xx or 5xx is never to an accepted letter, and that the indexes know.
        is_refusal = found is not queryset and (self.value() or "").strip() >= "4"
        return found.refused() if is_refusal else found


class LogIndexView(OwnedIndexView):
    """Newest first by the key: no other order has an index, and millions of rows are not sorted."""

    paginator_class = KeysFirstPaginator
    searched_with = ("code", "owner")
    sortable_by = ()

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        return ["-pk"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        owners = next((s for s in self.filter_specs if isinstance(s, OwnerFilter)), None)
        return super().get_context_data(
            **kwargs,
            owners=owners.lookup_choices if owners else [],
            chosen_owner=owners.chosen if owners else "",
            drop_downs=[
                spec for spec in self.filter_specs if not isinstance(spec, OwnerFilter | CodeFilter)
            ],
            code=self.params.get(CodeFilter.parameter_name, ""),
        )


class DeliveryInspectView(OwnedInspectView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            delivery=self.instance,
            chip=status_chip(DeliveryState(self.instance.state)),
            mailing_link=_mailing_link(self.instance.run.mailing),
            attempts=[
                (attempt, status_chip(Outcome(attempt.outcome)))
                for attempt in self.instance.log.order_by("number")
            ],
        )


class DeliveryAdmin(ReadOnlyModelAdmin):
    model = Delivery
    add_to_admin_menu = False
    menu_label = gettext_lazy("Deliveries")
    menu_item_name = "deliveries"
    menu_icon = "mail"
    list_display = ("email", "mailing", "delivery_state", "attempts", "answer")
    list_filter = (
        RunFilter,
        RunPeriodFilter,
        LetterMailingFilter,
        StateFilter,
        LetterCodeFilter,
        LetterOwnerFilter,
    )
    list_export = ("email", "mailing_name", "state", "attempts", "last_code", "last_reply")
    export_filename = "deliveries"
    search_fields = ("email",)
    list_select_related = ("run__mailing__owner",)
    index_view_class = LogIndexView
    index_template_name = "mailing/admin/log_index.html"
    inspect_view_class = DeliveryInspectView
    inspect_template_name = "mailing/admin/delivery_inspect.html"

    def mailing(self, delivery: Delivery) -> SafeString:
        return _mailing_link(delivery.run.mailing)

    mailing.short_description = gettext_lazy("mailing")  # type: ignore[attr-defined]

    def mailing_name(self, delivery: Delivery) -> str:
        return delivery.run.mailing.name

    mailing_name.short_description = gettext_lazy("mailing")  # type: ignore[attr-defined]

    def owner(self, delivery: Delivery) -> str:
        return str(delivery.run.mailing.owner)

    owner.short_description = gettext_lazy("owner")  # type: ignore[attr-defined]

    shows_owner = True

    def delivery_state(self, delivery: Delivery) -> SafeString:
        return status_chip(DeliveryState(delivery.state))

    delivery_state.short_description = gettext_lazy("state")  # type: ignore[attr-defined]

    def answer(self, delivery: Delivery) -> str:
        return f"{delivery.last_code or ''} {delivery.last_reply}".strip()

    answer.short_description = gettext_lazy("the server’s answer")  # type: ignore[attr-defined]


class AttemptAdmin(ReadOnlyModelAdmin):
    model = Attempt
    menu_label = gettext_lazy("Attempts")
    menu_item_name = "attempts"
    menu_icon = "history"
    menu_order = 140
    inspect_view_enabled = False
    list_display = (
        "when",
        "address_link",
        "mailing",
        "number",
        "stage",
        "result",
        "codes",
        "reply",
    )
    list_filter = (
        AttemptPeriodFilter,
        AttemptMailingFilter,
        OutcomeFilter,
        CauseFilter,
        AttemptCodeFilter,
        LogOwnerFilter,
    )
    list_export = (
        "at",
        "mailing_name",
        "address",
        "number",
        "stage",
        "outcome",
        "why",
        "code",
        "enhanced",
        "reply",
    )
    index_view_class = LogIndexView
    index_template_name = "mailing/admin/log_index.html"
    export_filename = "attempts"
    search_fields = ("delivery__email",)
    list_select_related = ("owner", "delivery__run__mailing")

    def when(self, attempt: Attempt) -> str:
        return date_format(timezone.localtime(attempt.at), "SHORT_DATETIME_FORMAT")

    when.short_description = gettext_lazy("time")  # type: ignore[attr-defined]

    def address(self, attempt: Attempt) -> str:
        return attempt.delivery.email

    address.short_description = gettext_lazy("address")  # type: ignore[attr-defined]

    def address_link(self, attempt: Attempt) -> SafeString:
        url = reverse("mailing_delivery_modeladmin_inspect", args=[attempt.delivery_id])
        return format_html('<a href="{}">{}</a>', url, attempt.delivery.email or "—")

    address_link.short_description = gettext_lazy("address")  # type: ignore[attr-defined]

    def mailing(self, attempt: Attempt) -> SafeString:
        return _mailing_link(attempt.delivery.run.mailing)

    mailing.short_description = gettext_lazy("mailing")  # type: ignore[attr-defined]

    def result(self, attempt: Attempt) -> SafeString:
        return status_chip(Outcome(attempt.outcome))

    result.short_description = gettext_lazy("outcome")  # type: ignore[attr-defined]

    def codes(self, attempt: Attempt) -> str:
        return f"{attempt.code or ''} {attempt.enhanced}".strip()

    codes.short_description = gettext_lazy("code")  # type: ignore[attr-defined]

    def mailing_name(self, attempt: Attempt) -> str:
        return attempt.delivery.run.mailing.name

    mailing_name.short_description = gettext_lazy("mailing")  # type: ignore[attr-defined]

    def why(self, attempt: Attempt) -> str:
        return attempt.get_cause_display() or ""

    why.short_description = gettext_lazy("cause")  # type: ignore[attr-defined]
