"""What a mailing's page says about the run that is going on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from mailing import heartbeat
from mailing.admin.progress import Progress, progress_of
from mailing.dispatch import mail_server
from mailing.engine import circuit
from mailing.enums import DeliveryState, Outcome, RunStatus, Unit
from mailing.models import Delivery, Run
from tests.factories import NOW, hours, make_mailing
from tests.mailing.admin.screens import text_of, url_of
from tests.mailing.runs import arm, attempt, finish, open_run, put

pytestmark = pytest.mark.django_db


def progress(run: Run, after: timedelta = timedelta(seconds=30)) -> Progress:
    found = progress_of(run.mailing, NOW + after).progress
    assert found is not None
    return found


class TestWhich:
    def test_before_the_first_run_there_is_none(self, alice: User) -> None:
        assert progress_of(make_mailing(alice), NOW).progress is None

    @pytest.mark.parametrize("status", [RunStatus.MISSED, RunStatus.SKIPPED])
    def test_dates_on_which_nothing_left_are_passed_over(
        self, alice: User, status: RunStatus
    ) -> None:
        run = open_run(alice, unit=Unit.DAY)
        Run.objects.create(
            mailing=run.mailing,
            due_at=NOW + hours(24),
            status=status,
            opened_at=NOW,
            expires_at=NOW,
        )
        assert progress(run).run == run

    @pytest.mark.parametrize("status", [s for s in RunStatus if s not in {"missed", "skipped"}])
    def test_only_one_that_is_being_sent_is_live(self, alice: User, status: RunStatus) -> None:
        run = open_run(alice)
        Run.objects.update(status=status)
        assert progress(run).is_live == (status == RunStatus.SENDING)

    def test_it_tells_whether_a_worker_lives(self, alice: User) -> None:
        run = open_run(alice)
        assert not progress_of(run.mailing, NOW).worker_runs
        heartbeat.beat(NOW)
        assert progress_of(run.mailing, NOW).worker_runs


class TestFigures:
    def test_the_lines_add_up_to_the_audience(self, alice: User) -> None:
        run = open_run(alice, 8)
        put(
            run,
            DeliveryState.SENT,
            DeliveryState.SENT,
            DeliveryState.FAILED,
            DeliveryState.UNKNOWN,
            DeliveryState.DEFERRED,
        )
        arm(run, put(run)[5])
        found = progress(run)
        assert sum(line.count for line in found.lines) == found.tally.audience == 8
        assert {line.label: line.count for line in found.lines} == {
            "Sent": 2,
            "Failed": 1,
            "Unknown": 1,
            "Deferred": 1,
            "Being sent": 1,
            "Pending": 2,
        }
        assert (found.failed, found.unknown, found.deferred) == (1, 1, 1)
        assert found.percent == 50, "four of eight are beyond further sending"

    def test_each_line_opens_the_list_of_the_people_behind_it(
        self, alice: User, browse: Callable[..., Browser]
    ) -> None:
        run = open_run(alice, 6)
        put(run, DeliveryState.SENT, DeliveryState.SENT, DeliveryState.FAILED)
        alices = browse(alice)
        for line in progress(run).lines:
            page = alices.get(line.url)
            assert page.context["result_count"] == line.count, line.label

    def test_what_is_being_sent_is_found_among_the_pending(self, alice: User) -> None:
        run = open_run(alice)
        arm(run, put(run)[0])
        (line,) = progress(run).lines
        assert (line.label, line.url.partition("?")[2]) == (
            "Being sent",
            f"run={run.pk}&state=pending",
        )

    def test_a_run_of_nobody_is_complete(self, alice: User) -> None:
        assert progress(open_run(alice, 0)).percent == 100


class TestRate:
    def test_it_counts_the_answers_of_the_last_minute(self, alice: User) -> None:
        run = open_run(alice, 6)
        for delivery, seconds in zip(put(run), (0, 50, 100, 110), strict=False):
            attempt(delivery, at=NOW + timedelta(seconds=seconds))
        assert progress(run, timedelta(seconds=110)).per_minute == 3

    def test_in_the_first_minute_it_is_what_a_minute_would_give(self, alice: User) -> None:
        run = open_run(alice, 6)
        for delivery in put(run)[:3]:
            attempt(delivery, at=NOW + timedelta(seconds=5))
        assert progress(run, timedelta(seconds=15)).per_minute == 12
        assert progress(run, timedelta(0)).per_minute == 0

    def test_the_time_left_is_rounded_up_and_leaves_out_the_deferred(self, alice: User) -> None:
        run = open_run(alice, 9)
        sent = put(run, *[DeliveryState.SENT] * 2, *[DeliveryState.DEFERRED] * 2)[:2]
        for delivery in sent:
            attempt(delivery, at=NOW + timedelta(seconds=59))
        found = progress(run, timedelta(seconds=60))
        assert (found.per_minute, found.minutes_left) == (2, 3), "five at two a minute"

    def test_one_that_does_not_move_has_no_time_left(self, alice: User) -> None:
        run = open_run(alice, 3)
        attempt(put(run)[0], at=NOW + timedelta(seconds=10))
        assert progress(run).minutes_left is not None
        Run.objects.update(status=RunStatus.PAUSED)
        found = progress(run)
        assert (found.per_minute, found.minutes_left) == (0, None)


class TestCauses:
    def test_letters_with_the_same_answer_are_one_line_the_most_first(self, alice: User) -> None:
        run = open_run(alice, 6)
        letters = [d.pk for d in put(run)]
        full = {"state": DeliveryState.DEFERRED, "last_code": 452, "last_reply": "4.2.2 Full"}
        gone = {"state": DeliveryState.FAILED, "last_code": 550, "last_reply": "5.1.1 No"}
        Delivery.objects.filter(pk__in=letters[:1]).update(**full)
        Delivery.objects.filter(pk__in=letters[1:4]).update(**gone)
        Delivery.objects.filter(pk=letters[4]).update(state=DeliveryState.SENT, last_code=250)
        found = progress(run).causes
        assert [(cause.answer, cause.count) for cause in found] == [
            ("550 5.1.1 No", 3),
            ("452 4.2.2 Full", 1),
        ]
        assert "Deferred" in found[1].chip
        assert found[0].url.endswith(f"?run={run.pk}&state=failed")

    def test_there_are_not_more_than_eight_lines(self, alice: User) -> None:
        run = open_run(alice, 10)
        for delivery in put(run):
            Delivery.objects.filter(pk=delivery.pk).update(
                state=DeliveryState.FAILED, last_reply=f"answer {delivery.pk}"
            )
        assert len(progress(run).causes) == 8


class TestWaiting:
    def test_a_server_that_is_away_is_named_as_the_reason(self, alice: User) -> None:
        run = open_run(alice)
        assert progress(run).waiting_for == ""
        circuit.open_circuit(mail_server().name, "Connection refused", configuration=False, now=NOW)
        found = progress(run, timedelta(seconds=29))
        assert found.waiting_for == "Waiting for the mail server: Connection refused"
        assert progress(run, timedelta(seconds=31)).waiting_for == "", "it is tried again"

    def test_the_hours_of_the_mailing_are_named_as_the_reason(self, alice: User) -> None:
        run = open_run(alice, window_from=time(13), window_until=time(17))
        assert progress(run).waiting_for == (
            "Waiting for the hours of this mailing: "
            "letters leave from 23 Nov 2026, 13:00 (Europe/London)."
        )
        assert progress(run, timedelta(hours=4)).waiting_for == ""

    def test_another_servers_trouble_is_not_ours(self, alice: User) -> None:
        run = open_run(alice)
        circuit.open_circuit("elsewhere:25", "Gone", configuration=True, now=NOW)
        assert progress(run).waiting_for == ""

    @pytest.mark.parametrize("status", [RunStatus.PAUSED, RunStatus.COMPLETED, RunStatus.CANCELLED])
    def test_what_is_not_being_sent_waits_for_nothing(self, alice: User, status: RunStatus) -> None:
        run = open_run(alice)
        Run.objects.update(status=status)
        circuit.open_circuit(mail_server().name, "Gone", configuration=True, now=NOW)
        assert progress(run).waiting_for == ""


class TestPage:
    @pytest.fixture
    def alices(self, alice: User, browse: Callable[..., Browser]) -> Browser:
        return browse(alice)

    def test_it_says_what_the_run_waits_for(self, alice: User, alices: Browser) -> None:
        run = open_run(alice)
        circuit.open_circuit(
            mail_server().name, "550 <you> again", configuration=True, now=timezone.now()
        )
        for action in ("inspect", "progress"):
            page = alices.get(url_of("mailing", action, run.mailing_id))
            words = " ".join(BeautifulSoup(page.text, "lxml").get_text(" ").split())
            assert "Waiting for the mail server: 550 <you> again" in words
            assert "Nothing is counted against the clients" in words

    def test_it_warns_while_no_worker_lives(self, alice: User, alices: Browser) -> None:
        url = url_of("mailing", "inspect", open_run(alice).mailing_id)
        assert "No worker is running." in text_of(alices.get(url))
        heartbeat.beat(timezone.now())
        assert "No worker is running." not in text_of(alices.get(url))

    def test_the_poll_is_told_how_far_it_is_and_when_to_end(
        self, alice: User, alices: Browser
    ) -> None:
        run = open_run(alice, 4)
        put(run, DeliveryState.SENT)
        url = url_of("mailing", "progress", run.mailing_id)
        assert watched(alices.get(url)) == ("25", "true")
        finish(run)
        assert watched(alices.get(url)) == ("100", "false")

    def test_it_is_nobody_elses(
        self, alice: User, bob: User, manager: User, browse: Callable[..., Browser]
    ) -> None:
        url = url_of("mailing", "progress", open_run(alice).mailing_id)
        assert browse(bob).get(url).status_code == 404
        assert browse(manager).get(url).status_code == 200

    def test_an_answer_of_a_server_is_text(self, alice: User, alices: Browser) -> None:
        run = open_run(alice)
        (letter,) = put(run, DeliveryState.FAILED, last_reply="<script>alert(1)</script>")
        attempt(letter, Outcome.PERMANENT, reply="<script>alert(1)</script>")
        page = alices.get(url_of("mailing", "progress", run.mailing_id))
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text


def test_twenty_letters_take_as_many_queries_as_one(alice: User) -> None:
    for_one, for_many = open_run(alice, 1), open_run(alice, 20)
    for run in (for_one, for_many):
        put(run, *[DeliveryState.FAILED] * 20)
    with CaptureQueriesContext(connection) as few:
        progress(for_one)
    with CaptureQueriesContext(connection) as many:
        assert progress(for_many).failed == 20
    assert len(many) == len(few)


def watched(page: Any) -> tuple[str, str]:
    """Return what the script on the page reads: per cent, and whether to ask again."""
    section = BeautifulSoup(page.text, "lxml").find(class_="ms-progress")
    assert section is not None
    return str(section["data-percent"]), str(section["data-live"])
