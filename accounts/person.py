"""The page of a person, for managers, and the page that asks before one is blocked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.models import ModelLogEntry

from accounts import closing
from accounts.blocking import NotAllowed, may_block, set_active
from accounts.models import User
from accounts.people import clients_text, mailings_text, role_of, status_of, with_confirmed
from accounts.workload import workloads

_EVENTS_SHOWN = 20


class AuthenticatedRequest(HttpRequest):
    """What a view behind Wagtail's log-in gets; for the type checker."""

    user: User


def reason_field(*, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Managers, and this person later, read it in the event log."),
        max_length=500,
        required=required,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReasonForm(forms.Form):
    reason = reason_field()


class _PersonMixin(WagtailAdminTemplateMixin, TemplateView):
    """A screen about one person, who need not be there."""

    header_icon = "user"
    request: AuthenticatedRequest

    @cached_property
    def person(self) -> User:
        users = with_confirmed(User.objects.select_related("wagtail_userprofile"))
        person: User = get_object_or_404(users, pk=self.kwargs["pk"])
        return person

    def get_page_title(self) -> str:
        return str(self.person)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        users = {"url": reverse("wagtailusers_users:index"), "label": _("Users")}
        return [*self.breadcrumbs_items, users, *self.last_crumbs()]

    def last_crumbs(self) -> list[dict[str, Any]]:
        return [{"url": "", "label": str(self.person)}]


class PersonView(_PersonMixin):
    template_name = "accounts/person.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not self.request.user.has_perm("accounts.view_user"):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person, by = self.person, self.request.user
        load = workloads([person.pk])[person.pk]
        return super().get_context_data(
            **kwargs,
            person=person,
            role=role_of(person),
            status=status_of(person),
            mailings=mailings_text(load),
            clients=clients_text(load),
            may_block=may_block(person, by=by),
            may_change=by.has_perm("accounts.change_user"),
            may_close=closing.may_close(person, by=by),
            events=self._events(),
        )

    def _events(self) -> list[ModelLogEntry]:
        about = ModelLogEntry.objects.for_instance(self.person).select_related("user")
        return list(about.order_by("-timestamp", "-pk")[:_EVENTS_SHOWN])


class ToggleActiveView(_PersonMixin):
    """Asks before blocking or unblocking; only the POST acts."""

    template_name = "accounts/toggle_active.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        by = self.request.user
        # First without a look at the row: the answer must not tell who exists.
        if not by.has_perm("accounts.block_user") or not may_block(self.person, by=by):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return _("Block this user") if self.person.is_active else _("Unblock this user")

    def last_crumbs(self) -> list[dict[str, Any]]:
        return [
            {"url": self._page_url(), "label": str(self.person)},
            {"url": "", "label": self.get_page_title()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = {"person": self.person, "form": ReasonForm(), "page_url": self._page_url()}
        return super().get_context_data(**context | kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        active, reason = request.POST.get("active") == "1", ""
        if not active:
            form = ReasonForm(request.POST)
            if not form.is_valid():
                return self.render_to_response(self.get_context_data(form=form))
            reason = form.cleaned_data["reason"]
        try:
            set_active(self.person, active=active, by=self.request.user, reason=reason)
        except NotAllowed as error:
            raise PermissionDenied from error
        done = _("%(user)s is unblocked.") if active else _("%(user)s is blocked.")
        messages.success(request, done % {"user": self.person})
        return redirect("wagtailusers_users:person", self.person.pk)

    def _page_url(self) -> str:
        return reverse("wagtailusers_users:person", args=[self.person.pk])
