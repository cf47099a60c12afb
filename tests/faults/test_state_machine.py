"""Whatever people, clocks, faults and senders do in whatever order: the oracle holds."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.db import DatabaseError, connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts.blocking import set_active
from accounts.models import User
from mailing import lifecycle
from mailing.engine import faults, suppressions
from mailing.engine.faults import InjectedFault, Point
from mailing.enums import DeliveryState, MailingStatus, RunStatus, SuppressionReason, Unit
from mailing.models import (
    Batch,
    Client,
    Mailing,
    Message,
    OwnerGate,
    Run,
    ServerGate,
    Suppression,
)
from tests.factories import NOW, make_clients, make_mailing
from tests.faults.matrix import SELECTION
from tests.mailing.engine import oracle
from tests.mailing.engine.conftest import Stage

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = {"all": 150, "broad": 25, "short": 4}[SELECTION]
WEEKS = 4 * 7 * 24
ADDRESSES = ["ok+a", "ok+b", "550+c", "4xx+d", "dropdot+e", "ok+f", "dot451+g"]
numbers = st.integers(0, 20)


class Service(RuleBasedStateMachine):
    stage: Stage
    alice: User
    admin: User

    def __init__(self) -> None:
        super().__init__()
        for model in (Run, Mailing, Message, Client, Suppression, OwnerGate, ServerGate):
            model.objects.all().delete()
        User.objects.filter(pk=self.alice.pk).update(is_active=True)
        self.stage.now = NOW
        self.stage.sink.mood.banner = "220 sink"
        self.breaks = 0
        make_clients(self.alice, [f"{name}@x.test" for name in ADDRESSES])

    # --- People -------------------------------------------------------------------------------

    @rule(daily=st.booleans())
    def make(self, daily: bool) -> None:
        if Mailing.objects.count() < 3:
            make_mailing(
                self.alice,
                list(Client.objects.all()),
                unit=Unit.DAY if daily else Unit.ONCE,
                starts_at=self.stage.now.replace(second=0),
                status=MailingStatus.SCHEDULED,
                next_due_at=self.stage.now.replace(second=0),
            )

    @rule(number=numbers, act=st.sampled_from(["pause", "resume", "deactivate", "lift"]))
    def decide(self, number: int, act: str) -> None:
        mailing = self.some_mailing(number)
        with suppress(lifecycle.NotNow):
            if mailing is None:
                return
            if act == "pause":
                lifecycle.pause(mailing, by=self.alice)
            elif act == "resume" and User.objects.get(pk=self.alice.pk).is_active:
                lifecycle.resume(mailing, by=self.alice, now=self.stage.now)
            elif act == "deactivate":
                lifecycle.deactivate(mailing, by=self.admin, reason="Spam", now=self.stage.now)
            elif act == "lift":
                lifecycle.lift(mailing, by=self.admin, now=self.stage.now)

    @rule(number=numbers)
    def delete(self, number: int) -> None:
        if (mailing := self.some_mailing(number)) is not None:
            lifecycle.delete(mailing, by=self.alice, now=self.stage.now)

    @rule(number=numbers)
    def cancel(self, number: int) -> None:
        if (run := self.some_run(number)) is not None:
            with suppress(lifecycle.NotNow):
                lifecycle.cancel_run(run, by=self.alice, now=self.stage.now)

    @rule(number=numbers)
    def send_unknown_again(self, number: int) -> None:
        if (run := self.some_run(number)) is not None:
            with suppress(lifecycle.NotNow):
                lifecycle.send_again(
                    run, [DeliveryState.UNKNOWN], by=self.alice, now=self.stage.now
                )
                self.breaks += len(ADDRESSES)  # dropdot is unknown each time

    @rule()
    def edit(self) -> None:
        Message.objects.update(subject=f"Edited at {self.stage.now}")

    @rule(number=numbers)
    def unsubscribe(self, number: int) -> None:
        suppressions.suppress(
            owner_id=self.alice.pk,
            email_normalized=f"{ADDRESSES[number % len(ADDRESSES)]}@x.test",
            reason=SuppressionReason.UNSUBSCRIBED,
            now=self.stage.now,
        )

    @rule(number=numbers)
    def erase(self, number: int) -> None:
        clients = list(Client.objects.order_by("pk"))
        if len(clients) > 3:
            lifecycle.delete_client(clients[number % len(clients)])

    @rule(active=st.booleans())
    def block(self, active: bool) -> None:
        set_active(User.objects.get(pk=self.alice.pk), active=active, by=self.admin)

    # --- The world ----------------------------------------------------------------------------

    @rule(up=st.booleans())
    def mail_server(self, up: bool) -> None:
        self.stage.sink.mood.banner = "220 sink" if up else "421 not now"

    @rule(minutes=st.sampled_from([1, 6, 30, 24 * 60]))
    def later(self, minutes: int) -> None:
        self.stage.later(minutes=minutes)

    # --- The service --------------------------------------------------------------------------

    @rule()
    def tick(self) -> None:
        self.stage.plan()
        self.stage.sweep()

    @rule()
    def send(self) -> None:
        self.stage.send()

    @rule(
        point=st.sampled_from(list(Point)),
        number=st.integers(1, 6),
        action=st.sampled_from(["raise", "dbclose"]),
    )
    def break_down(self, point: Point, number: int, action: str) -> None:
        self.breaks += 1
        faults.arm(f"{point}:{number}:{action}")
        try:
            with suppress(InjectedFault, DatabaseError):
                self.stage.plan()
                self.stage.send()
                self.stage.sweep()
        finally:
            faults.watch(None)
            connection.close()  # the next task opens a new one

    # --- What must hold -----------------------------------------------------------------------

    @invariant()
    def the_oracle_holds(self) -> None:
        self.check(settled=False)

    def teardown(self) -> None:
        """After the storm everything that may go on comes to its end."""
        self.stage.sink.mood.banner = "220 sink"
        User.objects.filter(pk=self.alice.pk).update(is_active=True)
        Mailing.objects.filter(period__unit=Unit.DAY).update(next_due_at=None)
        for _hour in range(WEEKS):
            self.stage.plan()
            self.stage.sweep()
            self.stage.send()
            self.stage.later(hours=1)
            if not Batch.objects.filter(
                done=False, run__status__in=(RunStatus.SENDING, RunStatus.CANCELLED)
            ).exists():
                break
        self.stage.sweep()
        self.check(settled=True)

    def check(self, *, settled: bool) -> None:
        arrived = [letter["delivery"] for letter in self.stage.sink.ledger.letters]
        for run in Run.objects.exclude(status__in=(RunStatus.MISSED, RunStatus.SKIPPED)):
            oracle.check(
                run,
                arrived,
                unknown_at_most=1 + self.stage.connections * self.breaks,
                settled=settled,
                drained=settled and run.status != RunStatus.PAUSED,
            )

    def some_mailing(self, number: int) -> Mailing | None:
        found = list(Mailing.objects.kept().order_by("pk"))
        return found[number % len(found)] if found else None

    def some_run(self, number: int) -> Run | None:
        found = list(Run.objects.order_by("pk"))
        return found[number % len(found)] if found else None


def test_the_oracle_holds_whatever_happens(alice: User, admin: User, stage: Stage) -> None:
    run_state_machine_as_test(
        type("Bound", (Service,), {"stage": stage, "alice": alice, "admin": admin}),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            derandomize=SELECTION != "all",
            suppress_health_check=list(HealthCheck),
        ),
    )
