"""`manage.py scheduler --once`: what is due leaves, without a task queue."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail as outbox
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from accounts import closing, mail
from accounts.models import AccountMail, User
from mailing import clientele, heartbeat
from mailing.enums import ClientAction, DeliveryState, ImportState, MailingStatus
from mailing.importing import jobs
from mailing.models import Client, Delivery, Mailing, Run, ServerGate
from mailing.selection import Selection
from tests.factories import make_client
from tests.mailing.importing.files import make_import
from tests.mailing.server import due_now, use_server
from tests.sink import Sink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def our_signals() -> Iterator[None]:
    """The command takes SIGTERM and Ctrl-C for itself; the test run wants them back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def sink(settings: Settings, tmp_path: Path) -> Iterator[Sink]:
    with Sink() as sink:
        use_server(settings, tmp_path, sink.port)
        yield sink


def test_what_is_due_leaves_over_smtp_without_a_task_queue(
    alice: User, bob: User, sink: Sink
) -> None:
    mine, bobs = due_now(alice, "ok+anna@x.test", "550+ben@x.test"), due_now(bob, "ok+cy@x.test")
    call_command("scheduler", "--once")
    assert sorted(sink.ledger.recipients()) == ["ok+anna@x.test", "ok+cy@x.test"]
    states = dict(Delivery.objects.values_list("email", "state"))
    assert states == {
        "ok+anna@x.test": DeliveryState.SENT,
        "550+ben@x.test": DeliveryState.FAILED,
        "ok+cy@x.test": DeliveryState.SENT,
    }
    for mailing in (mine, bobs):
        mailing.refresh_from_db()
        assert mailing.status == MailingStatus.COMPLETED
    assert not OrmQ.objects.exists()


def test_a_second_one_sends_nothing_again(alice: User, sink: Sink) -> None:
    due_now(alice, "ok+anna@x.test")
    call_command("scheduler", "--once")
    call_command("scheduler", "--once")
    assert sink.ledger.recipients() == ["ok+anna@x.test"]
    assert Run.objects.count() == 1


def test_what_is_not_due_waits(alice: User, sink: Sink) -> None:
    due_now(alice, "ok+anna@x.test")
    Mailing.objects.update(next_due_at=timezone.now() + timedelta(minutes=1))
    call_command("scheduler", "--once")
    assert sink.ledger.letters == []
    assert not Run.objects.exists()
    assert heartbeat.is_beating(timezone.now()), "it shows as a living worker"


def test_account_mails_leave_too(alice: User, sink: Sink) -> None:
    mail.post(
        template="account/email/password_changed",
        email=alice.email,
        context={},
        now=timezone.now(),
    )
    call_command("scheduler", "--once")
    assert [letter.to for letter in outbox.outbox] == [[alice.email]]
    assert not AccountMail.objects.exists()


def test_closed_accounts_are_erased_too(alice: User, sink: Sink) -> None:
    closing.close(alice, now=timezone.now())
    call_command("scheduler", "--once")
    assert not User.objects.filter(pk=alice.pk).exists()


def test_with_the_mail_server_away_it_ends_and_nothing_is_lost(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    use_server(settings, tmp_path, 2)  # nobody listens there
    due_now(alice, "ok+anna@x.test")
    call_command("scheduler", "--once")
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 0)
    with Sink() as back:
        use_server(settings, tmp_path, back.port)
        ServerGate.objects.all().delete()
        call_command("scheduler", "--once")
        assert back.ledger.recipients() == ["ok+anna@x.test"]


def test_clients_are_brought_in_without_a_task_queue(alice: User) -> None:
    row = make_import(alice, ["email", "anna@x.test"])
    jobs.start(row, now=timezone.now())
    call_command("scheduler", "--once")
    row.refresh_from_db()
    assert (row.state, Client.objects.get().email) == (ImportState.COMPLETED, "anna@x.test")


def test_what_is_done_to_many_clients_goes_on_without_a_task_queue(alice: User) -> None:
    make_client(alice)
    clientele.begin(alice, ClientAction.DELETE, Selection())
    call_command("scheduler", "--once")
    assert not Client.objects.exists()
    assert not clientele.work_waits()
