"""What a waker does: plan, sweep, send a slice, with the installation's settings and clock."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from mailing import dispatch, heartbeat, tokens
from mailing.engine import circuit, journal
from mailing.engine.transport.server import Security
from mailing.enums import DeliveryState, MailingStatus, RunStatus
from mailing.models import Attempt, Batch, Delivery, Run, ServerGate
from tests.mailing.server import due_now, use_server
from tests.sink import Mood, Sink


@pytest.fixture
def sink(settings: Settings, tmp_path: Path) -> Iterator[Sink]:
    with Sink(Mood()) as sink:
        use_server(settings, tmp_path, sink.port)
        yield sink


@pytest.mark.django_db
class TestPlan:
    def test_it_opens_what_is_due_and_says_that_a_worker_lives(self, alice: User) -> None:
        mailing = due_now(alice, "anna@x.test")
        dispatch.plan()
        mailing.refresh_from_db()
        assert mailing.status == MailingStatus.SENDING
        assert Run.objects.get().status == RunStatus.SENDING
        assert heartbeat.is_beating(timezone.now())

    def test_it_takes_back_what_a_dead_sender_holds(self, alice: User) -> None:
        due_now(alice, "anna@x.test")
        dispatch.plan()
        past = timezone.now() - timedelta(minutes=1)
        Batch.objects.update(
            lease_token=uuid.uuid4(), lease_until=past, leased_at=past, host="elsewhere"
        )
        assert not dispatch.work_waits()
        dispatch.plan()
        assert Batch.objects.get().lease_token is None
        assert dispatch.work_waits()

    def test_it_leaves_a_lease_that_lasts(self, alice: User) -> None:
        due_now(alice, "anna@x.test")
        dispatch.plan()
        now, token = timezone.now(), uuid.uuid4()
        Batch.objects.update(
            lease_token=token, lease_until=now + timedelta(seconds=45), leased_at=now
        )
        dispatch.plan()
        assert Batch.objects.get().lease_token == token

    def test_it_tells_of_a_mail_server_that_has_been_away_for_long(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = timezone.now() - timedelta(minutes=6)
        circuit.open_circuit("mail.x.test:25", "Gone", configuration=True, now=before)
        dispatch.plan()
        dispatch.plan()
        assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.django_db
class TestWorkWaits:
    def test_only_while_there_are_letters_to_send(self, alice: User) -> None:
        due_now(alice, "anna@x.test")
        assert not dispatch.work_waits(), "not opened yet"
        dispatch.plan()
        assert dispatch.work_waits()
        Batch.objects.update(done=True)
        assert not dispatch.work_waits()

    def test_not_while_the_mail_server_is_away(self, alice: User) -> None:
        due_now(alice, "anna@x.test")
        dispatch.plan()
        now = timezone.now()
        circuit.open_circuit("elsewhere:25", "No route", configuration=False, now=now)
        assert dispatch.work_waits(), "another server's trouble"
        name = dispatch.mail_server().name
        circuit.open_circuit(name, "No route", configuration=False, now=now)
        assert not dispatch.work_waits()


@pytest.mark.django_db(transaction=True)
class TestSend:
    def test_every_client_gets_the_letter_over_smtp(self, alice: User, sink: Sink) -> None:
        mailing = due_now(alice, "ok+anna@x.test", "ok+ben@x.test")
        dispatch.plan()
        assert dispatch.send() is False
        assert sorted(sink.ledger.recipients()) == ["ok+anna@x.test", "ok+ben@x.test"]
        mailing.refresh_from_db()
        assert mailing.status == MailingStatus.COMPLETED
        assert dispatch.send() is False
        assert len(sink.ledger.letters) == 2
        assert heartbeat.is_beating(timezone.now())

    def test_one_that_is_told_to_stop_sends_nothing_more(self, alice: User, sink: Sink) -> None:
        due_now(alice, "ok+anna@x.test")
        dispatch.plan()
        assert dispatch.send(interrupted=lambda: True) is True
        assert sink.ledger.letters == []
        assert dispatch.work_waits(), "the letter waits for the next sender"

    def test_a_slice_of_no_time_leaves_the_work(self, alice: User, sink: Sink) -> None:
        due_now(alice, "ok+anna@x.test")
        dispatch.plan()
        assert dispatch.send(seconds=0) is True
        assert dispatch.work_waits()
        assert dispatch.send() is False
        (letter,) = sink.ledger.letters
        link = tokens.unsubscribe_links("http://testserver")(Delivery.objects.get().pk)
        assert f"<{link}>".encode() in letter["content"].replace(b"\r\n ", b"")

    def test_without_a_free_slot_it_leaves_the_work_to_others(
        self, alice: User, settings: Settings, sink: Sink
    ) -> None:
        settings.Q_WORKERS = 2  # one slot, whichever the database
        due_now(alice, "ok+anna@x.test")
        dispatch.plan()
        with journal.hold(settings.JOURNAL_DIR, 1) as held:
            assert held is not None
            assert dispatch.send() is None
        assert sink.ledger.letters == []
        assert dispatch.send() is False
        assert len(sink.ledger.letters) == 1

    def test_a_server_that_is_away_costs_no_client_anything(
        self, alice: User, settings: Settings, tmp_path: Path
    ) -> None:
        use_server(settings, tmp_path, 2)  # nobody listens there
        due_now(alice, "ok+anna@x.test")
        dispatch.plan()
        assert dispatch.send() is False
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 0)
        assert ServerGate.objects.get().server == "127.0.0.1:2"
        assert not dispatch.work_waits()


@pytest.mark.django_db
class TestForget:
    @pytest.mark.parametrize(
        ("days", "left"), [(0, [500, 20, 1]), (30, [20, 1]), (365, [20, 1]), (501, [500, 20, 1])]
    )
    def test_what_is_older_than_the_setting_goes(
        self, alice: User, settings: Settings, days: int, left: list[int]
    ) -> None:
        due_now(alice, "anna@x.test")
        dispatch.plan()
        now = timezone.now()
        for number, age in enumerate((500, 20, 1), start=1):
            Attempt.objects.create(
                owner=alice,
                delivery=Delivery.objects.get(),
                number=number,
                at=now - timedelta(days=age),
                outcome="transient",
                stage="rcpt",
            )
        settings.RETENTION_DAYS = days
        assert dispatch.forget() is False
        ages = [(now - attempt.at).days for attempt in Attempt.objects.order_by("number")]
        assert ages == left


class TestSettings:
    @pytest.mark.parametrize(
        ("ssl", "tls", "security"),
        [
            (False, False, Security.NONE),
            (False, True, Security.STARTTLS),
            (True, False, Security.TLS),
        ],
    )
    def test_the_mail_server_is_the_one_of_the_settings(
        self, settings: Settings, ssl: bool, tls: bool, security: Security
    ) -> None:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "mail.x.test", 2525
        settings.EMAIL_USE_SSL, settings.EMAIL_USE_TLS = ssl, tls
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "user", "secret"
        settings.SITE_URL = "https://service.test:8443"
        settings.SMTP_CONNECTIONS, settings.SMTP_MESSAGES_PER_CONNECTION = 7, 70
        server = dispatch.mail_server()
        assert server.name == "mail.x.test:2525"
        assert server.security is security
        assert (server.user, server.password) == ("user", "secret")
        assert "secret" not in repr(server)
        assert server.local_name == "service.test"
        assert (server.connections, server.messages_per_connection) == (7, 70)

    def test_letters_come_from_the_service(self, settings: Settings) -> None:
        settings.SENDER_ADDRESS = "news@service.test"
        settings.SITE_URL = "https://service.test"
        service = dispatch.service()
        assert (service.sender_address, service.host) == ("news@service.test", "service.test")
        link = service.unsubscribe_url(17)
        assert link.startswith("https://service.test/u/")
        assert tokens.read_unsubscribe_token(link.rstrip("/").rpartition("/")[2]) == 17

    def test_a_worker_stays_free_for_the_tick(self, settings: Settings) -> None:
        settings.Q_WORKERS = 4
        on_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
        assert dispatch.sender_slots() == (1 if on_sqlite else 3)
