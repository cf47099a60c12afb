"""The names of the first data are read in the language of the reader, and kept in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse
from django.utils.translation import gettext, override
from wagtail.models import Collection, GroupApprovalTask, PageLogEntry, Task, Workflow
from wagtail.users.models import UserProfile

from accounts.models import User
from blog.models import BlogPage
from home import setup
from home.naming import COLLECTIONS, TASK, WORKFLOW
from tests.blog.posts import make_post

pytestmark = pytest.mark.django_db

Browse = Callable[..., Browser]
ENGLISH = (WORKFLOW, TASK)
NAMED = ((Workflow, WORKFLOW), (Task, TASK), (GroupApprovalTask, TASK))


def in_russian(name: str) -> str:
    with override("ru"):
        translated = gettext(name)
    assert translated != name
    return translated


def kept(model: type[Any]) -> list[str]:
    """Return the names as they are in the table, which instances do not show."""
    return list(model.objects.values_list("name", flat=True))


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with override("en"):
        yield


@pytest.fixture
def russians(blogger: User, manager: User, admin: User) -> None:
    for user in (blogger, manager, admin):
        UserProfile.objects.update_or_create(user=user, defaults={"preferred_language": "ru"})


@pytest.fixture
def waiting(blogger: User) -> BlogPage:
    """A post that has been submitted, by somebody who reads English."""
    post = make_post("Dahlias", owner=blogger, live=False)
    post.save_revision(user=blogger)
    post.get_workflow().start(post, blogger)
    return post


@pytest.mark.parametrize(
    "path",
    [
        "/admin/pages/{pk}/edit/",
        "/admin/pages/{pk}/history/",
        "/admin/pages/{pk}/workflow_history/",
        "/admin/pages/{pk}/workflow_history/detail/{state}/",
        "/admin/pages/workflow/confirm_cancellation/{pk}/",
        "/admin/reports/workflow/",
        "/admin/reports/workflow_tasks/",
    ],
)
def test_no_screen_of_a_review_shows_the_english_names(
    path: str, waiting: BlogPage, russians: None, browse: Browse, admin: User, blogger: User
) -> None:
    state = waiting.current_workflow_state.pk
    address = path.format(pk=waiting.pk, state=state)
    reader = blogger if "cancellation" in path else admin
    page = browse(reader).get(address, headers={"X-Requested-With": "XMLHttpRequest"})
    assert page.status_code == 200
    text = page.json()["html"] if "json" in page["Content-Type"] else page.text
    assert not [name for name in ENGLISH if name in text]
    assert [name for name in ENGLISH if in_russian(name) in text]


def test_the_screens_of_both_roles(
    waiting: BlogPage, russians: None, browse: Browse, blogger: User, manager: User
) -> None:
    edit = reverse("wagtailadmin_pages:edit", args=[waiting.pk])
    for reader in (blogger, manager):
        for path in ("/admin/", edit):
            page = browse(reader).get(path).text
            assert not [name for name in ENGLISH if name in page]
            assert in_russian(TASK) in page


def test_an_english_reader_sees_what_a_russian_one_has_started(
    russians: None, browse: Browse, blogger: User, manager: User
) -> None:
    with override("ru"):
        post = make_post("Dahlias", owner=blogger, live=False)
        post.save_revision(user=blogger)
        post.get_workflow().start(post, blogger)
    UserProfile.objects.filter(user=manager).update(preferred_language="en")
    page = browse(manager).get(f"/admin/pages/{post.pk}/history/").text
    assert WORKFLOW in page
    assert in_russian(WORKFLOW) not in page
    entry = PageLogEntry.objects.get(action="wagtail.workflow.start")
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM wagtailcore_pagelogentry WHERE id = %s", [entry.pk])
        assert WORKFLOW in str(cursor.fetchone()[0])


@pytest.mark.parametrize(("model", "name"), NAMED)
def test_saving_in_russian_changes_no_name(model: type[Any], name: str) -> None:
    with override("ru"):
        instance = model.objects.get()
        assert instance.name == in_russian(name)
        instance.save()
        assert instance.name == in_russian(name)
    assert kept(model) == [name]


@pytest.mark.parametrize(("model", "name"), NAMED)
def test_a_name_of_somebodys_own_is_the_same_for_all(model: type[Any], name: str) -> None:
    instance = model.objects.get()
    instance.name = "Four eyes"
    instance.save()
    with override("ru"):
        assert model.objects.get().name == "Four eyes"
    assert kept(model) == ["Four eyes"]


def test_what_is_not_loaded_is_not_asked_for(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert Workflow.objects.only("active").get().active


def test_the_form_of_a_workflow_keeps_the_name(browse: Browse, admin: User, russians: None) -> None:
    workflow, task = Workflow.objects.get(), Task.objects.get()
    url = reverse("wagtailadmin_workflows:edit", args=[workflow.pk])
    browser = browse(admin)
    assert in_russian(WORKFLOW) in browser.get(url).text
    form = {
        "name": in_russian(WORKFLOW),
        "workflow_tasks-TOTAL_FORMS": "1",
        "workflow_tasks-INITIAL_FORMS": "1",
        "workflow_tasks-MIN_NUM_FORMS": "1",
        "workflow_tasks-MAX_NUM_FORMS": "1000",
        "workflow_tasks-0-id": str(workflow.workflow_tasks.get().pk),
        "workflow_tasks-0-task": str(task.pk),
        "workflow_tasks-0-ORDER": "1",
        "pages-TOTAL_FORMS": "0",
        "pages-INITIAL_FORMS": "0",
        "pages-MIN_NUM_FORMS": "0",
        "pages-MAX_NUM_FORMS": "1000",
    }
    assert browser.post(url, form).status_code == 302
    assert kept(Workflow) == [WORKFLOW]
    browser.post(url, form | {"name": "Четыре глаза"})
    assert kept(Workflow) == ["Четыре глаза"]


def test_a_site_set_up_in_russian_is_the_same() -> None:
    before = (kept(Workflow), kept(Task), kept(Collection))
    with override("ru"):
        setup.after_migrate(using="default")
    assert (kept(Workflow), kept(Task), kept(Collection)) == before


def test_collections_are_offered_in_russian(browse: Browse, admin: User, russians: None) -> None:
    page = browse(admin).get("/admin/images/add/").text
    for name in COLLECTIONS.values():
        assert in_russian(name) in page
        assert f">{name}<" not in page
