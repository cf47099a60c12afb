"""The screen for sending intervals; they belong to nobody: all choose them, managers add some."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail_modeladmin.helpers import PermissionHelper

from mailing.admin.owned import GuardedModelAdmin, OwnedIndexView
from mailing.enums import MonthDay, Unit
from mailing.models import DatePeriod, Mailing

_LONGEST_COUNT = 1000
_MOST_YEARS = 100
_SHORTEST_MINUTES = 5


class DatePeriodForm(WagtailAdminModelForm):
    """Refuses what makes no sense, and what would move the dates of mailings unasked."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        unit, count, month_day = (cleaned.get(name) for name in ("unit", "count", "month_day"))
        if unit is None or count is None or month_day is None:
            return cleaned
        if unit == Unit.ONCE and count != 1:
            self.add_error("count", _("Something that happens once has the number 1."))
        elif not 1 <= count <= _LONGEST_COUNT:
            self.add_error("count", _("Choose a number from 1 to 1000."))
        elif unit == Unit.MINUTE and count < _SHORTEST_MINUTES:
            self.add_error("count", _("Nobody wants a letter more often than every 5 minutes."))
        elif unit == Unit.YEAR and count > _MOST_YEARS:
            self.add_error("count", _("Choose at most 100 years."))
        elif unit != Unit.MONTH and month_day != MonthDay.SAME_DAY:
            self.add_error("month_day", _("Only an interval of months has such a day."))
        elif self._same().exists():
            self.add_error("count", _("This interval exists already."))
        elif self.instance.pk and self.changed_data and self._is_used():
            text = _("Mailings use this interval, and their dates would change. Add another one.")
            self.add_error(self.changed_data[0], text)
        return cleaned

    def _same(self) -> QuerySet[DatePeriod]:
        rule = {name: self.cleaned_data[name] for name in ("unit", "count", "month_day")}
        return DatePeriod.objects.filter(**rule).exclude(pk=self.instance.pk)

    def _is_used(self) -> bool:
        return Mailing.objects.kept().filter(period=self.instance.pk).exists()


class DatePeriodPermissionHelper(PermissionHelper):
    def user_can_list(self, user: Any) -> bool:
        return self.user_has_specific_permission(user, self.get_perm_codename("view"))


class DatePeriodIndexView(OwnedIndexView):
    def get_ordering(self, request: HttpRequest, queryset: QuerySet[DatePeriod]) -> list[Any]:
        # The stock one puts the model's own ordering first.
        return list(queryset.query.order_by)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        periods = context["object_list"] = list(context["object_list"])
        used = Mailing.objects.kept().filter(period__in=periods).order_by()
        rows = used.values_list("period").annotate(Count("pk"), Count("owner", distinct=True))
        counts = {period: (mailings, owners) for period, mailings, owners in rows}
        for period in periods:
            period.mailings_count, period.owners_count = counts.get(period.pk, (0, 0))
        return context


class DatePeriodAdmin(GuardedModelAdmin):
    model = DatePeriod
    menu_label = gettext_lazy("Intervals")
    menu_item_name = "intervals"
    menu_icon = "time"
    menu_order = 150
    add_label = gettext_lazy("Add an interval")
    delete_warning = gettext_lazy("An interval that a mailing uses cannot be deleted.")
    list_display = ("name", "mailings", "owners")
    permission_helper_class = DatePeriodPermissionHelper
    index_view_class = DatePeriodIndexView
    history_view_enabled = False
    edit_handler = ObjectList(
        [
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("count"), FieldPanel("unit")]),
                    FieldPanel("month_day", help_text=gettext_lazy("For months only.")),
                ],
                heading=gettext_lazy("How often"),
            )
        ],
        base_form_class=DatePeriodForm,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[DatePeriod]:
        return super().get_queryset(request).shortest_first()

    def name(self, period: DatePeriod) -> str:
        return str(period)

    name.short_description = gettext_lazy("name")  # type: ignore[attr-defined]

    def mailings(self, period: DatePeriod) -> str:
        return str(period.mailings_count)  # type: ignore[attr-defined] # set by the list

    mailings.short_description = gettext_lazy("mailings")  # type: ignore[attr-defined]

    def owners(self, period: DatePeriod) -> str:
        return str(period.owners_count)  # type: ignore[attr-defined]

    owners.short_description = gettext_lazy("owners")  # type: ignore[attr-defined]
