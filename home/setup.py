"""First data: what every database needs before anybody can use the site.

Called after each migrate instead of from data migrations: permissions do not exist inside those,
and tests without migrations, flushes and fresh databases all get the same. All is idempotent.
"""

from __future__ import annotations

import json
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction
from django.db.models import Model
from wagtail.images import get_image_model
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
from home.front_texts import front_texts
from home.models import HomePage
from home.naming import COLLECTIONS, TASK, WORKFLOW
from mailing.enums import MonthDay, Unit
from mailing.models import DatePeriod

PERIODS = (
    (Unit.ONCE, 1, MonthDay.SAME_DAY),
    (Unit.MINUTE, 15, MonthDay.SAME_DAY),
    (Unit.MINUTE, 30, MonthDay.SAME_DAY),
    (Unit.HOUR, 1, MonthDay.SAME_DAY),
    (Unit.DAY, 1, MonthDay.SAME_DAY),
    (Unit.WEEK, 1, MonthDay.SAME_DAY),
    (Unit.WEEK, 2, MonthDay.SAME_DAY),
    (Unit.MONTH, 1, MonthDay.SAME_DAY),
    (Unit.MONTH, 1, MonthDay.LAST_DAY),
    (Unit.MONTH, 1, MonthDay.NTH_WEEKDAY),
    (Unit.MONTH, 3, MonthDay.SAME_DAY),
    (Unit.YEAR, 1, MonthDay.SAME_DAY),
)


def after_migrate(using: str, **_kwargs: Any) -> None:
    if not all(_is_migrated(model, using) for model in (HomePage, BlogIndexPage, DatePeriod)):
        return  # a partial migrate; the next full one comes here again
    with transaction.atomic(using=using):
        ContentType.objects.clear_cache()  # a test's flush has changed the ids
        for app_config in apps.get_app_configs():
            create_permissions(app_config, verbosity=0, using=using)
        roles.ensure_roles()
        blog = ensure_pages()
        ensure_collections()
        ensure_page_permissions(blog)
        ensure_workflow(blog)
        ensure_periods()


def _is_migrated(model: type[Model], using: str) -> bool:
    """Return whether the table of a model is there, with all its columns."""
    connection, table = connections[using], model._meta.db_table
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return False
        found = connection.introspection.get_table_description(cursor, table)
    return {field.column for field in model._meta.local_concrete_fields} <= {c.name for c in found}


def ensure_pages() -> BlogIndexPage:
    """Make the root, the front page as the site's root, and the blog below it."""
    language = settings.LANGUAGE_CODE.split("-")[0]
    locale, _ = Locale.objects.get_or_create(language_code=language)
    root = Page.objects.filter(depth=1).first()
    if root is None:
        root = Page.add_root(instance=Page(title="Root", slug="root", locale=locale))
    home = HomePage.objects.first()
    if home is None:
        # Wagtail's own migrations leave a welcome page that stands in the way of the slug.
        Page.objects.filter(depth=2, slug="home").delete()
        root = Page.objects.get(pk=root.pk)
        home = root.add_child(
            instance=HomePage(title=settings.SITE_NAME, slug="home", locale=locale)
        )
    ensure_front_texts(home)
    # Not where it leads to the front page already: its name may have been changed in the admin.
    if not Site.objects.filter(is_default_site=True, root_page=home).exists():
        Site.objects.update_or_create(
            is_default_site=True,
            defaults={"hostname": "localhost", "root_page": home, "site_name": settings.SITE_NAME},
        )
    blog = BlogIndexPage.objects.first()
    if blog is None:
        blog = home.add_child(instance=BlogIndexPage(title="Blog", slug="blog", locale=locale))
    return blog


def ensure_front_texts(home: HomePage) -> None:
    """Fill in the texts of a front page that has none; what somebody has written stays."""
    empty = [code for code, _name in settings.LANGUAGES if not getattr(home, f"texts_{code}")]
    for code in empty:
        blocks = [{"type": kind, "value": value} for kind, value in front_texts(code)]
        setattr(home, f"texts_{code}", json.dumps(blocks))
    if empty:
        home.save(update_fields=[f"texts_{code}" for code in empty])


def ensure_collections() -> None:
    """Make the picture collections and give each role what it may do there."""
    root = Collection.objects.filter(depth=1).first()
    if root is None:
        root = Collection.add_root(name="Root")
    content_type = ContentType.objects.get_for_model(get_image_model())
    for role in roles.ROLES:
        group = Group.objects.get(name=role.name)
        granted = []
        for key, action in sorted(role.collections):
            # Asked by depth: `root.get_children()` goes by a count that adding has made stale.
            collection = Collection.objects.filter(depth=2, name=COLLECTIONS[key]).first()
            if collection is None:
                collection = Collection.objects.get(pk=root.pk).add_child(name=COLLECTIONS[key])
            permission = Permission.objects.get(
                content_type=content_type, codename=f"{action}_image"
            )
            grant, _ = GroupCollectionPermission.objects.get_or_create(
                group=group, collection=collection, permission=permission
            )
            granted.append(grant.pk)
        GroupCollectionPermission.objects.filter(group=group).exclude(pk__in=granted).delete()


def ensure_page_permissions(blog: BlogIndexPage) -> None:
    for role in roles.ROLES:
        group = Group.objects.get(name=role.name)
        granted = []
        for action in sorted(role.blog_page):
            permission = Permission.objects.get(
                content_type__app_label="wagtailcore", codename=f"{action}_page"
            )
            grant, _ = GroupPagePermission.objects.get_or_create(
                group=group, page=blog.page_ptr, permission=permission
            )
            granted.append(grant.pk)
        GroupPagePermission.objects.filter(group=group).exclude(pk__in=granted).delete()


def ensure_workflow(blog: BlogIndexPage) -> None:
    """Posts are approved by managers, whatever people call the workflow and its task by now."""
    workflow = (
        Workflow.objects.filter(active=True, workflow_pages__page=blog.page_ptr).first()
        or Workflow.objects.filter(active=True, name=WORKFLOW).first()
        or Workflow.objects.create(name=WORKFLOW)
    )
    managers = Group.objects.filter(name=roles.MANAGERS.name)
    tasks = GroupApprovalTask.objects.filter(active=True).order_by("pk")
    task = (
        tasks.filter(workflow_tasks__workflow=workflow, groups__in=managers).first()
        or tasks.filter(name=TASK).first()
        or GroupApprovalTask.objects.create(name=TASK)
    )
    task.groups.set(managers)
    WorkflowTask.objects.get_or_create(
        workflow=workflow, task=task.task_ptr, defaults={"sort_order": 0}
    )
    WorkflowPage.objects.update_or_create(page=blog.page_ptr, defaults={"workflow": workflow})


def ensure_periods() -> None:
    for unit, count, month_day in PERIODS:
        DatePeriod.objects.get_or_create(unit=unit, count=count, month_day=month_day)
