"""Two sessions of the database, step by step: whichever is first, the other finds the truth."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from accounts.models import User
from mailing import lifecycle
from mailing.composer.render import freeze
from mailing.engine import audience, journal, leases, planner
from mailing.engine.database import durable
from mailing.engine.faults import Point
from mailing.engine.leases import Holder, Lease
from mailing.enums import MailingStatus, RunStatus, Unit
from mailing.models import Batch, Client, Delivery, Mailing, Run
from tests.factories import NOW, make_client, make_clients, make_list, make_mailing
from tests.faults.sessions import Meanwhile
from tests.mailing.engine import oracle
from tests.mailing.engine.conftest import Stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "BATCH_SIZE", 5)


@pytest.fixture
def mailing(alice: User, stage: Stage, small_batches: None) -> Mailing:
    stage.sink.mood.dot_delay = 0.05  # so that a session that waits for SQLite finds a gap
    return make_mailing(
        alice,
        make_clients(alice, [f"ok+{n}@x.test" for n in range(20)]),
        status=MailingStatus.SCHEDULED,
        next_due_at=NOW,
    )


def lease(stage: Stage) -> Lease | None:
    with durable():
        return leases.take(Holder("other", "", "", uuid.uuid4()), stage.now)


def test_lease_and_lease_take_different_batches(mailing: Mailing, stage: Stage) -> None:
    (run,) = stage.plan()
    with Meanwhile(Point.LEASED, 1, lambda: lease(stage)) as meanwhile:
        stage.send()
    other = meanwhile.result
    assert isinstance(other, Lease)
    held = Batch.objects.get(lease_token=other.token)
    ids = list(Delivery.objects.filter(run=run).order_by("pk").values_list("pk", flat=True))
    assert held.first_id != ids[0]
    assert len(stage.arrived) == 15, "the sender leaves alone what the other has"
    oracle.check(run, stage.arrived)


def test_release_and_lease(mailing: Mailing, stage: Stage) -> None:
    """Of a batch that is being given back, the other gets nothing before that is committed."""
    (run,) = stage.plan()
    with Meanwhile(Point.RELEASED, 1, lambda: lease(stage)) as meanwhile:
        stage.send()
    assert isinstance(meanwhile.result, Lease)
    assert len(stage.arrived) == 15
    oracle.check(run, stage.arrived)


def test_lease_and_take_back(mailing: Mailing, stage: Stage) -> None:
    """A sweeper whose list of dead leases is old finds that the batch is in new hands."""
    (run,) = stage.plan()
    with journal.hold(stage.folder, 1) as held:
        assert held is not None
        with durable():
            leases.take(Holder(stage.host, "", str(held.path), held.journal_id), stage.now)
    stage.later(minutes=1)
    with Meanwhile(Point.TAKEN_BACK, 1, stage.sweep) as meanwhile:
        stage.sweep()
    assert meanwhile.waited
    assert not Batch.objects.exclude(lease_token=None).exists()
    stage.send()
    oracle.check(run, stage.arrived, drained=True)


@pytest.mark.parametrize("point", [Point.BEFORE_INTENT, Point.INTENT_WRITTEN, Point.AFTER_INTENT])
def test_intent_and_pause(mailing: Mailing, stage: Stage, point: Point) -> None:
    (run,) = stage.plan()

    def pause() -> None:
        lifecycle.pause(Mailing.objects.get(pk=mailing.pk), by=mailing.owner)

    with Meanwhile(point, 1, pause) as meanwhile:
        stage.send()
    assert len(stage.arrived) <= 8
    if connection.vendor == "postgresql" and point is Point.BEFORE_INTENT:
        assert not meanwhile.waited
        assert stage.arrived == [], "the pause was first"
    oracle.check(run, stage.arrived)
    run.refresh_from_db()
    assert run.status == RunStatus.PAUSED


@pytest.mark.parametrize("point", [Point.RUN_MADE, Point.FROZEN])
def test_freeze_and_import(alice: User, stage: Stage, point: Point) -> None:
    clients = make_list(alice, make_clients(alice, [f"ok+{n}@x.test" for n in range(10)]))
    mailing = make_mailing(alice, [], status=MailingStatus.SCHEDULED, next_due_at=NOW)
    mailing.lists.add(clients)

    def import_ten_more() -> None:
        with transaction.atomic():
            clients.clients.add(*make_clients(alice, [f"ok+new{n}@x.test" for n in range(10)]))

    with Meanwhile(point, 1, import_ten_more):
        (run,) = stage.plan()
    frozen = Delivery.objects.filter(run=run).count()
    assert frozen in {10, 20}, "all of the import or nothing of it"
    assert run.audience_size == frozen
    stage.send()
    oracle.check(run, stage.arrived, drained=True)


def two_clients(alice: User) -> Mailing:
    return make_mailing(
        alice,
        make_clients(alice, ["ok+a@x.test", "ok+b@x.test"]),
        status=MailingStatus.SCHEDULED,
        next_due_at=NOW,
    )


@pytest.mark.parametrize("point", [Point.RUN_MADE, Point.FROZEN])
def test_freeze_and_a_client_deleted_meanwhile(alice: User, stage: Stage, point: Point) -> None:
    two_clients(alice)

    def erase() -> None:
        lifecycle.delete_client(Client.objects.get(email="ok+a@x.test"))

    with Meanwhile(point, 1, erase):
        (run,) = stage.plan()
    stage.send()
    oracle.check(run, [letter["delivery"] for letter in stage.sink.ledger.letters], drained=True)
    assert stage.arrived == ["ok+b@x.test"]
    assert not Delivery.objects.filter(email="ok+a@x.test").exists()


def test_freeze_waits_for_a_deletion_under_way(alice: User, stage: Stage) -> None:
    """The deletion came first, and is not committed yet when somebody presses "send now"."""
    mailing = make_mailing(alice, make_clients(alice, ["ok+a@x.test", "ok+b@x.test"]))

    def press() -> Run | None:
        try:
            return lifecycle.send_now(
                Mailing.objects.get(pk=mailing.pk), form_key=uuid.uuid4(), by=alice, now=NOW
            )
        finally:
            connections.close_all()

    with ThreadPoolExecutor() as other:
        with transaction.atomic():
            lifecycle.delete_client(Client.objects.get(email="ok+a@x.test"))
            opening = other.submit(press)
            with pytest.raises(TimeoutError):
                opening.result(0.3)
        run = opening.result(10)
    assert run is not None
    stage.send()
    oracle.check(run, stage.arrived, drained=True)
    assert stage.arrived == ["ok+b@x.test"]


@pytest.mark.parametrize("point", [Point.OCCURRENCE_TAKEN, Point.RUN_MADE, Point.FROZEN])
def test_occurrence_and_occurrence_are_one_run(
    mailing: Mailing, stage: Stage, point: Point
) -> None:
    with Meanwhile(point, 1, lambda: planner.open_due(NOW, freeze)) as meanwhile:
        (run,) = stage.plan()
    assert (meanwhile.waited, meanwhile.result) == (True, [])
    assert Run.objects.get() == run
    stage.send()
    oracle.check(run, stage.arrived, drained=True)


def test_occurrence_and_send_now_are_one_run(alice: User, stage: Stage) -> None:
    mailing = make_mailing(
        alice, [make_client(alice)], unit=Unit.DAY, status=MailingStatus.SCHEDULED, next_due_at=NOW
    )

    def send_now() -> object:
        try:
            return lifecycle.send_now(
                Mailing.objects.get(pk=mailing.pk), form_key=uuid.uuid4(), by=alice, now=NOW
            )
        except lifecycle.NotNow:
            return None

    with Meanwhile(Point.RUN_MADE, 1, send_now) as meanwhile:
        (run,) = stage.plan()
    assert meanwhile.result is None
    assert Run.objects.get() == run


def test_two_tabs_send_once(alice: User, stage: Stage) -> None:  # row 40
    mailing = make_mailing(alice, [make_client(alice, "ok+a@x.test")])
    key = uuid.uuid4()

    def press() -> object:
        try:
            return lifecycle.send_now(
                Mailing.objects.get(pk=mailing.pk), form_key=key, by=alice, now=NOW
            )
        except lifecycle.NotNow:
            return None

    with Meanwhile(Point.RUN_MADE, 1, press) as meanwhile:
        run = press()
    assert isinstance(run, Run)
    assert meanwhile.result is None
    stage.send()
    oracle.check(run, stage.arrived, drained=True)
    assert stage.arrived == ["ok+a@x.test"]
