"""The front page of the admin: for each role what is under way, what comes next, first steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import closing, roles
from accounts.models import User
from mailing import heartbeat, lifecycle
from mailing.admin.overview import attention, figures_of, first_steps
from mailing.enums import MailingStatus, Outcome, RunStatus, Unit
from mailing.models import Mailing, Run
from tests.factories import NOW, hours, make_client, make_mailing, make_message
from tests.mailing.admin.screens import text_of
from tests.mailing.admin.test_statistics import rows_behind
from tests.mailing.runs import attempt, daily_in, finish, open_run

pytestmark = pytest.mark.django_db

FRONT = "/admin/"


def section(page: Any, heading: str) -> str:
    """Return the words under a heading, up to the next one."""
    words = text_of(page)
    headings = ("First steps", "Needs a look", "Under way", "Coming up", "Lately")
    assert heading in words, words
    rest = words.partition(heading)[2]
    for other in headings:
        rest = rest.partition(other)[0]
    return rest


class TestFirstSteps:
    def test_they_are_crossed_out_one_by_one_and_then_gone(self, alice: User) -> None:
        def done() -> list[bool]:
            return [step.done for step in first_steps(alice)]

        assert done() == [False, False, False]
        client = make_client(alice)
        assert done() == [True, False, False]
        message = make_message(alice)
        assert done() == [True, True, False]
        mailing = make_mailing(alice, [client], message=message, unit=Unit.DAY)
        assert done() == [True, True, False], "not started yet"
        lifecycle.start(mailing, by=alice, now=NOW)
        assert done() == []

    def test_what_others_have_done_does_not_count(self, alice: User, bob: User) -> None:
        open_run(bob)
        assert [step.done for step in first_steps(alice)] == [False, False, False]

    def test_each_leads_to_its_form(self, alice: User, browse: Callable[..., Browser]) -> None:
        alices = browse(alice)
        for step in first_steps(alice):
            assert alices.get(step.url).status_code == 200

    def test_only_those_who_mail_have_any(
        self, manager: User, blogger: User, make_user: Callable[..., User]
    ) -> None:
        both = make_user("both", roles.USERS, roles.MANAGERS)
        for person in (manager, blogger, both):
            assert first_steps(person) == []

    def test_they_can_be_dismissed(self, alice: User, browse: Callable[..., Browser]) -> None:
        alices = browse(alice)
        assert "First steps" in text_of(alices.get(FRONT))
        alices.patch(
            "/admin/dismissibles/", {"mailing-first-steps": True}, content_type="application/json"
        )
        assert "First steps" not in text_of(alices.get(FRONT))


class TestFigures:
    def test_each_is_that_of_its_rows(
        self, alice: User, bob: User, manager: User, browse: Callable[..., Browser]
    ) -> None:
        for owner in (alice, alice, bob):
            run = open_run(owner, 4, unit=Unit.DAY)
            sent, refused, *_rest = run.deliveries.order_by("pk")
            now = timezone.now()
            attempt(sent, at=now)
            attempt(refused, Outcome.PERMANENT, at=now, code=550, enhanced="5.1.1")
        make_mailing(alice)
        for person, numbers in ((alice, [3, 2, 9, 2, 2]), (manager, [4, 3, 13, 3, 3])):
            found = figures_of(person)
            assert [figure.number for figure in found] == numbers
            for figure in found:
                assert rows_behind(browse(person), figure.url) == figure.number, figure.url

    def test_managers_are_told_what_needs_a_look(
        self,
        alice: User,
        bob: User,
        manager: User,
        make_user: Callable[..., User],
        browse: Callable[..., Browser],
    ) -> None:
        assert attention(manager) == []
        daily_in(alice, MailingStatus.DEACTIVATED)
        daily_in(alice, MailingStatus.PAUSED)
        User.objects.filter(pk=bob.pk).update(is_active=False)
        closing.close(make_user("leaving"), now=NOW)
        words = section(browse(manager).get(FRONT), "Needs a look")
        for line in ("1 mailing is paused", "1 mailing is deactivated", "1 account is blocked"):
            assert line in words
        for _text, url in attention(manager):
            assert browse(manager).get(url).status_code == 200
        assert attention(alice) == []


class TestPage:
    def test_it_shows_what_is_under_way_what_comes_and_what_was(
        self, alice: User, browse: Callable[..., Browser]
    ) -> None:
        open_run(alice, 3, name="Being sent")
        finish(open_run(alice, 2, name="Finished"))
        make_mailing(
            alice, name="Tomorrow", status=MailingStatus.SCHEDULED, next_due_at=NOW + hours(24)
        )
        make_mailing(alice, name="Not started")
        page = browse(alice).get(FRONT)
        assert "Being sent" in section(page, "Under way")
        assert "0 of 3 sent" in section(page, "Under way")
        assert "Tomorrow" in section(page, "Coming up")
        assert "Finished" in section(page, "Lately")
        assert "2 of 2 sent" in section(page, "Lately")
        assert "Not started" not in text_of(page)
        assert "Being sent" not in section(page, "Lately")

    def test_coming_up_begins_with_the_next(
        self, alice: User, browse: Callable[..., Browser]
    ) -> None:
        for name, days in (("Third", 3), ("First", 1), ("Second", 2)):
            make_mailing(
                alice, name=name, status=MailingStatus.SCHEDULED, next_due_at=NOW + hours(24 * days)
            )
        make_mailing(alice, name="Stopped", status=MailingStatus.PAUSED, next_due_at=NOW)
        words = section(browse(alice).get(FRONT), "Coming up")
        assert words.index("First") < words.index("Second") < words.index("Third")
        assert "Stopped" not in words

    def test_lately_has_one_line_for_each_mailing(
        self, alice: User, browse: Callable[..., Browser]
    ) -> None:
        run = open_run(alice, unit=Unit.DAY, name="Daily")
        finish(run)
        missed = {"status": RunStatus.MISSED, "opened_at": NOW, "expires_at": NOW}
        Run.objects.create(mailing=run.mailing, due_at=NOW + hours(24), **missed)
        words = section(browse(alice).get(FRONT), "Lately")
        assert words.count("Daily") == 1
        assert "Missed" in words

    def test_others_are_seen_by_managers_only_with_their_names(
        self, alice: User, bob: User, manager: User, browse: Callable[..., Browser]
    ) -> None:
        open_run(bob, name="Secret news")
        finish(open_run(bob, name="Secret past"))
        make_mailing(
            bob, name="Secret plan", status=MailingStatus.SCHEDULED, next_due_at=NOW + hours(24)
        )
        assert "Secret" not in browse(alice).get(FRONT).text
        page = browse(manager).get(FRONT)
        for heading in ("Under way", "Coming up", "Lately"):
            assert "Secret" in section(page, heading)
            assert "Bob" in section(page, heading)

    def test_deleted_mailings_are_gone(self, alice: User, browse: Callable[..., Browser]) -> None:
        open_run(alice, name="Old news")
        finish(open_run(alice, name="Old news"))
        Mailing.objects.update(deleted_at=NOW)
        assert "Old news" not in browse(alice).get(FRONT).text

    def test_it_warns_while_no_worker_lives(
        self, alice: User, browse: Callable[..., Browser]
    ) -> None:
        alices = browse(alice)
        assert "No worker is running." in text_of(alices.get(FRONT))
        heartbeat.beat(timezone.now())
        assert "No worker is running." not in text_of(alices.get(FRONT))

    def test_bloggers_have_no_mailings_to_see(
        self, blogger: User, browse: Callable[..., Browser]
    ) -> None:
        words = text_of(browse(blogger).get(FRONT))
        for heading in ("First steps", "Coming up", "Lately", "No worker"):
            assert heading not in words

    def test_many_rows_take_as_many_queries_as_one(
        self, alice: User, bob: User, manager: User, browse: Callable[..., Browser]
    ) -> None:
        managers = browse(manager)

        def add(owner: User) -> None:
            client = make_client(owner)
            finish(open_run(owner, [client]))
            open_run(owner, [client])
            later = {"status": MailingStatus.SCHEDULED, "next_due_at": NOW + hours(24)}
            make_mailing(owner, [client], **later)

        add(alice)
        managers.get(FRONT)  # fills what is cached for all requests
        with CaptureQueriesContext(connection) as few:
            managers.get(FRONT)
        for owner in (alice, bob, alice, bob):
            add(owner)
        with CaptureQueriesContext(connection) as many:
            page = managers.get(FRONT)
        assert section(page, "Lately").count("of 1 sent") == 5
        assert len(many) == len(few)
