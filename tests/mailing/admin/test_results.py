"""Runs with their figures, as lists show them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from mailing.admin.results import results_of, stacked, with_latest_result
from mailing.enums import DeliveryState, RunStatus, Unit
from mailing.models import Mailing, Run
from mailing.statistics import Tally
from tests.factories import NOW, hours, make_client, make_mailing
from tests.mailing.admin.screens import text_of, url_of
from tests.mailing.runs import finish, open_run

pytestmark = pytest.mark.django_db


class TestBar:
    def test_stretches_follow_each_other_and_pending_stays_empty(self) -> None:
        bars = stacked(
            Tally(
                {
                    DeliveryState.FAILED: 1,
                    DeliveryState.SENT: 4,
                    DeliveryState.PENDING: 2,
                    DeliveryState.DEFERRED: 1,
                }
            )
        )
        assert [(bar.state, bar.x, bar.width) for bar in bars] == [
            ("sent", "0.00%", "50.00%"),
            ("deferred", "50.00%", "12.50%"),
            ("failed", "62.50%", "12.50%"),
        ]

    def test_a_run_of_nobody_has_none(self) -> None:
        assert stacked(Tally({})) == []


class TestResults:
    def test_each_run_has_its_own_figures_in_the_order_asked_for(
        self, alice: User, bob: User
    ) -> None:
        first, second = open_run(alice, 2), open_run(bob, 3)
        finish(first)
        results = results_of([second, first])
        assert [(r.run, r.tally.sent, r.tally.audience) for r in results] == [
            (second, 0, 3),
            (first, 2, 2),
        ]
        assert [bar.width for bar in results[1].bars] == ["100.00%"]
        assert "Sending" in results[0].chip

    def test_the_latest_result_is_that_of_the_last_date(self, alice: User) -> None:
        run = open_run(alice, unit=Unit.DAY)
        finish(run)
        never = make_mailing(alice)
        missed = Run.objects.create(
            mailing=run.mailing,
            due_at=NOW + hours(24),
            status=RunStatus.MISSED,
            opened_at=NOW,
            expires_at=NOW,
        )
        mailings = with_latest_result(Mailing.objects.with_latest_run())
        found = {m.pk: m.result and m.result.run for m in mailings}
        assert found == {run.mailing_id: missed, never.pk: None}

    def test_many_mailings_take_three_queries(
        self, alice: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = make_client(alice)
        for _ in range(10):
            finish(open_run(alice, [client]))
        mailings = list(Mailing.objects.with_latest_run())
        with django_assert_num_queries(3):
            assert len(with_latest_result(mailings)) == 10


class TestListOfMailings:
    @pytest.fixture
    def alices(self, alice: User, browse: Callable[..., Browser]) -> Browser:
        return browse(alice)

    def test_it_shows_what_came_of_the_last_run(self, alice: User, alices: Browser) -> None:
        run = open_run(alice, 3, unit=Unit.DAY)
        finish(run, DeliveryState.FAILED)
        assert "2 of 3 sent" in text_of(alices.get(url_of("mailing")))
        Run.objects.update(status=RunStatus.MISSED)
        words = text_of(alices.get(url_of("mailing")))
        assert "Missed" in words
        assert "of 3 sent" not in words

    def test_twenty_mailings_take_as_many_queries_as_one(
        self, alice: User, alices: Browser
    ) -> None:
        client = make_client(alice)
        finish(open_run(alice, [client]))
        alices.get(url_of("mailing"))  # fills what is cached for all requests
        with CaptureQueriesContext(connection) as few:
            alices.get(url_of("mailing"))
        for _ in range(19):
            finish(open_run(alice, [client]))
        with CaptureQueriesContext(connection) as many:
            page = alices.get(url_of("mailing"))
        assert text_of(page).count("1 of 1 sent") == 20
        assert len(many) == len(few)
