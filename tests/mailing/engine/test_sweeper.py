"""What happens to the work of a sender that died, was stopped, or lived on another machine."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from accounts.models import User
from mailing.engine import journal as journals
from mailing.engine import leases, ledger
from mailing.engine.classify import Reply
from mailing.engine.database import durable
from mailing.engine.journal import Journal
from mailing.engine.leases import Holder, Lease
from mailing.enums import Cause, DeliveryState, MailingStatus, RunStatus
from mailing.enums import Stage as SmtpStage
from mailing.models import Attempt, Batch, Delivery, Run
from tests.factories import NOW, make_clients, make_mailing
from tests.mailing.engine import oracle
from tests.mailing.engine.conftest import Stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(alice: User, stage: Stage) -> Run:
    make_mailing(
        alice,
        make_clients(alice, [f"ok+{i}@x.test" for i in range(10)]),
        status=MailingStatus.SCHEDULED,
        next_due_at=NOW,
    )
    (run,) = stage.plan()
    return run


def lease_and_arm(
    stage: Stage, held: Journal, armed: int, host: str = ""
) -> tuple[Lease, list[int]]:
    """Do what a sender does up to the first byte; return the ids of the run's deliveries."""
    holder = Holder(host or stage.host, journals.boot_id(), str(held.path), held.journal_id)
    with durable():
        lease = leases.take(holder, stage.now)
        assert lease is not None
        _revision, rows = leases.rows(lease, 0)
        if armed:
            gate = leases.arm(lease, rows[armed - 1].id, stage.now)
            assert gate is not None
            assert gate.open
    return lease, [row.id for row in rows]


@contextmanager
def armed(stage: Stage, letters: int) -> Iterator[Journal]:
    """Hold the journal of a sender, which lives as long as the block, with so many armed."""
    with journals.hold(stage.folder, 1) as held:
        assert held is not None
        held.start()
        lease_and_arm(stage, held, letters)
        yield held


def die_with_armed(stage: Stage, letters: int) -> None:
    with armed(stage, letters):
        pass


def states(run: Run) -> list[str]:
    return list(Delivery.objects.filter(run=run).order_by("pk").values_list("state", flat=True))


def test_the_journal_tells_the_four_fates_of_armed_letters(run: Run, stage: Stage) -> None:
    with journals.hold(stage.folder, 1) as held:
        assert held is not None
        held.start()
        _lease, ids = lease_and_arm(stage, held, armed=4)
        held.dot(ids[0], 1)
        held.answer(ids[0], 1, SmtpStage.DOT, Reply(250, "2.0.0", "Ok"))
        held.answer(ids[1], 1, SmtpStage.RCPT, Reply(550, "5.1.1", "No"))
        held.dot(ids[2], 1)
        held.write()
    # Dead: the journal's lock is free. The sink has seen none of it, so only states are compared.
    stage.later(minutes=1)
    stage.sweep()
    assert states(run) == ["sent", "failed", "unknown", *["pending"] * 7]
    assert list(Attempt.objects.order_by("pk").values_list("outcome", "code")) == [
        ("accepted", 250),
        ("permanent", 550),
        ("unknown", None),
    ]
    assert not Batch.objects.filter(lease_token__isnull=False).exists()
    stage.send()
    assert states(run)[3:] == ["sent"] * 7


def test_the_next_holder_of_the_journal_need_not_wait_for_the_lease(run: Run, stage: Stage) -> None:
    with journals.hold(stage.folder, 1) as held:
        assert held is not None
        held.start()
        _lease, ids = lease_and_arm(stage, held, armed=2)
        held.dot(ids[0], 1)
        held.write()
    stage.send()
    assert states(run) == ["unknown", *["sent"] * 9]
    oracle.check(run, stage.arrived, unknown_at_most=1)


