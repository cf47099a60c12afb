"""First data: whatever happened to the database, a migrate makes it fit for use, and only once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import DEFAULT_DB_ALIAS, connection
from django.test import Client as Browser
from django.utils import translation
from django_q.models import Schedule
from wagtail.models import (
    Collection,
    GroupApprovalTask,
    GroupCollectionPermission,
    GroupPagePermission,
    Locale,
    Page,
    Site,
    Workflow,
    WorkflowPage,
    WorkflowTask,
)

from accounts import roles
from blog.models import BlogIndexPage
from home import naming, setup
from home.models import HomePage
from mailing.enums import Unit
from mailing.models import DatePeriod
from site_project.schedules import ensure_schedules

pytestmark = pytest.mark.django_db

MADE = [
    Collection,
    DatePeriod,
    Group,
    Group.permissions.through,
    GroupApprovalTask,
    GroupApprovalTask.groups.through,
    GroupCollectionPermission,
    GroupPagePermission,
    Locale,
    Page,
    HomePage,
    BlogIndexPage,
    Permission,
    Schedule,
    Site,
    Workflow,
    WorkflowPage,
    WorkflowTask,
]


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Names are compared as they are stored, whatever page was asked for before."""
    with translation.override("en"):
        yield


def made() -> dict[str, list[dict[str, Any]]]:
    """Return all rows of the tables that are filled."""
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in MADE}


def migrate() -> None:
    """Do what follows each migrate."""
    setup.after_migrate(using=DEFAULT_DB_ALIAS)
    ensure_schedules()


def check_complete() -> None:
    """Assert that everything is there that the site needs."""
    home, blog = HomePage.objects.get(), BlogIndexPage.objects.get()
    assert (home.live, blog.live) == (True, True)
    assert blog.get_parent().specific == home
    assert Site.objects.get(is_default_site=True).root_page.specific == home
    for role in roles.ROLES:
        group = Group.objects.get(name=role.name)
        held = {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.all()}
        assert held == role.permissions
        pages = GroupPagePermission.objects.filter(group=group, page=blog.page_ptr)
        assert {p.permission.codename for p in pages} == {f"{a}_page" for a in role.blog_page}
        collections = GroupCollectionPermission.objects.filter(group=group)
        assert {(c.collection.name, c.permission.codename) for c in collections} == {
            (naming.COLLECTIONS[key], f"{action}_image") for key, action in role.collections
        }
    (task,) = blog.get_workflow().tasks.all()
    assert [group.name for group in task.specific.groups.all()] == ["Managers"]
    periods = [
        (period.unit, period.count, period.month_day)
        for period in DatePeriod.objects.shortest_first()
    ]
    assert [period for period in periods if period in setup.PERIODS] == list(setup.PERIODS)
    assert periods[0][:2] == (Unit.ONCE, 1)
    schedules = dict(Schedule.objects.values_list("name", "func"))
    assert schedules["tick"] == "mailing.tasks.tick"
    assert schedules["dates of posts"] == "site_project.schedules.keep_dates_of_posts"
    assert schedules["account mails"] == "site_project.schedules.send_account_mails"


def test_all_is_there_from_the_start() -> None:
    check_complete()


def test_a_second_time_changes_nothing() -> None:
    before = made()
    migrate()
    migrate()
    assert made() == before


def test_only_the_roles_may_do_what_they_may() -> None:
    """A grant that somebody clicked together is taken back."""
    before = made()
    users = Group.objects.get(name="Users")
    users.permissions.add(Permission.objects.get(codename="view_every_owner"))
    GroupPagePermission.objects.create(
        group=users,
        page=HomePage.objects.get().page_ptr,
        permission=Permission.objects.get(codename="publish_page"),
    )
    GroupCollectionPermission.objects.create(
        group=users,
        collection=Collection.objects.get(name="Letters"),
        permission=Permission.objects.get(codename="choose_image"),
    )
    task = GroupApprovalTask.objects.get()
    task.groups.add(users)
    migrate()
    check_complete()
    assert made()["GroupPagePermission"] == before["GroupPagePermission"]
    assert made()["GroupCollectionPermission"] == before["GroupCollectionPermission"]


