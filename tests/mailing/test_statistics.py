"""Figures: the states of a run add up to its audience, by a fixed number of queries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from mailing import statistics
from mailing.engine import audience
from mailing.enums import DeliveryState, MailingStatus, RunStatus
from mailing.models import Batch, Run
from tests.factories import NOW, make_client, make_clients, make_list, make_mailing
from tests.mailing.runs import arm, open_run, put

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

    def test_what_another_version_left_in_the_cache_is_counted_anew(self, alice: User) -> None:
        run = open_run(alice, 2)
        cache.set(f"mailing:tally:{run.pk}:{run.status}", {"sent": 2})
        assert statistics.tally(run).states == {"pending": 2}

    def test_a_large_audience_is_a_copy_too(self, alice: User) -> None:
        small = make_mailing(alice, [make_client(alice)])
        large = make_mailing(alice, [make_client(alice), make_client(alice)])
        for mailing in (small, large):
            statistics.audience_of(mailing)
            mailing.clients.add(make_client(alice))
        assert statistics.audience_of(small).clients == 2
        assert statistics.audience_of(large).clients == 2


class TestAudiences:
    @pytest.mark.parametrize("number", [1, 20])
    def test_many_mailings_are_counted_by_one_query(
        self,
        alice: User,
        bob: User,
        number: int,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        clients = make_clients(alice, ["anna@x.test", "ben@x.test", "cleo@x.test"])
        mailings = [make_mailing(alice, clients[: n % 4]) for n in range(number)]
        mailings[0].lists.add(make_list(alice, clients[1:]), make_list(bob, [make_client(bob)]))
        with django_assert_num_queries(1):
            found = statistics.audiences_of(mailings)
        assert found == {m.pk: audience.size(m.pk, m.owner_id) for m in mailings}
        assert found[mailings[0].pk] == (2, 0)
        assert statistics.audiences_of([]) == {}


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
        make_client(alice, "Anna@X.test")
        make_client(bob, "anna@x.test")
        make_client(bob, "ben@x.test")
        assert statistics.service_figures().unique_clients == 2

    def test_they_are_counted_at_most_once_a_minute(
        self, alice: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        assert statistics.service_figures().unique_clients == 0
        make_client(alice)
        with django_assert_num_queries(0):
            assert statistics.service_figures().unique_clients == 0
        cache.clear()
        assert statistics.service_figures().unique_clients == 1

    def test_what_another_version_left_in_the_cache_is_counted_anew(self, alice: User) -> None:
        make_client(alice)
        cache.set("mailing:figures", {"mailings": 5})
        assert statistics.service_figures().unique_clients == 1


def test_nothing_but_the_rows_is_counted(alice: User) -> None:
    """The run's own count of its audience is a copy; the figures never come from it."""
    run = open_run(alice, 2)
    Run.objects.update(audience_size=99, opened_at=NOW - timedelta(days=1))
    assert statistics.tally(run).audience == 2
