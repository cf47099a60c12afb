"""The screen for sending intervals; they belong to nobody: all choose them, managers add some."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, ObjectList
from wagtail_modeladmin.helpers import PermissionHelper

from mailing.admin.owned import GuardedModelAdmin
from mailing.enums import Unit
from mailing.models import DatePeriod

_LONGEST_COUNT = 1000
_SHORTEST_MINUTES = 5


class DatePeriodForm(WagtailAdminModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        unit, count = cleaned.get("unit"), cleaned.get("count")
        if unit is None or count is None:
            return cleaned
        if unit == Unit.ONCE and count != 1:
            self.add_error("count", _("Something that happens once has the number 1."))
        elif not 1 <= count <= _LONGEST_COUNT:
            self.add_error("count", _("Choose a number from 1 to 1000."))
        elif unit == Unit.MINUTE and count < _SHORTEST_MINUTES:
            self.add_error("count", _("Nobody wants a letter more often than every 5 minutes."))
        elif (
            DatePeriod.objects.filter(unit=unit, count=count).exclude(pk=self.instance.pk).exists()
        ):
            self.add_error("count", _("This interval exists already."))
        return cleaned


class DatePeriodPermissionHelper(PermissionHelper):
    def user_can_list(self, user: Any) -> bool:
        return self.user_has_specific_permission(user, self.get_perm_codename("view"))


class DatePeriodAdmin(GuardedModelAdmin):
    model = DatePeriod
    menu_label = gettext_lazy("Intervals")
    menu_icon = "time"
    menu_order = 150
    add_label = gettext_lazy("Add an interval")
    delete_warning = gettext_lazy("An interval that a mailing uses cannot be deleted.")
    list_display = ("name",)
    permission_helper_class = DatePeriodPermissionHelper
    history_view_enabled = False
    edit_handler = ObjectList(
        [FieldRowPanel([FieldPanel("count"), FieldPanel("unit")])], base_form_class=DatePeriodForm
    )

    def name(self, period: DatePeriod) -> str:
        return str(period)

    name.short_description = gettext_lazy("name")  # type: ignore[attr-defined]