@pytest.mark.parametrize(
    "model",
    [
        Group,
        DatePeriod,
        GroupPagePermission,
        GroupCollectionPermission,
        GroupApprovalTask,
        Workflow,
        WorkflowPage,
        WorkflowTask,
        Schedule,
        Site,
    ],
)
def test_what_was_lost_is_made_again(model: Any) -> None:
    model.objects.all().delete()
    migrate()
    check_complete()


def test_lost_pages_and_collections_are_made_again() -> None:
    HomePage.objects.get().delete()
    for collection in Collection.objects.filter(depth=2):
        collection.delete()
    migrate()
    check_complete()


def test_what_people_have_changed_stays(client: Browser) -> None:
    home, blog = HomePage.objects.get(), BlogIndexPage.objects.get()
    home.title, blog.title, blog.slug = "Welcome", "News", "news"
    home.save()
    blog.save()
    own = Group.objects.create(name="Own group")
    own.permissions.add(Permission.objects.get(codename="view_mailing"))
    added = DatePeriod.objects.create(unit=Unit.DAY, count=77)
    migrate()
    check_complete()
    assert HomePage.objects.get().title == "Welcome"
    assert client.get("/news/").status_code == 200
    assert own.permissions.count() == 1
    assert DatePeriod.objects.filter(pk=added.pk).exists()


def test_what_people_have_renamed_stays_renamed() -> None:
    workflow, task = Workflow.objects.get(), GroupApprovalTask.objects.get()
    workflow.name, task.name = "Four eyes", "A second look"
    workflow.save()
    task.save()
    first = GroupApprovalTask.objects.create(name="Spelling")
    first.groups.set(Group.objects.filter(name="Bloggers"))
    migrate()
    assert BlogIndexPage.objects.get().get_workflow().name == "Four eyes"
    assert [task.name for task in workflow.tasks] == ["A second look"]
    assert Workflow.objects.count() == 1
    assert [group.name for group in first.groups.all()] == ["Bloggers"]


def test_wagtails_own_welcome_page_makes_room(client: Browser) -> None:
    HomePage.objects.get().delete()
    root = Page.objects.get(depth=1)
    root.add_child(instance=Page(title="Welcome to your new Wagtail site!", slug="home"))
    migrate()
    check_complete()
    assert not Page.objects.filter(title__startswith="Welcome to your new").exists()
    assert client.get("/").status_code == 200


def test_every_migrate_comes_here() -> None:
    Group.objects.all().delete()
    Schedule.objects.all().delete()
    emit_post_migrate_signal(verbosity=0, interactive=False, db=DEFAULT_DB_ALIAS)
    check_complete()


@pytest.mark.django_db(transaction=True)
def test_an_emptied_database_is_fit_for_use_again(client: Browser) -> None:
    call_command("flush", interactive=False, verbosity=0, reset_sequences=False)
    check_complete()
    assert client.get("/").status_code == 200
    assert client.get("/blog/").status_code == 200


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("home_homepage", "texts_ru"),
        ("blog_blogindexpage", "intro"),
        ("mailing_dateperiod", "unit"),
    ],
)
def test_it_waits_for_the_columns_that_it_needs(table: str, column: str) -> None:
    """After `migrate accounts` alone, say, an older database does not have them yet."""
    Group.objects.filter(name="Users").delete()
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO not_there_yet")
        setup.after_migrate(using=DEFAULT_DB_ALIAS)
        assert not Group.objects.filter(name="Users").exists()
        cursor.execute(f"ALTER TABLE {table} RENAME COLUMN not_there_yet TO {column}")
    migrate()
    check_complete()
