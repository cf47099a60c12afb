"""Guards for admin screens that are not ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import ResolverMatch
from django.views.decorators.cache import never_cache
from django.views.defaults import page_not_found
from wagtail.admin.auth import permission_denied, require_admin_access
from wagtail.admin.views.home import HomeView
from wagtail.images import get_image_model
from wagtail.models import Collection, UploadedFile
from wagtail.permission_policies.collections import CollectionPermissionPolicy
from wagtail.permissions import page_permission_policy, policy_registry

from mailing.permissions import sees_every_owner

View = Callable[..., HttpResponse]

PAGE_ACTIONS = {"add", "change", "publish"}
_PAGE_SCREENS = {"wagtailadmin_pages", "wagtailadmin_workflows"}
_PAGE_VIEWS = {
    "wagtailadmin_explore_root",
    "wagtailadmin_explore",
    "wagtailadmin_explore_results",
    "wagtailadmin_choose_page_chosen_multiple",
    "wagtailadmin_tag_autocomplete",
    "wagtailadmin_tag_model_autocomplete",
}
_PICTURE_SCREENS = {"wagtailimages", "wagtailimages_chooser"}
# The APIs list the pictures and documents of everybody; the other fails on purpose.
_SHUT_SCREENS = {"wagtailadmin_api:images", "wagtailadmin_api:documents"}
_SHUT_VIEWS = {"wagtailadmin_error_test"}


def admin_only(view: View) -> View:
    guarded: View = require_admin_access(view)
    return guarded


@never_cache
def admin_home(request: HttpRequest) -> HttpResponse:
    """Show the front page of the admin, or who can help to a person whom no role lets in.

    Such a person would be sent to the log-in, and from there back.
    """
    user = request.user
    if user.is_authenticated and not has_role(user):
        return render(request, "no_role.html", status=403)
    page: HttpResponse = require_admin_access(HomeView.as_view())(request)
    return page


def has_role(user: Any) -> bool:
    """Return whether somebody may do anything in the admin beyond entering it."""
    if not user.has_perm("wagtailadmin.access_admin"):
        return False
    return bool(user.get_all_permissions() - {"wagtailadmin.access_admin"}) or bool(
        page_permission_policy.user_has_any_permission(user, PAGE_ACTIONS)
    )


def managers_only(view: View) -> View:
    """Let in only those who may see every owner's rows."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not sees_every_owner(request.user):
            denied: HttpResponse = permission_denied(request)
            return denied
        return view(request, *args, **kwargs)

    return admin_only(guarded)


class NobodysPolicy(CollectionPermissionPolicy):
    """For documents: the admin will not start without their app, but nobody may keep any here."""

    def _check_perm(self, user: Any, actions: Any, collection: Any = None) -> bool:
        return False

    def instances_user_has_any_permission_for(self, user: Any, actions: Any) -> QuerySet[Any]:
        nothing: QuerySet[Any] = self.model._default_manager.none()
        return nothing

    def collections_user_has_any_permission_for(self, user: Any, actions: Any) -> QuerySet[Any]:
        nothing: QuerySet[Any] = Collection.objects.none()
        return nothing


class AdminGuardMiddleware:
    """Asks, before a screen of Wagtail's runs, what it does not ask itself.

    What a person must not see is answered like what does not exist.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: Any, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or not request.user.is_authenticated or _may_pass(request, match):
            return None
        return page_not_found(request, Http404(), template_name="wagtailadmin/404.html")


def _may_pass(request: HttpRequest, match: ResolverMatch) -> bool:
    if match.namespace in _SHUT_SCREENS or match.url_name in _SHUT_VIEWS:
        return False
    if match.namespace in _PAGE_SCREENS or match.url_name in _PAGE_VIEWS:
        return _edits_pages(request)
    if match.namespace in _PICTURE_SCREENS:
        return _may_see_picture(request, match.kwargs)
    if match.url_name == "wagtail_bulk_action":
        return _may_see_chosen(request, **match.kwargs)
    return True


def _edits_pages(request: HttpRequest) -> bool:
    edits: bool = page_permission_policy.user_has_any_permission(request.user, PAGE_ACTIONS)
    return edits


def _may_see_picture(request: HttpRequest, kwargs: dict[str, Any]) -> bool:
    upload = kwargs.get("uploaded_file_id")
    if upload is not None:
        mine = UploadedFile.objects.filter(pk=upload, uploaded_by_user=request.user)
        return bool(mine.exists())
    picture = kwargs.get("image_id", kwargs.get("pk"))
    return picture is None or _are_visible(request, [picture])


def _may_see_chosen(request: HttpRequest, app_label: str, model_name: str, action: str) -> bool:
    """Say whether a person may act on these rows at once; Wagtail's page names them first."""
    if app_label == "wagtailcore":
        return _edits_pages(request)
    if app_label == "wagtaildocs":
        return False
    if app_label == "wagtailimages":
        chosen = set(request.GET.getlist("id")) - {"all"}
        return action != "add_tags" and _are_visible(request, chosen)
    return True


def _are_visible(request: HttpRequest, pictures: Iterable[Any]) -> bool:
    numbers = {str(number) for number in pictures}
    if not all(number.isascii() and number.isdigit() and len(number) < 19 for number in numbers):
        return False
    policy = policy_registry.get_by_type(get_image_model())
    visible = policy.instances_user_has_any_permission_for(request.user, {"choose", "change"})
    return bool(visible.filter(pk__in=numbers).distinct().count() == len(numbers))
