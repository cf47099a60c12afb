"""The list of users for managers: they see it, and may block and unblock."""

from __future__ import annotations

from typing import Any

import django_filters
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.widgets.boolean_radio_select import BooleanRadioSelect
from wagtail.admin.widgets.button import Button
from wagtail.users.forms import UserCreationForm, UserEditForm
from wagtail.users.views import bulk_actions as stock_actions
from wagtail.users.views import users as stock

from accounts.blocking import NotAllowed, may_block, set_active, who_may_block
from accounts.models import User


class AuthenticatedRequest(HttpRequest):
    """What a view behind Wagtail's log-in gets; for the type checker."""

    user: User


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


class UserFilterSet(stock.UserFilterSet):
    is_active = django_filters.BooleanFilter(
        label=gettext_lazy("Active"), widget=BooleanRadioSelect
    )


class IndexView(stock.IndexView):
    def get_edit_url(self, instance: User) -> str | None:
        # The stock view links the name for everybody, also for managers who may only look.
        if self.user_has_permission("change"):
            return super().get_edit_url(instance)
        return None

    @cached_property
    def blockers(self) -> set[int]:
        return who_may_block()

    def get_list_buttons(self, instance: User) -> list[Any]:
        if may_block(instance, by=self.request.user, blockers=self.blockers):
            toggle = Button(
                _("Block") if instance.is_active else _("Unblock"),
                url=reverse("wagtailusers_users:toggle_active", args=[instance.pk]),
                priority=30,
            )
        else:
            toggle = None
        buttons = [b for b in super().get_list_buttons(instance) if getattr(b, "buttons", True)]
        return [toggle, *buttons] if toggle else buttons


class ToggleActiveView(WagtailAdminTemplateMixin, TemplateView):
    """Asks before blocking or unblocking; only the POST acts."""

    template_name = "accounts/toggle_active.html"
    header_icon = "user"
    request: AuthenticatedRequest

    @cached_property
    def user(self) -> User:
        user: User = get_object_or_404(User, pk=self.kwargs["pk"])
        return user

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        by = self.request.user
        # First without a look at the row: the answer must not tell who exists.
        if not by.has_perm("accounts.block_user") or not may_block(self.user, by=by):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return _("Block this user") if self.user.is_active else _("Unblock this user")

    def get_page_subtitle(self) -> str:
        return str(self.user)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("wagtailusers_users:index"), "label": _("Users")},
            {"url": "", "label": self.get_page_title(), "sublabel": str(self.user)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, person=self.user)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        active = request.POST.get("active") == "1"
        try:
            set_active(self.user, active=active, by=self.request.user)
        except NotAllowed as error:
            raise PermissionDenied from error
        done = _("%(user)s is unblocked.") if active else _("%(user)s is blocked.")
        messages.success(request, done % {"user": self.user})
        return redirect("wagtailusers_users:index")


class SetActiveStateBulkAction(stock_actions.SetActiveStateBulkAction):
    """The stock action would only tick the box; this one blocks as the button does."""

    any_permission_required = ["block"]  # with that alone, as managers have it

    def check_perm(self, obj: User) -> bool:
        return may_block(obj, by=self.request.user)

    @classmethod
    def execute_action(
        cls, objects: list[User], mark_as_active: bool = False, **context: Any
    ) -> tuple[int, int]:
        by = context["user"]
        return sum(set_active(person, active=mark_as_active, by=by) for person in objects), 0


class UserViewSet(stock.UserViewSet):
    index_view_class = IndexView
    filterset_class = UserFilterSet

    def get_form_class(self, for_update: bool = False) -> type:
        return EditForm if for_update else CreationForm

    def get_urlpatterns(self) -> list[URLPattern]:
        toggle = path("<int:pk>/active/", ToggleActiveView.as_view(), name="toggle_active")
        return [*super().get_urlpatterns(), toggle]
