"""The tasks of the queue: they wake each other only while there is something to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from inspect import unwrap
from pathlib import Path

import pytest
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from accounts.models import User
from mailing import dispatch, heartbeat, tasks
from mailing.engine import circuit, journal, retention
from mailing.importing import jobs
from mailing.models import Attempt, Batch, Client, Delivery, Run
from tests.mailing.importing.files import make_import
from tests.mailing.server import due_now, use_server
from tests.sink import Sink

DELIVER = "mailing.tasks.deliver"
FORGET = "mailing.tasks.forget"
IMPORT = "mailing.tasks.import_clients"


@pytest.fixture
def sink(settings: Settings, tmp_path: Path) -> Iterator[Sink]:
    with Sink() as sink:
        use_server(settings, tmp_path, sink.port)
        yield sink


def queued() -> list[str]:
    return [task.func() for task in OrmQ.objects.order_by("pk")]


@pytest.mark.django_db
class TestTick:
    def test_it_opens_what_is_due_and_wakes_a_sender(self, alice: User) -> None:
        due_now(alice, "anna@x.test")
        tasks.tick()
        assert Run.objects.count() == 1
        assert queued() == [DELIVER]

    def test_with_nothing_to_do_it_wakes_nobody(self) -> None:
        tasks.tick()
        assert queued() == []
        assert heartbeat.is_beating(timezone.now())

    def test_while_the_mail_server_is_away_it_wakes_nobody(self, alice: User) -> None:
        due_now(alice, "anna@x.test")
        name = dispatch.mail_server().name
        circuit.open_circuit(name, "No route", configuration=False, now=timezone.now())
        tasks.tick()
        assert Run.objects.count() == 1
        assert queued() == []

    def test_with_an_inactive_scheduler_it_does_nothing(
        self, alice: User, settings: Settings
    ) -> None:
        settings.SCHEDULER_ACTIVE = False
        due_now(alice, "anna@x.test")
        tasks.tick()
        assert not Run.objects.exists()
        assert queued() == []

    def test_two_ticks_open_one_run(self, alice: User) -> None:
        due_now(alice, "anna@x.test")
        tasks.tick()
        tasks.tick()
        assert Run.objects.count() == 1

    def test_it_wakes_a_sender_for_letters_whose_wait_is_over(self, alice: User) -> None:
        due_now(alice, "anna@x.test")
        dispatch.plan()
        Batch.objects.update(due_at=timezone.now() + timedelta(minutes=5))
        tasks.tick()
        assert queued() == []
        Batch.objects.update(due_at=timezone.now())
        tasks.tick()
        assert queued() == [DELIVER]


@pytest.mark.django_db
class TestImport:
    def test_a_lost_task_is_noticed_by_the_tick(self, alice: User) -> None:
        row = make_import(alice, ["email", "anna@x.test"])
        tasks.tick()
        assert queued() == []
        jobs.start(row, now=timezone.now())
        tasks.tick()
        assert queued() == [IMPORT]

    def test_it_comes_back_only_while_work_is_left(
        self, alice: User, bob: User, settings: Settings
    ) -> None:
        settings.SCHEDULER_ACTIVE = False  # which is about dates, not about what people start
        for owner in (alice, bob):
            jobs.start(make_import(owner, ["email", "anna@x.test"]), now=timezone.now())
        tasks.import_clients()
        assert queued() == [IMPORT]
        tasks.import_clients()
        tasks.import_clients()  # a doubled task
        assert queued() == [IMPORT]
        assert Client.objects.count() == 2


@pytest.mark.django_db(transaction=True)
class TestDeliver:
    def test_it_sends_once_and_does_not_come_back_when_all_have_left(
        self, alice: User, sink: Sink
    ) -> None:
        due_now(alice, "ok+anna@x.test")
        dispatch.plan()
        tasks.deliver()
        tasks.deliver()  # a doubled task
        assert sink.ledger.recipients() == ["ok+anna@x.test"]
        assert queued() == []

    def test_without_a_free_slot_it_leaves_the_work_to_others(
        self, alice: User, settings: Settings, sink: Sink
    ) -> None:
        settings.Q_WORKERS = 2
        due_now(alice, "ok+anna@x.test")
        dispatch.plan()
        with journal.hold(settings.JOURNAL_DIR, 1):
            tasks.deliver()
        assert (queued(), sink.ledger.letters) == ([], [])


@pytest.mark.django_db
def test_forgetting_comes_back_only_while_something_old_is_left(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    due_now(alice, "anna@x.test", "ben@x.test")
    dispatch.plan()
    for delivery in Delivery.objects.all():
        long_ago = timezone.now() - timedelta(days=400)
        Attempt.objects.create(
            owner=alice,
            delivery=delivery,
            number=1,
            at=long_ago,
            outcome="transient",
            stage="rcpt",
        )
    monkeypatch.setattr(retention, "STEP", 1)
    monkeypatch.setattr(unwrap(dispatch.forget), "__defaults__", (0.0,))  # a slice of no time
    tasks.forget()
    assert (Attempt.objects.count(), queued()) == (1, [FORGET])
    tasks.forget()
    tasks.forget()
    assert (Attempt.objects.count(), queued()) == (0, [FORGET] * 2)


@pytest.mark.django_db
def test_a_pulse_proves_that_tasks_are_run() -> None:
    tasks.send_pulse()
    assert queued() == ["mailing.tasks.pulse"]
    assert not heartbeat.is_beating(timezone.now()), "queued is not run"
    tasks.pulse()
    assert heartbeat.is_beating(timezone.now())
