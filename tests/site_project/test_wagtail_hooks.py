"""The admin as each role finds it: its menu, its look, the pages to choose from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client, RequestFactory
from wagtail.admin.menu import admin_menu
from wagtail.models import Page, PageViewRestriction

from accounts import roles
from accounts.models import User
from blog.models import BlogIndexPage
from site_project.wagtail_hooks import only_public_pages

pytestmark = pytest.mark.django_db

Browse = Callable[..., Client]
MakeUser = Callable[..., User]

LETTERS = {
    "mailings",
    "messages",
    "clients",
    "client-lists",
    "statistics",
    "attempts",
    "events",
}
ALL = LETTERS | {"intervals", "explorer", "images", "reports", "settings", "help"}


def menu(user: User) -> set[str]:
    request = RequestFactory().get("/admin/")
    request.user = user
    return {str(item.name) for item in admin_menu.menu_items_for_request(request)}


@pytest.mark.parametrize(
    ("role", "items"),
    [
        (roles.USERS, LETTERS | {"images"}),
        (roles.BLOGGERS, {"explorer", "images"}),
        (roles.MANAGERS, ALL),
    ],
    ids=lambda value: value.name if isinstance(value, roles.Role) else "",
)
def test_the_menu_of_a_role(make_user: MakeUser, role: roles.Role, items: set[str]) -> None:
    assert menu(make_user("somebody", role)) == items


@pytest.mark.parametrize("role", [*roles.ROLES, None], ids=lambda role: role and role.name)
def test_all_that_is_in_the_menu_opens(
    make_user: MakeUser, browse: Browse, role: roles.Role | None
) -> None:
    """Whoever is shown an item may use it; None is a superuser."""
    person = make_user("somebody", *([role] if role else []), superuser=role is None)
    browser = browse(person)
    request = browser.get("/admin/").wsgi_request
    opened = 0
    for item in admin_menu.menu_items_for_request(request):
        inside = item.menu.menu_items_for_request(request) if hasattr(item, "menu") else [item]
        for leaf in inside:
            if leaf.url and leaf.url.startswith("/admin/") and leaf.url != "/admin/":
                answer = browser.get(leaf.url, follow=True)
                assert answer.status_code == 200, (item.name, leaf.name, leaf.url)
                # The explorer leads to the pages of a role; a refusal would lead to the front page.
                assert answer.wsgi_request.path != "/admin/", (item.name, leaf.name)
                opened += 1
    assert opened >= 1


def test_managers_find_reports_of_pages_and_the_users_and_no_more(
    manager: User, browse: Browse
) -> None:
    request = browse(manager).get("/admin/").wsgi_request
    found = {
        item.name: {leaf.name for leaf in item.menu.menu_items_for_request(request)}
        for item in admin_menu.menu_items_for_request(request)
        if item.name in {"reports", "settings"}
    }
    assert found == {
        "settings": {"users"},
        "reports": {
            "workflows",
            "workflow-tasks",
            "site-history",
            "aging-pages",
            "page-types-usage",
        },
    }


def test_who_has_two_roles_has_both_menus(make_user: MakeUser) -> None:
    both = make_user("both", roles.USERS, roles.BLOGGERS)
    assert menu(both) == LETTERS | {"images", "explorer"}


def test_a_superuser_finds_everything_and_a_stranger_nothing(
    admin: User, make_user: MakeUser
) -> None:
    assert menu(admin) == ALL
    assert menu(make_user("stranger")) == set()


def test_the_admin_has_our_look(alice: User, browse: Browse) -> None:
    page = browse(alice).get("/admin/").text
    for name in ("css/tokens.css", "css/parts.css", "css/admin.css", "js/admin.js"):
        assert f"/static/{name}" in page
    assert page.index("/static/css/tokens.css") < page.index("/static/css/admin.css")


@pytest.mark.parametrize("icon", ["paper-plane", "users"])
def test_the_icons_of_the_menu_are_drawn(alice: User, browse: Browse, icon: str) -> None:
    browser = browse(alice)
    sprite = browser.get("/admin/sprite/").text
    assert f'id="icon-{icon}"' in sprite


@pytest.fixture
def chosen_from() -> Callable[[User], set[str]]:
    """Return the titles of the pages that a person may link to: one public, one not, one draft."""
    blog = BlogIndexPage.objects.get()
    parent = Page.objects.get(pk=blog.pk)
    parent.add_child(instance=Page(title="Public", slug="public"))
    restricted = parent.add_child(instance=Page(title="Restricted", slug="restricted"))
    PageViewRestriction.objects.create(page=restricted, restriction_type="login")
    parent.add_child(instance=Page(title="Draft", slug="draft", live=False))

    def titles(user: User) -> set[str]:
        request = RequestFactory().get("/admin/choose-page/")
        request.user = user
        pages = only_public_pages(Page.objects.child_of(blog), request)
        return {page.title for page in pages}

    return titles


def test_what_is_not_there_is_said_in_our_words(alice: User, browse: Browse) -> None:
    page = browse(alice).get("/admin/mailing/mailing/inspect/99999/")
    assert page.status_code == 404
    assert "<h1>Page not found</h1>" in page.text
    assert "<title>Page not found - Mailing service</title>" in page.text
    assert "Go to Wagtail admin" not in page.text


def test_a_user_links_only_to_what_everybody_can_read(
    alice: User, chosen_from: Callable[[User], set[str]]
) -> None:
    assert chosen_from(alice) == {"Public"}


def test_who_edits_pages_may_link_to_all(
    manager: User, blogger: User, chosen_from: Callable[[User], set[str]]
) -> None:
    assert chosen_from(manager) == chosen_from(blogger) == {"Public", "Restricted", "Draft"}
