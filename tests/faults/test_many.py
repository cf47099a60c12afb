"""Many at once: planners, senders, clients, owners."""

from __future__ import annotations

import logging
import os
import resource
import time
import timeit
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client as WebClient
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AccountMail, User
from mailing import dispatch, tasks
from mailing.addresses import parse_address
from mailing.engine import audience, journal, leases, retention
from mailing.engine.database import durable, instant
from mailing.engine.leases import Holder
from mailing.engine.transport.server import Timeouts
from mailing.enums import MailingStatus, RunStatus, Unit
from mailing.models import Attempt, Client, Delivery, Mailing, Run
from tests.factories import NOW, make_client, make_clients, make_list, make_mailing, make_message
from tests.faults.installation import wait_for
from tests.faults.matrix import SELECTION
from tests.faults.processes import Child
from tests.mailing.engine import oracle
from tests.mailing.engine.conftest import Stage

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 1_000_000 if SELECTION == "all" else 50_000
DUE = 200 if SELECTION == "short" else 1_000
WITHIN_SECONDS = 60
SENDERS = 8


def end(children: list[Child]) -> None:
    assert [child.wait(120) for child in children] == [0] * len(children)


def make_due(owner: User, mailings: int, due_at: datetime) -> None:
    clients, message = [make_client(owner)], make_message(owner)
    for _number in range(mailings):
        make_mailing(
            owner,
            clients,
            message=message,
            status=MailingStatus.SCHEDULED,
            starts_at=due_at,
            next_due_at=due_at,
        )


def look_eight_at_once(settings: Settings, folder: Path) -> None:
    """Let four ticks of a cluster and four rounds of the console command look for what is due."""
    settings.JOURNAL_DIR = folder
    end([Child(tasks.tick if number % 2 else dispatch.plan) for number in range(8)])


def this_minute() -> datetime:
    return timezone.now().replace(second=0, microsecond=0)


def test_of_eight_planners_each_occurrence_is_opened_by_one(
    alice: User, settings: Settings, tmp_path: Path
) -> None:  # row 29
    make_due(alice, DUE, this_minute())
    started = time.monotonic()
    look_eight_at_once(settings, tmp_path)
    took = time.monotonic() - started
    print(f"{DUE} due, 8 planners: {took:.1f} s")  # noqa: T201 - with -s, for the books
    assert Counter(Run.objects.values_list("mailing", flat=True)).most_common(1)[0][1] == 1
    assert Run.objects.count() == Delivery.objects.count() == DUE
    assert took <= WITHIN_SECONDS


