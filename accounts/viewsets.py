"""Wagtail's screens for users, with our list, our page of a person, and our way of blocking."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from wagtail.users.forms import UserCreationForm, UserEditForm
from wagtail.users.views import bulk_actions as stock_actions
from wagtail.users.views import users as stock
from wagtail.users.views.bulk_actions.set_active_state import ActivityForm as StockActivityForm

from accounts.blocking import may_block, set_active
from accounts.deleting import DeleteView
from accounts.models import User
from accounts.people import PeopleFilterSet, PeopleView
from accounts.person import PersonView, ToggleActiveView, reason_field


class _Fields:
    """What both forms share: names are optional, since people sign in by address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first_name", "last_name"):
            self.fields[name].required = False  # type: ignore[attr-defined]


class EditForm(_Fields, UserEditForm):
    class Meta(UserEditForm.Meta):
        fields = UserEditForm.Meta.fields | {"middle_name", "phone", "country"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Blocking is more than a tick: it ends sessions and pauses mailings.
        self.fields.pop("is_active", None)

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=commit)
        if commit and "email" in self.changed_data:
            # allauth's own row would go on receiving reset links at the former address.
            EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
        return user


class CreationForm(_Fields, UserCreationForm):
    class Meta(UserCreationForm.Meta):
        fields = UserCreationForm.Meta.fields | {"middle_name", "phone", "country"}


class ActivityForm(StockActivityForm):
    reason = reason_field(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if cleaned.get("mark_as_active") is False and not cleaned.get("reason"):
            self.add_error("reason", _("Say why they are blocked."))
        return cleaned


class SetActiveStateBulkAction(stock_actions.SetActiveStateBulkAction):
    """The stock action would only tick the box; this one blocks as the button does."""

    any_permission_required = ["block"]  # with that alone, as managers have it
    form_class = ActivityForm

    def check_perm(self, obj: User) -> bool:
        return may_block(obj, by=self.request.user)

    def get_execution_context(self) -> dict[str, Any]:
        reason = self.cleaned_form.cleaned_data["reason"]
        return {**super().get_execution_context(), "reason": reason}

    @classmethod
    def execute_action(
        cls, objects: list[User], mark_as_active: bool = False, reason: str = "", **context: Any
    ) -> tuple[int, int]:
        by = context["user"]
        changed = [set_active(p, active=mark_as_active, by=by, reason=reason) for p in objects]
        return sum(changed), 0


class UserViewSet(stock.UserViewSet):
    index_view_class = PeopleView
    filterset_class = PeopleFilterSet
    delete_view_class = DeleteView
    delete_template_name = DeleteView.template_name

    def get_form_class(self, for_update: bool = False) -> type:
        return EditForm if for_update else CreationForm

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/", PersonView.as_view(), name="person"),
            path("<int:pk>/active/", ToggleActiveView.as_view(), name="toggle_active"),
        ]
