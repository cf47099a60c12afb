"""Mails to owners about their mailings, read as they arrive."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from wagtail.users.models import UserProfile

from accounts.models import AccountMail, User
from mailing import lifecycle, notices
from mailing.composer.render import freeze
from mailing.engine import planner, runs
from mailing.engine.classify import Reply
from mailing.engine.letter import Content
from mailing.enums import MailingStatus, RunStatus, Unit
from mailing.models import Mailing, Message, Run
from tests.accounts.conftest import Letter, PostOffice
from tests.factories import NOW, hours, make_client, make_mailing
from tests.mailing.admin.screens import url_of
from tests.mailing.runs import daily_in, open_run

pytestmark = pytest.mark.django_db

LATE = NOW + hours(13)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def russian_bob(bob: User) -> User:
    UserProfile.objects.create(user=bob, preferred_language="ru")
    return bob


def due(owner: User, **fields: Any) -> Mailing:
    return make_mailing(
        owner, **{"status": MailingStatus.SCHEDULED, "next_due_at": NOW, "unit": Unit.DAY} | fields
    )


def tick(post_office: PostOffice, now: Any = LATE) -> list[Letter]:
    """Do what a tick does, and return the mails that arrive."""
    planner.open_due(now, freeze)
    notices.tell(now)
    return post_office.deliver(now)


class TestMissed:
    def test_the_owner_is_told_once(self, alice: User, post_office: PostOffice) -> None:
        mailing = due(alice, name="Harvest <news>")
        (letter,) = tick(post_office)
        assert letter.to == alice.email
        assert letter.subject == "“Harvest <news>” has missed a date"
        for words in (letter.text, letter.body("html")):
            assert "23 November 2026, 09:00 (Europe/London)" in words
            assert "before it" not in words
            assert f"http://testserver{url_of('mailing', 'inspect', mailing.pk)}" in words
        assert "Harvest <news>" in letter.text
        assert "Harvest &lt;news&gt;" in letter.body("html")
        assert tick(post_office) == []
        assert tick(post_office, LATE + timedelta(minutes=5)) == []

    def test_what_is_late_but_sent_is_no_news(self, alice: User, post_office: PostOffice) -> None:
        due(alice)
        assert tick(post_office, NOW + hours(11)) == []
        assert Run.objects.get().status == RunStatus.SENDING

    def test_after_a_long_outage_an_owner_of_forty_gets_one_mail(
        self, alice: User, bob: User, post_office: PostOffice
    ) -> None:
        names = {due(alice, name=f"Mailing no. {n:02}").name for n in range(40)}
        due(bob)
        first, second = sorted(tick(post_office, LATE + timedelta(days=9)), key=lambda x: x.to)
        assert (first.to, second.to) == (alice.email, bob.email)
        assert first.subject == "40 mailings have missed a date"
        assert all(name in first.text and name in first.body("html") for name in names)
        assert "2 December 2026, 09:00" in first.text
        assert first.text.count("all dates before it, from 23 November 2026, 09:00 on") == 40

    def test_a_very_long_list_is_cut(
        self, alice: User, post_office: PostOffice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(notices, "_LONGEST_LIST", 2)
        for _mailing in range(5):
            due(alice)
        (letter,) = tick(post_office)
        assert letter.text.count("23 November") == 2
        assert "and 3 more" in letter.text
        assert "and 3 more" in letter.body("html")
        assert not Run.objects.filter(untold=True).exists()

    def test_a_mailing_that_misses_each_minute_is_told_of_by_the_hour(
        self, alice: User, post_office: PostOffice
    ) -> None:
        due(alice, unit=Unit.MINUTE)
        told = [
            minute
            for minute in range(125)
            for _letter in tick(post_office, NOW + minute * MINUTE + timedelta(seconds=40))
        ]
        assert Run.objects.filter(status=RunStatus.MISSED).count() == 125
        assert told == [0, 60, 120]

    def test_it_waits_until_the_other_planner_is_through(
        self, alice: User, post_office: PostOffice
    ) -> None:
        due(alice)
        planner.open_due(LATE, freeze)
        due(alice)  # the other has not come to this one yet
        notices.tell(LATE)
        assert post_office.deliver(LATE) == []
        (letter,) = tick(post_office, LATE + timedelta(seconds=1))
        assert letter.subject == "2 mailings have missed a date"

    def test_but_not_for_what_cannot_be_opened(self, alice: User, post_office: PostOffice) -> None:
        due(alice)
        planner.open_due(LATE, freeze)
        due(alice)  # it fails at every tick
        notices.tell(LATE + MINUTE)
        assert len(post_office.deliver(LATE + MINUTE)) == 1

    def test_in_the_owners_language_and_the_mailings_zone(
        self, russian_bob: User, post_office: PostOffice
    ) -> None:
        due(russian_bob, name="Урожай", time_zone=ZoneInfo("Europe/Moscow"))
        (letter,) = tick(post_office, LATE + timedelta(days=1))
        assert letter.subject == "Рассылка «Урожай» пропустила дату"
        assert "24 ноября 2026, 12:00 (Europe/Moscow)" in letter.text
        assert "начиная с 23 ноября 2026, 12:00" in letter.body("html")
        assert '<html lang="ru">' in letter.body("html")

    @pytest.mark.parametrize(
        ("number", "subject"),
        [
            (2, "2 рассылки пропустили дату"),
            (5, "5 рассылок пропустили дату"),
            (21, "21 рассылка пропустила дату"),
        ],
    )
    def test_in_russian_numbers(
        self, russian_bob: User, post_office: PostOffice, number: int, subject: str
    ) -> None:
        for _mailing in range(number):
            due(russian_bob)
        (letter,) = tick(post_office)
        assert letter.subject == subject

    def test_deleted_mailings_and_blocked_owners_are_left_alone(
        self, alice: User, bob: User, post_office: PostOffice
    ) -> None:
        mine = due(alice)
        due(bob)
        planner.open_due(LATE, freeze)
        lifecycle.delete(mine, by=alice, now=LATE)
        User.objects.filter(pk=bob.pk).update(is_active=False)
        assert tick(post_office) == []

    def test_without_news_a_tick_asks_once_and_writes_nothing(
        self, alice: User, django_assert_num_queries: Any
    ) -> None:
        due(alice)
        with django_assert_num_queries(1):
            notices.tell(NOW)


class TestRefused:
    REPLY = Reply(550, "5.7.1", "We do not take this")

    def test_the_owner_is_told_why_nothing_more_is_sent(
        self, alice: User, post_office: PostOffice
    ) -> None:
        mailing = open_run(alice, unit=Unit.DAY).mailing
        runs.pause_refused(mailing.runs.get().pk, 10, self.REPLY)
        notices.tell(NOW)
        (letter,) = post_office.deliver(NOW)
        assert letter.subject == f"“{mailing.name}” is paused"
        for words in (letter.text, letter.body("html")):
            assert "550 5.7.1 We do not take this" in words
            assert url_of("mailing", "inspect", mailing.pk) in words
        notices.tell(NOW)
        assert post_office.deliver(NOW) == []

    def test_not_if_it_has_been_resumed_by_then(self, alice: User, post_office: PostOffice) -> None:
        mailing = open_run(alice, unit=Unit.DAY).mailing
        runs.pause_refused(mailing.runs.get().pk, 10, self.REPLY)
        lifecycle.resume(mailing, by=alice, now=NOW)
        notices.tell(NOW)
        lifecycle.pause(mailing, by=alice)
        notices.tell(NOW)
        assert post_office.deliver(NOW) == []

    def test_nor_if_the_owner_paused_it(self, alice: User, post_office: PostOffice) -> None:
        mailing = open_run(alice, unit=Unit.DAY).mailing
        lifecycle.pause(mailing, by=alice)
        runs.pause_refused(mailing.runs.get().pk, 10, self.REPLY)
        notices.tell(NOW)
        assert post_office.deliver(NOW) == []

    @pytest.mark.parametrize(
        ("number", "subject"),
        [
            (2, "2 рассылки поставлены на паузу"),
            (5, "5 рассылок поставлены на паузу"),
            (21, "21 рассылка поставлена на паузу"),
        ],
    )
    def test_several_come_in_one_mail(
        self, russian_bob: User, post_office: PostOffice, number: int, subject: str
    ) -> None:
        for _run in range(number):
            runs.pause_refused(open_run(russian_bob, unit=Unit.DAY).pk, 10, self.REPLY)
        notices.tell(NOW)
        (letter,) = post_office.deliver(NOW)
        assert letter.subject == subject
        assert letter.text.count("550 5.7.1 We do not take this") == number


class TestUnfit:
    """A message that was fit when it was written, and is not any more."""

    @staticmethod
    def spoil(mailing: Mailing) -> None:
        Message.objects.filter(mailings=mailing).update(subject="To {{ frist_name }}")

    @staticmethod
    def tick(post_office: PostOffice, now: Any = NOW) -> list[Letter]:
        planner.open_due(now, freeze, unfit=partial(notices.tell_unfit, now=now))
        return post_office.deliver(now)

    def test_the_owner_is_told_what_to_correct(self, alice: User, post_office: PostOffice) -> None:
        mailing = due(alice, name="Harvest <news>")
        self.spoil(mailing)
        (letter,) = self.tick(post_office)
        assert letter.to == alice.email
        assert letter.subject == "“Harvest <news>” is paused"
        for words in (letter.text, letter.body("html")):
            assert "Did you mean {{ first_name }}?" in words
            assert url_of("mailing", "inspect", mailing.pk) in words
            assert url_of("message", "edit", mailing.message_id) in words
        mailing.refresh_from_db()
        assert mailing.status == MailingStatus.PAUSED
        assert "Did you mean" in mailing.reason
        assert self.tick(post_office, LATE) == []

    def test_in_the_owners_language(self, russian_bob: User, post_office: PostOffice) -> None:
        self.spoil(due(russian_bob))
        (letter,) = self.tick(post_office)
        assert "Возможно, вы имели в виду {{ first_name }}?" in letter.text

    def test_not_if_it_was_paused_meanwhile(self, alice: User, post_office: PostOffice) -> None:
        mailing = due(alice)

        def paused_meanwhile(of: Mailing) -> Content:
            lifecycle.pause(mailing, by=alice)
            raise planner.ContentError("It has no subject.")

        planner.open_due(NOW, paused_meanwhile, unfit=partial(notices.tell_unfit, now=NOW))
        assert post_office.deliver(NOW) == []
        mailing.refresh_from_db()
        assert mailing.reason == ""


class TestDeactivated:
    def test_the_owner_reads_the_reason_and_where_it_happened(
        self, alice: User, manager: User, post_office: PostOffice
    ) -> None:
        mailing = make_mailing(alice, status=MailingStatus.SCHEDULED, name="Harvest")
        lifecycle.deactivate(mailing, by=manager, reason="Looks like <spam>.\nAsk first.", now=NOW)
        (letter,) = post_office.deliver(NOW)
        assert letter.to == alice.email
        assert letter.subject == "“Harvest” has been deactivated"
        assert "Looks like <spam>.\nAsk first." in letter.text.replace("\r", "")
        assert "Looks like &lt;spam&gt;.<br>Ask first." in letter.body("html")
        assert letter.link() == url_of("mailing", "inspect", mailing.pk)
        assert "It went to alice@people.test because you have mailings there." in letter.text

    def test_in_the_owners_language(
        self, russian_bob: User, manager: User, post_office: PostOffice
    ) -> None:
        mailing = make_mailing(russian_bob, status=MailingStatus.SCHEDULED, name="Урожай")
        lifecycle.deactivate(mailing, by=manager, reason="Спам", now=NOW)
        lifecycle.lift(mailing, by=manager, now=NOW)
        stopped, lifted = post_office.deliver(NOW)
        assert stopped.subject == "Рассылка «Урожай» отключена"
        assert "Причина:\nСпам" in stopped.text.replace("\r", "")
        assert lifted.subject == "Рассылка «Урожай» больше не отключена"

    def test_what_is_refused_is_not_told(self, alice: User, manager: User) -> None:
        mailing = make_mailing(alice)
        with pytest.raises(lifecycle.NotNow):
            lifecycle.deactivate(mailing, by=manager, reason="Spam", now=NOW)
        with pytest.raises(lifecycle.NotNow):
            lifecycle.lift(mailing, by=manager, now=NOW)
        assert not AccountMail.objects.exists()

    def test_nor_what_is_taken_back(self, alice: User, manager: User) -> None:
        mailing = make_mailing(alice, status=MailingStatus.SCHEDULED)
        with transaction.atomic():
            lifecycle.deactivate(mailing, by=manager, reason="Spam", now=NOW)
            transaction.set_rollback(True)
        assert not AccountMail.objects.exists()

    def test_lifted_it_may_be_resumed(
        self, alice: User, manager: User, post_office: PostOffice
    ) -> None:
        mailing = daily_in(alice, MailingStatus.DEACTIVATED)
        AccountMail.objects.all().delete()
        lifecycle.lift(mailing, by=manager, now=NOW)
        (letter,) = post_office.deliver(NOW)
        assert "nothing is sent until you resume it" in letter.text
        assert letter.link() == url_of("mailing", "inspect", mailing.pk)

    def test_lifted_it_may_be_over(
        self, alice: User, manager: User, post_office: PostOffice
    ) -> None:
        run = open_run(alice, [make_client(alice)])
        lifecycle.deactivate(run.mailing, by=manager, reason="Spam", now=NOW)
        lifecycle.cancel_run(run, by=alice, now=NOW)
        AccountMail.objects.all().delete()
        lifecycle.lift(run.mailing, by=manager, now=NOW)
        assert run.mailing.status == MailingStatus.COMPLETED
        (letter,) = post_office.deliver(NOW)
        assert "no dates left, so it is completed" in letter.text
        assert "resume" not in letter.body("html")
