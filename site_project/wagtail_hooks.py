"""The admin as a whole: its look, its menu, its front page. Wiring only."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from wagtail import hooks
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.permissions import page_permission_policy, register_permission_policy

from mailing.permissions import OwnPicturesPolicy, sees_every_owner
from site_project.access import PAGE_ACTIONS, NobodysPolicy

_MANAGERS_MENU = {"reports", "help"}

# With `exact_class` they stay in force when Wagtail's apps register theirs, which may be later.
register_permission_policy(
    get_image_model(),
    OwnPicturesPolicy(get_image_model(), owner_field_name="uploaded_by_user"),
    exact_class=True,
)
register_permission_policy(
    get_document_model(), NobodysPolicy(get_document_model()), exact_class=True
)


@hooks.register("insert_global_admin_css")
def admin_css() -> SafeString:
    files = ("css/tokens.css", "css/parts.css", "css/admin.css")
    return format_html_join(
        "", '<link rel="stylesheet" href="{}">', ((static(name),) for name in files)
    )


@hooks.register("insert_global_admin_js")
def admin_js() -> SafeString:
    return format_html_join("", '<script src="{}" defer></script>', ((static("js/admin.js"),),))


@hooks.register("register_icons")
def register_icons(icons: list[str]) -> list[str]:
    return [*icons, "icons/paper-plane.svg", "icons/users.svg", "icons/chart-column.svg"]


@hooks.register("construct_main_menu")
def hide_what_is_not_theirs(request: HttpRequest, menu_items: list[Any]) -> None:
    if not sees_every_owner(request.user):
        menu_items[:] = [item for item in menu_items if item.name not in _MANAGERS_MENU]


@hooks.register("construct_page_chooser_queryset")
def only_public_pages(pages: Any, request: HttpRequest) -> Any:
    """Who may not edit pages chooses among those that everybody can read."""
    if page_permission_policy.user_has_any_permission(request.user, PAGE_ACTIONS):
        return pages
    return pages.live().public()