def test_a_live_sender_is_left_alone_but_for_what_it_has_not_armed(run: Run, stage: Stage) -> None:
    """As after SIGSTOP: the lease ran out, but somebody still holds the journal."""
    with journals.hold(stage.folder, 1) as held:
        assert held is not None
        held.start()
        lease, ids = lease_and_arm(stage, held, armed=3)
        stage.later(minutes=1)
        stage.sweep()
        assert states(run) == ["pending"] * 10
        free = Batch.objects.get(lease_token=None)
        assert (free.first_id, free.last_id) == (ids[3], ids[9])
        # The woken sender finds its token gone: it arms and releases nothing more …
        with durable():
            assert leases.arm(lease, ids[9], stage.now) is None
            leases.release(lease, stage.now)
            assert not leases.renew(lease, stage.now)
        # … but the answers to what it had armed still count.
        _verdict, finding = ledger.judge(
            run.pk, ids[0], 1, SmtpStage.DOT, Reply(250), at=stage.now, random=stage.random
        )
        assert finding is not None
        with durable():
            ledger.record([finding])
        assert states(run)[0] == "sent"
        stage.later(minutes=20)
        stage.sweep()
        assert states(run) == ["sent", "unknown", "unknown", *["pending"] * 7]


def test_a_clock_that_jumps_leaves_a_live_sender_its_time(run: Run, stage: Stage) -> None:
    with armed(stage, 3):
        stage.later(hours=1)
        stage.sweep()
        stage.later(minutes=14)
        stage.sweep()
        assert states(run) == ["pending"] * 10
        stage.later(minutes=1)
        stage.sweep()
        assert states(run) == ["unknown"] * 3 + ["pending"] * 7


def test_a_clock_that_is_put_back_holds_nothing_up(run: Run, stage: Stage) -> None:
    """A sender is missed by a clock that is an hour ahead, which is mended then."""
    with armed(stage, 3):
        stage.later(hours=1)
        stage.sweep()
        stage.later(hours=-1)
        stage.sweep()
        stage.later(minutes=14)
        stage.sweep()
        assert states(run) == ["pending"] * 10, "it has the whole time from now on"
        stage.later(minutes=1)
        stage.sweep()
        assert states(run) == ["unknown"] * 3 + ["pending"] * 7


def test_a_lease_of_a_clock_that_is_put_back_is_not_waited_for(run: Run, stage: Stage) -> None:
    stage.later(hours=1)
    die_with_armed(stage, 3)
    stage.later(minutes=-59)
    stage.sweep()
    assert not Batch.objects.filter(lease_token__isnull=False).exists()


def test_a_lease_of_this_minute_is_left_alone(run: Run, stage: Stage) -> None:
    """Hosts may differ by some milliseconds in what they take for now."""
    stage.later(seconds=30)
    die_with_armed(stage, 3)
    stage.later(seconds=-30)
    stage.sweep()
    assert Batch.objects.get().lease_token is not None


def test_another_machine_is_given_time_then_its_letters_are_unknown(run: Run, stage: Stage) -> None:
    with journals.hold(stage.folder / "elsewhere", 1) as held:
        assert held is not None
        held.start()
        lease_and_arm(stage, held, armed=2, host="elsewhere")
    stage.later(minutes=1)
    stage.sweep()
    assert states(run) == ["pending"] * 10
    stage.send()
    assert len(stage.arrived) == 8, "the part that was not armed goes on at once"
    stage.later(minutes=15)
    stage.sweep()
    assert states(run)[:2] == ["unknown"] * 2
    assert Run.objects.get(pk=run.pk).status == RunStatus.COMPLETED
    oracle.check(run, stage.arrived, unknown_at_most=2)


