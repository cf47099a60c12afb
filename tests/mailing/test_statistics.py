"""Figures: the states of a run add up to its audience, by a fixed number of queries."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from mailing import statistics
from mailing.engine import ledger
from mailing.engine.classify import Reply
from mailing.enums import DeliveryState, MailingStatus, RunStatus, Stage
from mailing.models import Batch, Delivery, Run
from tests.factories import NOW, make_clients, make_mailing
from tests.mailing.runs import arm, finish, open_run, put

pytestmark = pytest.mark.django_db

STORED = [state for state in DeliveryState if state != DeliveryState.SENDING]


class TestTally:
    def test_each_state_is_counted_and_all_add_up_to_the_audience(self, alice: User) -> None:
        run = open_run(alice, 2 * len(STORED))
        put(run, *STORED, *STORED[1:])
        tally = statistics.tally(run)
        assert tally.states == dict.fromkeys(STORED, 2)
        assert tally.audience == sum(tally.states.values()) == run.audience_size
        assert tally.sent == 2
        assert tally.settled == tally.audience - 4, "all but the pending and the deferred"

    def test_letters_about_to_be_sent_show_as_such_and_the_sum_stays(self, alice: User) -> None:
        run = open_run(alice, 5)
        letters = put(run, DeliveryState.SENT)
        arm(run, letters[2])
        tally = statistics.tally(run)
        assert tally.states == {
            DeliveryState.PENDING: 2,
            DeliveryState.SENDING: 2,
            DeliveryState.SENT: 1,
        }
        assert (tally.audience, tally.settled) == (5, 1)

    def test_if_all_are_about_to_be_sent_none_shows_as_pending(self, alice: User) -> None:
        run = open_run(alice, 2)
        arm(run, put(run)[-1])
        assert statistics.tally(run).states == {DeliveryState.SENDING: 2}

    def test_a_batch_that_is_done_is_not_being_sent(self, alice: User) -> None:
        run = open_run(alice, 2)
        arm(run, put(run)[-1])
        Batch.objects.update(done=True)
        assert statistics.tally(run).states == {DeliveryState.PENDING: 2}

    def test_an_audience_of_nobody_is_nothing(self, alice: User) -> None:
        tally = statistics.tally(open_run(alice, 0))
        assert (tally.states, tally.audience, tally.sent, tally.settled) == ({}, 0, 0, 0)

    def test_runs_are_counted_apart(self, alice: User, bob: User) -> None:
        first, second = open_run(alice, 3), open_run(bob, 2)
        put(first, DeliveryState.FAILED)
        put(second, DeliveryState.SENT, DeliveryState.SENT)
        arm(first, put(first)[1])
        tallies = statistics.tallies([first, second])
        assert tallies[first.pk].states == {"failed": 1, "sending": 1, "pending": 1}
        assert tallies[second.pk].states == {"sent": 2}
        assert statistics.tallies([]) == {}

    @pytest.mark.parametrize("number", [1, 20])
    def test_many_runs_take_as_many_queries_as_one(
        self,
        alice: User,
        number: int,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        clients = make_clients(alice, ["anna@x.test", "ben@x.test"])
        runs = [open_run(alice, clients) for _ in range(number)]
        with django_assert_num_queries(2):
            statistics.tallies(runs)


class TestLargeRuns:
    """What takes a while to count is counted once a minute, and says when."""

    @pytest.fixture(autouse=True)
    def two_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(statistics, "LARGE", 2)

    def test_their_tally_is_a_copy_that_says_its_time(
        self, alice: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        large, small = open_run(alice, 2), open_run(alice, 1)
        first = statistics.tallies([large, small])
        put(large, DeliveryState.SENT, DeliveryState.SENT)
        put(small, DeliveryState.SENT)
        with django_assert_num_queries(2):
            later = statistics.tallies([large, small])
        assert later[large.pk] == first[large.pk]
        assert later[large.pk].states == {"pending": 2}
        assert later[large.pk].counted_at is not None
        assert later[small.pk] == statistics.Tally({DeliveryState.SENT: 1})

    def test_when_it_has_ended_it_is_counted_at_once(self, alice: User) -> None:
        run = open_run(alice, 2)
        statistics.tally(run)
        put(run, DeliveryState.SENT, DeliveryState.SENT)
        run.status = RunStatus.COMPLETED
        assert statistics.tally(run).states == {"sent": 2}

    def test_one_that_is_completed_keeps_its_copy(
        self, alice: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        run = open_run(alice, 3)
        finish(run, DeliveryState.UNKNOWN, at=timezone.now())
        run.refresh_from_db()
        first = statistics.tally(run)
        cache.clear()
        with django_assert_num_queries(1):
            assert statistics.tally(run) == first
        assert (first.sent, first.audience) == (2, 3)

    def test_late_evidence_and_another_end_are_counted(self, alice: User) -> None:
        run = open_run(alice, 3)
        unknown = put(run, DeliveryState.PENDING)[0]
        for answer in (Reply(0), Reply(250)):
            _verdict, finding = ledger.judge(
                run.pk, unknown.pk, 1, Stage.DOT, answer, at=NOW, random=Random(1)
            )
            assert finding is not None
            ledger.record([finding])
            if answer.code == 0:
                Delivery.objects.exclude(pk=unknown.pk).update(state=DeliveryState.SENT)
                Run.objects.update(status=RunStatus.COMPLETED, finished_at=timezone.now())
                run.refresh_from_db()
                assert statistics.tally(run).sent == 2
        assert statistics.tally(run).sent == 3
        Delivery.objects.update(state=DeliveryState.FAILED)
        assert statistics.tally(run).sent == 3, "a copy"
        Run.objects.update(finished_at=timezone.now())
        run.refresh_from_db()
        assert statistics.tally(run).sent == 0

    def test_what_another_version_left_in_the_cache_is_counted_anew(self, alice: User) -> None:
        run = open_run(alice, 2)
        cache.set(f"mailing:tally:{run.pk}:{run.status}", {"sent": 2})
        assert statistics.tally(run).states == {"pending": 2}


class TestServiceFigures:
    def test_mailings_that_are_kept_are_counted_and_those_that_are_active(
        self, alice: User, bob: User
    ) -> None:
        for status in MailingStatus:
            make_mailing(alice, [], status=status)
            make_mailing(bob, [], status=status, deleted_at=NOW)
        figures = statistics.service_figures()
        assert (figures.mailings, figures.active_mailings) == (len(MailingStatus), 2)

    def test_a_client_of_two_owners_is_one_person(self, alice: User, bob: User) -> None:
        addresses = [f"client{number}@x.test" for number in range(60)]
        make_clients(alice, addresses)
        before = statistics.service_figures().unique_clients
        assert before in {50, 60}
        make_clients(bob, [address.upper() for address in addresses])
        cache.clear()
        assert statistics.service_figures().unique_clients == before

    def test_mailings_are_counted_each_time(self, alice: User) -> None:
        """The page that shows them is kept until a mailing changes; a copy of theirs is not."""
        assert statistics.service_figures().mailings == 0
        make_mailing(alice, [])
        assert statistics.service_figures().mailings == 1

    def test_clients_are_counted_at_most_once_a_day(self, alice: User) -> None:
        assert statistics.service_figures().unique_clients == 0
        make_clients(alice, [f"client{number}@x.test" for number in range(60)])
        assert statistics.service_figures().unique_clients == 0
        cache.clear()
        assert statistics.service_figures().unique_clients >= 50

    def test_what_another_version_left_in_the_cache_is_counted_anew(self, alice: User) -> None:
        make_mailing(alice, [])
        cache.set("mailing:unique-clients", "many")
        assert statistics.service_figures().mailings == 1

    def test_of_very_many_clients_none_is_named_before_they_are_counted(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_clients(alice, [f"c{n}@x.test" for n in range(60)])
        monkeypatch.setattr(statistics, "LARGE", 59)
        assert statistics.service_figures().unique_clients == 0
        statistics.note_unique_clients()
        named = statistics.service_figures().unique_clients
        assert named >= 50
        make_clients(alice, [f"d{n}@x.test" for n in range(60)])
        statistics.note_unique_clients()
        assert statistics.service_figures().unique_clients == named


class TestWithoutLastDigits:
    DAYS = [date(2026, 1, 1) + timedelta(days=number) for number in range(400)]

    @pytest.mark.parametrize(
        ("number", "step"), [(0, 10), (7, 10), (19, 10), (95, 10), (640, 10), (48_912, 1000)]
    )
    def test_the_figure_is_round_and_never_too_high(self, number: int, step: int) -> None:
        shown = {statistics.without_last_digits(number, day=day) for day in self.DAYS}
        for figure in shown:
            assert figure % step == 0
            assert max(0, number - 2 * step) < figure <= number or figure == 0
        assert len(shown) <= 2

    @pytest.mark.parametrize("number", [20, 30, 99, 1000])
    def test_from_twenty_on_there_is_something_to_show(self, number: int) -> None:
        assert all(statistics.without_last_digits(number, day=day) > 0 for day in self.DAYS)

    def test_one_more_shows_on_few_days_and_on_none_that_can_be_foreseen(
        self, settings: Settings
    ) -> None:
        def telling(number: int) -> list[date]:
            show = statistics.without_last_digits
            return [d for d in self.DAYS if show(number, day=d) != show(number + 1, day=d)]

        for number in (40, 45, 49, 640):
            assert 0.04 < len(telling(number)) / len(self.DAYS) < 0.18
        days = telling(45)
        settings.SECRET_KEY = "another"
        assert telling(45) != days


def test_nothing_but_the_rows_is_counted(alice: User) -> None:
    """The run's own count of its audience is a copy; the figures never come from it."""
    run = open_run(alice, 2)
    Run.objects.update(audience_size=99, opened_at=NOW - timedelta(days=1))
    assert statistics.tally(run).audience == 2
