"""From a blogger to the public: reviews, their mails, and posts that wait for their hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox
from django.test import Client as Browser
from django.utils import timezone
from wagtail.models import PageLogEntry
from wagtail.users.models import UserProfile

from accounts import mail, roles
from accounts.models import AccountMail, User
from blog import workflow
from blog.models import BlogPage
from mailing import dispatch
from site_project import schedules
from tests.blog.posts import make_post

pytestmark = pytest.mark.django_db

Browse = Callable[..., Browser]
COMMENT = "Please <b>say</b> who grows them."


@pytest.fixture
def draft(blogger: User, manager: User) -> BlogPage:
    post = make_post("Dahlias", owner=blogger, live=False)
    post.save_revision(user=blogger)
    return post


def submit(post: BlogPage, by: User) -> BlogPage:
    post.get_workflow().start(post, by)
    return BlogPage.objects.get(pk=post.pk)


def review(post: BlogPage, browser: Browser, action: str, **data: str) -> None:
    state = BlogPage.objects.get(pk=post.pk).current_workflow_task_state
    url = f"/admin/pages/workflow/action/{post.pk}/{action}/{state.pk}/"
    assert browser.post(url, data).status_code == 302


def letters() -> list[Any]:
    """Send what is queued and return it."""
    outbox.outbox.clear()
    mail.send_due(timezone.now() + timedelta(seconds=1))
    return outbox.outbox


class TestMails:
    def test_managers_are_told_that_a_post_waits(
        self, blogger: User, manager: User, admin: User, alice: User, draft: BlogPage
    ) -> None:
        submit(draft, blogger)
        assert outbox.outbox == [], "nothing is sent within the request"
        (letter,) = letters()
        assert letter.to == [manager.email]
        assert "Dahlias" in letter.subject
        html = letter.alternatives[0].content
        for text in (letter.body, html):
            assert "Blogger" in text
            assert f"/admin/pages/{draft.pk}/edit/" in text
            assert "compare" not in text

    def test_they_can_compare_what_is_public_already(self, blogger: User, manager: User) -> None:
        post = make_post("Dahlias", owner=blogger)
        post.save_revision(user=blogger).publish()
        post.title = "Red dahlias"
        post.save_revision(user=blogger)
        submit(post, blogger)
        (letter,) = letters()
        assert f"/admin/pages/{post.pk}/revisions/compare/live...latest/" in letter.body
        assert "Red dahlias" in letter.subject

    def test_a_manager_who_submits_needs_no_mail(self, manager: User, draft: BlogPage) -> None:
        submit(draft, manager)
        assert letters() == []

    def test_each_reads_the_own_language(
        self, blogger: User, manager: User, make_user: Callable[..., User], draft: BlogPage
    ) -> None:
        other = make_user("other", roles.MANAGERS)
        UserProfile.objects.update_or_create(user=other, defaults={"preferred_language": "ru"})
        submit(draft, blogger)
        languages = dict(AccountMail.objects.values_list("email", "language"))
        assert languages == {manager.email: "en", other.email: "ru"}

    def test_who_wants_none_gets_none(self, blogger: User, manager: User, draft: BlogPage) -> None:
        UserProfile.objects.update_or_create(
            user=manager, defaults={"submitted_notifications": False}
        )
        submit(draft, blogger)
        assert letters() == []

    def test_blocked_managers_get_none(self, blogger: User, manager: User, draft: BlogPage) -> None:
        User.objects.filter(pk=manager.pk).update(is_active=False)
        submit(draft, blogger)
        assert letters() == []

    def test_the_blogger_is_told_what_to_change(
        self, blogger: User, manager: User, browse: Browse, draft: BlogPage
    ) -> None:
        submit(draft, blogger)
        letters()
        review(draft, browse(manager), "reject", comment=COMMENT)
        (letter,) = letters()
        assert letter.to == [blogger.email]
        assert COMMENT in letter.body
        html = letter.alternatives[0].content
        assert "&lt;b&gt;say&lt;/b&gt;" in html
        assert f"/admin/pages/{draft.pk}/edit/" in html

    def test_the_blogger_is_told_that_everybody_can_read_it(
        self, blogger: User, manager: User, browse: Browse, draft: BlogPage, client: Browser
    ) -> None:
        submit(draft, blogger)
        letters()
        review(draft, browse(manager), "approve")
        assert client.get("/blog/dahlias/").status_code == 200
        (letter,) = letters()
        assert letter.to == [blogger.email]
        assert "/blog/dahlias/" in letter.body
        assert "published" in letter.subject

    def test_a_mail_server_that_is_away_holds_no_review_up(
        self, blogger: User, draft: BlogPage, settings: Any
    ) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        assert submit(draft, blogger).current_workflow_task_state is not None
        assert AccountMail.objects.count() == 1

    def test_no_comment_in_the_margin_mails_past_the_queue(
        self, blogger: User, browse: Browse, draft: BlogPage
    ) -> None:
        page = browse(blogger).get(f"/admin/pages/{draft.pk}/edit/")
        assert "comments" not in page.context["form"].formsets


class TestReview:
    def test_managers_find_their_task_on_the_front_page(
        self, blogger: User, manager: User, browse: Browse, draft: BlogPage
    ) -> None:
        assert "Dahlias" not in browse(manager).get("/admin/").text
        submit(draft, blogger)
        assert "Dahlias" in browse(manager).get("/admin/").text

    @pytest.mark.parametrize(("language", "label"), [("en", "Comment"), ("ru", "Комментарий")])
    def test_the_field_for_the_comment_speaks_the_language_of_the_manager(
        self,
        blogger: User,
        manager: User,
        browse: Browse,
        draft: BlogPage,
        language: str,
        label: str,
    ) -> None:
        UserProfile.objects.update_or_create(
            user=manager, defaults={"preferred_language": language}
        )
        state = submit(draft, blogger).current_workflow_task_state
        path = f"/admin/pages/workflow/action/{draft.pk}/reject/{state.pk}/"
        dialog = browse(manager).get(path)
        assert dialog.context["form"]["comment"].label == label

    def test_the_blogger_reads_the_comment_until_it_is_submitted_again(
        self, blogger: User, manager: User, browse: Browse, draft: BlogPage
    ) -> None:
        editor = f"/admin/pages/{draft.pk}/edit/"
        submit(draft, blogger)
        review(draft, browse(manager), "reject", comment=COMMENT)
        page = browse(blogger).get(editor).text
        assert "A manager asks for changes" in page
        assert "&lt;b&gt;say&lt;/b&gt;" in page
        state = BlogPage.objects.get(pk=draft.pk).current_workflow_state
        state.resume(user=blogger)
        assert "A manager asks for changes" not in browse(blogger).get(editor).text

    def test_a_new_post_has_no_comment(self, blogger: User, browse: Browse) -> None:
        post = make_post(owner=blogger, live=False)
        page = browse(blogger).get(f"/admin/pages/{post.pk}/edit/").text
        assert "A manager asks for changes" not in page


class TestDates:
    @pytest.fixture
    def scheduled(self, blogger: User, manager: User, browse: Browse, draft: BlogPage) -> BlogPage:
        """A post that is approved for tomorrow."""
        draft.go_live_at = timezone.now() + timedelta(days=1)
        draft.save_revision(user=blogger)
        submit(draft, blogger)
        letters()
        review(draft, browse(manager), "approve")
        return BlogPage.objects.get(pk=draft.pk)

    def test_the_blogger_is_told_when_it_will_be(self, scheduled: BlogPage) -> None:
        (letter,) = letters()
        assert "approved" in letter.subject
        assert "(UTC)" in letter.body
        assert str(scheduled.go_live_at.year) in letter.body

    def test_it_is_published_at_its_hour_and_once(
        self, scheduled: BlogPage, client: Browser
    ) -> None:
        early, due = scheduled.go_live_at - timedelta(seconds=1), scheduled.go_live_at
        assert workflow.keep_dates(early) == 0
        assert client.get(scheduled.url).status_code == 404
        # Wagtail itself asks the clock whether the hour has come.
        passed = timezone.now() - timedelta(minutes=1)
        _move(scheduled, passed)
        assert workflow.keep_dates(due) == 1
        assert workflow.keep_dates(due) == 0
        assert client.get(scheduled.url).status_code == 200
        entries = PageLogEntry.objects.filter(action="wagtail.publish.scheduled")
        assert entries.count() == 1

    def test_mailings_that_stand_still_do_not_keep_it(
        self, scheduled: BlogPage, client: Browser, settings: Any
    ) -> None:
        settings.SCHEDULER_ACTIVE = False
        _move(scheduled, timezone.now() - timedelta(minutes=1))
        schedules.keep_dates_of_posts()
        assert client.get(scheduled.url).status_code == 200

    def test_one_that_is_over_is_taken_back(self, blogger: User, client: Browser) -> None:
        post = make_post(owner=blogger, expire_at=timezone.now() - timedelta(minutes=1))
        post.save_revision(user=blogger)
        other = make_post(owner=blogger, expire_at=timezone.now() + timedelta(minutes=1))
        assert workflow.keep_dates(timezone.now()) == 1
        assert client.get(post.url).status_code == 404
        assert client.get(other.url).status_code == 200
        assert workflow.keep_dates(timezone.now()) == 0

    def test_a_server_without_a_task_queue_takes_it_back_too(
        self, blogger: User, client: Browser
    ) -> None:
        post = make_post(owner=blogger, expire_at=timezone.now() - timedelta(minutes=1))
        post.save_revision(user=blogger)
        dispatch.do_chores()
        assert client.get(post.url).status_code == 404

    def test_one_that_fails_keeps_no_other(
        self, scheduled: BlogPage, blogger: User, client: Browser
    ) -> None:
        broken = make_post("Broken", owner=blogger, live=False)
        revision = broken.save_revision(user=blogger)
        passed = timezone.now() - timedelta(hours=1)
        revision.content["intro"] = None  # no column takes that
        revision.approved_go_live_at = passed
        revision.save()
        _move(scheduled, timezone.now() - timedelta(minutes=1))
        assert workflow.keep_dates(timezone.now()) == 1
        assert client.get(scheduled.url).status_code == 200
        assert not BlogPage.objects.get(pk=broken.pk).live


def _move(post: BlogPage, moment: Any) -> None:
    """Bring the hour of an approved post forward."""
    revision = post.scheduled_revision
    revision.content["go_live_at"] = moment.isoformat()
    revision.approved_go_live_at = moment
    revision.save()