def test_after_an_outage_one_of_eight_tells_the_owner(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    make_due(alice, 40, this_minute() - timedelta(days=3))
    look_eight_at_once(settings, tmp_path)
    assert Run.objects.filter(status=RunStatus.MISSED).count() == 40
    mail = AccountMail.objects.get()
    assert len(mail.context["mailings"]) == 40


def test_eight_senders_on_one_run_send_each_letter_once(
    alice: User, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # row 30
    monkeypatch.setattr(audience, "BATCH_SIZE", 20)
    stage.timeouts = Timeouts()  # the machine is busy: a late answer is no fault here
    addresses = [f"{'550' if n % 10 == 0 else 'ok'}+{n}@x.test" for n in range(3000)]
    make_mailing(
        alice, make_clients(alice, addresses), status=MailingStatus.SCHEDULED, next_due_at=NOW
    )
    (run,) = stage.plan()
    errors = tmp_path / "errors"

    def send() -> None:
        logging.getLogger("mailing.engine").addHandler(logging.FileHandler(errors))
        with journal.hold(stage.folder, SENDERS) as held:
            assert held is not None
            while stage.sender(held).run():
                pass

    end([Child(send) for _sender in range(SENDERS)])
    assert errors.read_text() == "", "they get into each other's way"
    oracle.check(run, stage.arrived, drained=True)
    assert len(stage.arrived) == 2700


def fill(owner: User, clients: int) -> Mailing:
    """Make a mailing that is due to so many clients, by one statement."""
    first = make_client(owner, "ok+0@x.test")
    columns = [f.column for f in Client._meta.concrete_fields if not f.primary_key]
    emails = {"email", "email_normalized"}
    values = ["'ok+' || n || '@x.test'" if c in emails else f"c.{c}" for c in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE numbers(n) AS (
                SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s
            )
            INSERT INTO mailing_client ({", ".join(columns)})
            SELECT {", ".join(values)} FROM numbers, mailing_client c WHERE c.id = %s
            """,  # noqa: S608 - names of columns
            [clients - 1, first.pk],
        )
        everybody = make_list(owner)
        cursor.execute(
            "INSERT INTO mailing_clientlist_clients (clientlist_id, client_id)"
            " SELECT %s, id FROM mailing_client WHERE owner_id = %s",
            [everybody.pk, owner.pk],
        )
    mailing = make_mailing(owner, [], status=MailingStatus.SCHEDULED, next_due_at=NOW)
    mailing.lists.add(everybody)
    return mailing


def test_a_very_large_run_opens_and_begins_quickly_and_in_little_memory(
    alice: User, stage: Stage, tmp_path: Path
) -> None:  # row 42
    fill(alice, MANY)
    notes = tmp_path / "notes"

    def work() -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.monotonic()
        stage.plan()
        opened = time.monotonic()
        stage.send(seconds=3)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        notes.write_text(f"{opened - started} {grown / 1024}")

    assert Child(work).wait(300) == 0
    opening, grown = map(float, notes.read_text().split())
    assert Delivery.objects.count() == MANY
    assert len(stage.arrived) >= 100
    assert opening <= (120 if connection.vendor == "sqlite" else 60)
    assert grown <= 100, f"{grown} MB more than an idle process"
    shown = f"{MANY} clients: opened in {opening:.1f} s, {grown:.0f} MB"
    print(shown)  # noqa: T201 - with -s, the figure for the books


def test_pages_stay_quick_while_a_very_large_run_is_being_sent(
    alice: User, stage: Stage, browse: Callable[[User | None], WebClient], tmp_path: Path
) -> None:  # row 42
    mailing = fill(alice, MANY)
    stage.plan()
    opened = time.monotonic()
    sender = Child(lambda: stage.send(seconds=600))
    try:
        wait_for(lambda: len(stage.arrived) > 0, within=10, what="the first letter after opening")
        first = time.monotonic() - opened
        browser, times = browse(alice), defaultdict(list)
        for _visit in range(20):
            for page in (
                "/admin/",
                "/admin/mailing/mailing/",
                f"/admin/mailing/mailing/inspect/{mailing.pk}/",
                f"/admin/mailing/mailing/progress/{mailing.pk}/",
            ):
                started = time.monotonic()
                assert browser.get(page).status_code == 200
                times[page].append(time.monotonic() - started)
        assert not sender.ended(), "it has been sending all the while"
    finally:
        sender.end()
    slow = {page: sorted(taken)[-2] for page, taken in times.items()}  # 95 of 100 are quicker
    shown = ", ".join(f"{page} {seconds:.2f}" for page, seconds in slow.items())
    print(f"first letter after {first:.1f} s; {shown}")  # noqa: T201 - for the books
    assert max(slow.values()) <= 0.5 * slowness(), shown


def slowness() -> float:
    """Return how many times longer this machine takes than those that the bar is meant for.

    They take 11 to 15 ms; one where this test failed took 33, beside other tests.
    """
    seconds = min(timeit.repeat("sum(range(1_000_000))", number=1, repeat=5))
    return max(1.0, seconds / 0.015)


def test_a_lease_takes_no_longer_in_a_large_run(alice: User, bob: User, stage: Stage) -> None:
    times = []
    for owner, clients in ((alice, 1_000), (bob, MANY)):
        mailing = fill(owner, clients)
        stage.plan()
        stage.later(minutes=1)
        with journal.hold(stage.folder, 1) as held:
            assert held is not None
            holder = Holder(stage.host, "", str(held.path), held.journal_id)
            started = time.monotonic()
            with durable():
                assert leases.take(holder, stage.now) is not None
            times.append(time.monotonic() - started)
        Run.objects.filter(mailing=mailing).update(status=RunStatus.PAUSED)
        Mailing.objects.filter(pk=mailing.pk).update(status=MailingStatus.PAUSED)
    small, large = times
    assert large <= small + 0.05


def test_a_large_log_is_forgotten_in_small_steps(alice: User, stage: Stage) -> None:  # row 48
    fill(alice, MANY)
    stage.plan()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO mailing_attempt
                   (owner_id, delivery_id, number, at, outcome, stage, code, enhanced, reply)
            SELECT %s, id, 1, CASE WHEN id <= (SELECT max(id) FROM mailing_delivery) - %s THEN %s
                               ELSE %s END, 'accepted', 'dot', 250, '', ''
              FROM mailing_delivery ORDER BY id
            """,
            [alice.pk, MANY // 2, instant(NOW - timedelta(days=400)), instant(NOW)],
        )
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("CHECKPOINT")
    os.sync()  # what this test has written is not for the steps to wait for
    plan = Attempt.objects.order_by("pk").values("pk", "delivery", "at")[: retention.STEP].explain()
    assert "Sort" not in plan, "in the order of the key"
    assert "B-TREE" not in plan
    steps, went_on = [], True
    while went_on:
        started = time.monotonic()
        went_on = retention.forget(NOW - timedelta(days=365))
        steps.append(time.monotonic() - started)
    print(f"{len(steps)} steps, the longest {max(steps):.3f} s")  # noqa: T201 - for the books
    assert len(steps) > MANY // 2 // retention.STEP, "a thousand at a time"
    slow = sorted(steps)[-1 - len(steps) // 100]  # one of a hundred may wait for a disk
    assert slow <= 0.2
    assert not Attempt.objects.filter(at__lt=NOW).exists()
    assert Attempt.objects.count() == MANY // 2


@pytest.mark.parametrize("jump", [{"hours": 1}, {"hours": -1}, {"days": 1}, {"seconds": -3}])
def test_a_clock_that_jumps_makes_no_second_run_and_no_storm(
    alice: User, stage: Stage, jump: dict[str, float]
) -> None:  # row 24
    mailing = make_mailing(
        alice,
        make_clients(alice, ["4xx+a@x.test", *(f"ok+{n}@x.test" for n in range(20))]),
        unit=Unit.WEEK,
        status=MailingStatus.SCHEDULED,
        next_due_at=NOW,
    )
    stage.sink.mood.dot_delay = 0.01
    (run,) = stage.plan()

    def jump_once() -> bool:
        if stage.now == NOW and len(stage.arrived) >= 5:
            stage.later(**jump)
        return False

    stage.send(interrupted=jump_once)
    assert stage.now != NOW
    for _tick in range(3):
        stage.plan()
        stage.sweep()
        stage.send()
    assert Run.objects.get() == run
    assert Attempt.objects.filter(delivery__email="4xx+a@x.test").count() <= 2
    stage.now = NOW + timedelta(hours=30)
    stage.send()
    oracle.check(run, stage.arrived, drained=True)
    mailing.refresh_from_db()
    assert mailing.next_due_at == NOW + timedelta(weeks=1)


def test_one_address_in_two_lists_and_three_spellings_gets_one_letter(
    alice: User, stage: Stage
) -> None:  # row 41
    spellings = ["Jose\u0301@X.test", "JOS\u00c9@x.test", "jos\u00e9@x.TEST"]
    assert len({parse_address(spelling).normalized for spelling in spellings}) == 1
    client = make_client(alice, spellings[0])
    for spelling in spellings[1:]:
        with pytest.raises(IntegrityError), transaction.atomic():
            make_client(alice, spelling)
    mailing = make_mailing(alice, [client], status=MailingStatus.SCHEDULED, next_due_at=NOW)
    mailing.lists.add(make_list(alice, [client]), make_list(alice, [client]))
    stage.plan()
    stage.send()
    assert len(stage.arrived) == 1
