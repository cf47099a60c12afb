"""kill -9 of the sending process, again and again: nothing lost, nothing doubled (I5, I6)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from accounts.models import User
from mailing.enums import DeliveryState, MailingStatus
from mailing.models import Delivery
from tests.factories import NOW, make_clients, make_mailing
from tests.faults.processes import Child
from tests.mailing.engine import oracle
from tests.mailing.engine.conftest import Stage

pytestmark = pytest.mark.django_db(transaction=True)

LETTERS = 900
KILLS = 4


def test_a_killed_sender_loses_and_doubles_nothing(
    alice: User, stage: Stage, tmp_path: Path
) -> None:
    stage.sink.mood.dot_delay = 0.003
    stage.connections = 3
    make_mailing(
        alice,
        make_clients(alice, [f"ok+{i}@x.test" for i in range(LETTERS)]),
        status=MailingStatus.SCHEDULED,
        next_due_at=NOW,
    )
    (run,) = stage.plan()
    for kill in range(1, KILLS + 1):
        child = Child(stage.send)
        _wait_for(stage, LETTERS * kill // (KILLS + 2))
        child.kill()
        stage.later(minutes=1)
    while stage.send():
        pass
    oracle.check(run, stage.arrived, unknown_at_most=KILLS * stage.connections)
    left = Delivery.objects.filter(run=run).exclude(
        state__in=(DeliveryState.SENT, DeliveryState.UNKNOWN)
    )
    assert not left.exists()


def _wait_for(stage: Stage, letters: int) -> None:
    deadline = time.monotonic() + 30
    while len(stage.arrived) < letters:
        assert time.monotonic() < deadline, "the child does not send"
        time.sleep(0.002)
