"""What bloggers may do to posts: take back their own, whatever its state, and publish none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client as Browser
from wagtail.models import PageLogEntry

from accounts import roles
from accounts.models import User
from blog.models import BlogPage
from tests.blog.posts import make_post

pytestmark = pytest.mark.django_db

Browse = Callable[..., Browser]


def screen(post: BlogPage, action: str) -> str:
    return f"/admin/pages/{post.pk}/{action}/"


@pytest.fixture
def post(blogger: User) -> BlogPage:
    post = make_post("Dahlias", owner=blogger)
    post.save_revision(user=blogger)
    return post


class TestOwn:
    def test_a_public_post_can_be_unpublished(
        self, blogger: User, browse: Browse, client: Browser, post: BlogPage
    ) -> None:
        browser = browse(blogger)
        assert browser.get(screen(post, "unpublish")).status_code == 200
        assert client.get(post.url).status_code == 200, "a GET only asks"
        browser.post(screen(post, "unpublish"))
        assert client.get(post.url).status_code == 404
        entry = PageLogEntry.objects.get(action="wagtail.unpublish")
        assert entry.user == blogger

    @pytest.mark.parametrize("live", [True, False])
    def test_it_can_be_deleted(
        self, blogger: User, browse: Browse, post: BlogPage, live: bool
    ) -> None:
        BlogPage.objects.filter(pk=post.pk).update(live=live)
        browser = browse(blogger)
        assert browser.get(screen(post, "delete")).status_code == 200
        browser.post(screen(post, "delete"))
        assert not BlogPage.objects.exists()

    def test_several_can_be_taken_back_at_once(self, blogger: User, browse: Browse) -> None:
        posts = [make_post(owner=blogger) for _ in range(2)]
        ids = "&".join(f"id={post.pk}" for post in posts)
        browser = browse(blogger)
        browser.post(f"/admin/bulk/wagtailcore/page/unpublish/?{ids}")
        assert not BlogPage.objects.live().exists()
        browser.post(f"/admin/bulk/wagtailcore/page/delete/?{ids}")
        assert not BlogPage.objects.exists()

    def test_a_review_of_a_change_does_not_keep_it_public(
        self, blogger: User, browse: Browse, client: Browser, post: BlogPage
    ) -> None:
        post.get_workflow().start(post, blogger)
        browse(blogger).post(screen(post, "unpublish"))
        assert client.get(post.url).status_code == 404

    def test_what_a_manager_has_locked_stays(
        self, blogger: User, manager: User, browse: Browse, client: Browser, post: BlogPage
    ) -> None:
        BlogPage.objects.filter(pk=post.pk).update(locked=True, locked_by=manager)
        browse(blogger).post(screen(post, "unpublish"))
        assert client.get(post.url).status_code == 200

    def test_the_buttons_are_offered(self, blogger: User, browse: Browse, post: BlogPage) -> None:
        page = browse(blogger).get(screen(post, "edit")).text
        assert screen(post, "unpublish") in page
        assert screen(post, "delete") in page
        assert 'name="action-publish"' not in page

    def test_it_cannot_be_published_again(
        self, blogger: User, browse: Browse, post: BlogPage
    ) -> None:
        BlogPage.objects.filter(pk=post.pk).update(live=False)
        browser = browse(blogger)
        browser.post(f"/admin/bulk/wagtailcore/page/publish/?id={post.pk}")
        browser.post(f"/admin/api/main/pages/{post.pk}/action/publish/")
        revision = post.latest_revision_id
        browser.post(screen(post, f"revisions/{revision}/revert"), {"action-publish": "on"})
        assert not BlogPage.objects.live().exists()


class TestAnothers:
    @pytest.mark.parametrize("action", ["unpublish", "delete", "edit", "copy"])
    def test_a_post_stays_as_it_is(
        self,
        make_user: Callable[..., User],
        browse: Browse,
        client: Browser,
        post: BlogPage,
        action: str,
    ) -> None:
        browser = browse(make_user("other", roles.BLOGGERS))
        assert browser.get(screen(post, action)).status_code == 302
        browser.post(screen(post, action))
        assert client.get(post.url).status_code == 200
        assert BlogPage.objects.count() == 1

    @pytest.mark.parametrize("action", ["unpublish", "delete"])
    def test_nor_many_at_once(
        self, make_user: Callable[..., User], browse: Browse, post: BlogPage, action: str
    ) -> None:
        browser = browse(make_user("other", roles.BLOGGERS))
        browser.post(f"/admin/bulk/wagtailcore/page/{action}/?id={post.pk}")
        assert BlogPage.objects.live().count() == 1

    def test_a_manager_may_take_back_every_post(
        self, manager: User, browse: Browse, post: BlogPage
    ) -> None:
        browser = browse(manager)
        browser.post(screen(post, "unpublish"))
        assert not BlogPage.objects.live().exists()
        browser.post(screen(post, "delete"))
        assert not BlogPage.objects.exists()


def test_who_writes_no_longer_takes_nothing_back(
    blogger: User, browse: Browse, post: BlogPage
) -> None:
    blogger.groups.clear()
    browse(blogger).post(screen(post, "unpublish"))
    blogger.is_active = False
    tester = post.permissions_for_user(blogger)
    assert not tester.can_delete()
    assert not tester.can_unpublish()
    assert not tester.can_move()
    assert BlogPage.objects.live().count() == 1


def test_a_draft_is_left_nothing_to_unpublish(blogger: User) -> None:
    draft = make_post(owner=blogger, live=False)
    assert not draft.permissions_for_user(blogger).can_unpublish()