def test_late_evidence_turns_unknown_into_sent_and_nothing_else(run: Run, stage: Stage) -> None:
    ids = list(Delivery.objects.filter(run=run).order_by("pk").values_list("pk", flat=True))

    def record(number: int, reply: Reply) -> None:
        _verdict, finding = ledger.judge(
            run.pk, ids[number], 1, SmtpStage.DOT, reply, at=stage.now, random=stage.random
        )
        assert finding is not None
        with durable():
            ledger.record([finding])

    record(0, Reply(0))
    record(1, Reply(0))
    record(2, Reply(250))
    assert states(run)[:3] == ["unknown", "unknown", "sent"]
    record(0, Reply(250))
    record(1, Reply(554, "5.6.0"))
    record(2, Reply(554, "5.6.0"))
    assert states(run)[:3] == ["sent", "unknown", "sent"]
    log = Attempt.objects.order_by("delivery_id").values_list("outcome", flat=True)
    assert list(log) == ["accepted", "unknown", "accepted"]


def test_after_another_boot_the_journal_proves_nothing(run: Run, stage: Stage) -> None:
    with journals.hold(stage.folder, 1) as held:
        assert held is not None
        held.start()
        _lease, ids = lease_and_arm(stage, held, armed=3)
        held.dot(ids[0], 1)
        held.answer(ids[0], 1, SmtpStage.DOT, Reply(250))
        held.write()
    Batch.objects.update(boot_id="the boot before")
    stage.later(minutes=1)
    stage.sweep()
    assert states(run)[:3] == ["sent", "pending", "pending"], "its lines still count"
    stage.later(minutes=20)
    stage.sweep()
    assert states(run)[:3] == ["sent", "unknown", "unknown"]


def test_a_lost_journal_proves_nothing(run: Run, stage: Stage) -> None:
    with armed(stage, 2) as held:
        held.path.unlink()
    stage.later(minutes=1)
    stage.sweep()
    stage.later(minutes=15)
    stage.sweep()
    assert states(run)[:2] == ["unknown", "unknown"]


def test_a_batch_that_was_not_armed_is_simply_given_back(run: Run, stage: Stage) -> None:
    die_with_armed(stage, 0)
    stage.later(minutes=1)
    stage.sweep()
    assert Batch.objects.get().lease_token is None
    stage.send()
    assert states(run) == ["sent"] * 10


def test_deferred_letters_of_another_pass_are_not_taken_for_armed(run: Run, stage: Stage) -> None:
    first = Delivery.objects.filter(run=run).order_by("pk").first()
    assert first is not None
    Delivery.objects.filter(pk=first.pk).update(
        state=DeliveryState.DEFERRED, attempts=1, next_attempt_at=NOW + timedelta(hours=1)
    )
    Attempt.objects.create(
        owner_id=run.mailing.owner_id,
        delivery=first,
        number=1,
        at=NOW,
        outcome="transient",
        stage="rcpt",
        code=451,
        cause=Cause.BUSY,
    )
    with journals.hold(stage.folder, 1) as held:
        assert held is not None
        held.start()
        _lease, ids = lease_and_arm(stage, held, armed=2)
        assert first.pk not in ids
        held.path.unlink()
    stage.later(minutes=1)
    stage.sweep()
    stage.later(minutes=15)
    stage.sweep()
    assert states(run)[:4] == ["deferred", "unknown", "unknown", "pending"]
    assert Batch.objects.filter(due_at=NOW + timedelta(hours=1)).exists()


def test_a_lease_is_exclusive(run: Run, stage: Stage) -> None:
    with armed(stage, 0):
        holder = Holder("x", "", "", uuid.uuid4())
        with durable():
            assert leases.take(holder, stage.now) is None


def test_a_cancelled_delivery_is_never_armed_and_an_armed_one_never_cancelled(
    run: Run, stage: Stage
) -> None:
    with journals.hold(stage.folder, 1) as held:
        assert held is not None
        held.start()
        lease, ids = lease_and_arm(stage, held, armed=3)
        Run.objects.filter(pk=run.pk).update(status=RunStatus.CANCELLED)
        with durable():
            ledger.cancel_unarmed(run.pk)
        assert states(run) == [*["pending"] * 3, *["cancelled"] * 7]
        with durable():
            gate = leases.arm(lease, ids[9], stage.now)
        assert gate is not None
        assert not gate.open
