"""Deleting people in the admin: their accounts are closed and erased, as they could do it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.users.views import bulk_actions as stock_actions
from wagtail.users.views import users as stock

from accounts import closing
from accounts.models import User


def _crumbs(*last: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"url": reverse("wagtailadmin_home"), "label": _("Home")},
        {"url": reverse("wagtailusers_users:index"), "label": _("Users")},
        *last,
    ]


class DeleteView(stock.DeleteView):
    """Takes the place of the stock view, under which millions of rows would go in one request."""

    template_name = "accounts/close.html"
    success_message = gettext_lazy("The account of %(object)s is closed, and is being erased.")
    object: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not closing.may_close(self.object, by=self.request.user):
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        page = reverse("wagtailusers_users:person", args=[self.object.pk])
        return _crumbs(
            {"url": page, "label": str(self.object)}, {"url": "", "label": _("Delete the account")}
        )

    def get_usage_url(self) -> None:
        """Refer to no list: what belongs to the person goes, or stays as nobody's."""

    def delete_action(self) -> None:
        try:
            closing.close(self.object, now=timezone.now(), by=self.request.user)
        except closing.LastAdministrator as error:  # who asks has been deleted meanwhile
            raise PermissionDenied from error


class DeleteBulkAction(stock_actions.DeleteBulkAction):
    """The same for many at once."""

    template_name = "accounts/close_many.html"

    def check_perm(self, obj: User) -> bool:
        return closing.may_close(obj, by=self.request.user)

    def annotate_items(self, items: list[User]) -> list[User]:
        items = super().annotate_items(items)
        self.is_protected = False  # as above: nothing of theirs stands in the way
        return items

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        crumbs = _crumbs({"url": "", "label": _("Delete accounts")})
        return {**super().get_context_data(**kwargs), "breadcrumbs_items": crumbs}

    def get_execution_context(self) -> dict[str, Any]:
        return {**super().get_execution_context(), "by": self.request.user}

    @classmethod
    def execute_action(
        cls, objects: list[User], by: User | None = None, **_context: Any
    ) -> tuple[int, int]:
        for user in objects:
            closing.close(user, now=timezone.now(), by=by)
        return len(objects), 0

    def get_success_message(self, num_parent_objects: int, num_child_objects: int) -> str:
        return ngettext(
            "%(number)d account is closed, and is being erased.",
            "%(number)d accounts are closed, and are being erased.",
            num_parent_objects,
        ) % {"number": num_parent_objects}
