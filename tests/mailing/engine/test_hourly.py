"""The counts of attempts: equal to the rows whatever happens, and few."""

from __future__ import annotations

import importlib
from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from accounts.models import User
from mailing.engine import hourly, ledger, retention, suppressions
from mailing.engine.classify import Reply, cause_of
from mailing.enums import Cause, Outcome, Stage
from mailing.models import Attempt, Delivery, HourlyCount, Run, Suppression
from tests.factories import NOW
from tests.mailing.runs import attempt, open_run

pytestmark = pytest.mark.django_db

NOBODY = Reply(550, "5.1.1", "Nobody")
REPLIES = (
    (Stage.DOT, Reply(250, "2.0.0", "Ok")),
    (Stage.DOT, Reply(250, "2.0.0", "Ok")),
    (Stage.RCPT, Reply(451, "4.7.1", "Later")),
    (Stage.RCPT, NOBODY),
    (Stage.RCPT, Reply(552, "5.2.2", "Full")),
    (Stage.DOT, Reply(554, "5.7.1", "Spam")),
    (Stage.DOT, Reply(0, text="gone")),
)

Rows = Counter[tuple[int, int, int, str, int]]


def counted() -> Rows:
    rows = HourlyCount.objects.values_list("owner", "mailing", "hour", "outcome", "cause")
    return Counter({tuple(key): n for *key, n in rows.annotate(sum=Sum("n")) if n})


def rows_themselves() -> Rows:
    found: Rows = Counter()
    for a in Attempt.objects.select_related("delivery__run__mailing"):
        mailing = a.delivery.run.mailing
        assert a.owner_id == mailing.owner_id
        assert (a.cause is None) == (a.outcome == Outcome.ACCEPTED)
        found[mailing.owner_id, mailing.pk, hourly.hour_of(a.at), a.outcome, a.cause or 0] += 1
    return found


@pytest.mark.parametrize("seed", range(6))
def test_counts_equal_the_rows_after_anything(alice: User, bob: User, seed: int) -> None:
    random = Random(seed)
    runs = [open_run(alice, 4), open_run(alice, 3), open_run(bob, 3)]
    letters = list(Delivery.objects.order_by("pk"))
    tries: Counter[int] = Counter()
    past: list[ledger.Finding] = []
    now = NOW
    for _step in range(40):
        now += timedelta(minutes=random.choice((0, 1, 29, 61)))
        findings = []
        for letter in random.sample(letters, random.randrange(1, 8)):
            tries[letter.pk] += 1
            stage, reply = random.choice(REPLIES)
            _verdict, finding = ledger.judge(
                letter.run_id, letter.pk, tries[letter.pk], stage, reply, at=now, random=random
            )
            assert finding is not None
            findings.append(finding)
        past += findings
        unknown = [f for f in past if f.outcome == Outcome.UNKNOWN]
        late = [
            f._replace(outcome=Outcome.ACCEPTED, reply=Reply(250), at=now)
            for f in random.sample(unknown, min(2, len(unknown)))
        ]
        with transaction.atomic():
            ledger.record(findings + random.sample(past, min(5, len(past))) + late)
        if random.random() < 0.3:
            hourly.fold()
        assert counted() == rows_themselves()
    hourly.fold()
    keys = HourlyCount.objects.filter(folded=True).values_list(
        "mailing", "hour", "outcome", "cause"
    )
    assert HourlyCount.objects.count() == len(set(keys)) > len(runs)
    assert counted() == rows_themselves()
    for count in HourlyCount.objects.filter(n__gt=0):
        ids = [
            pk
            for pk, at in Attempt.objects.filter(
                delivery__run__mailing=count.mailing_id,
                outcome=count.outcome,
                cause=count.cause or None,
            ).values_list("pk", "at")
            if hourly.hour_of(at) == count.hour
        ]
        assert count.first_id <= min(ids) <= max(ids) <= count.last_id


def test_figures_stay_when_attempts_are_forgotten(alice: User) -> None:
    run = open_run(alice, 3)
    for letter in run.deliveries.all():
        attempt(letter)
    before = counted()
    while retention.forget(NOW + timedelta(days=1)):
        pass
    assert not Attempt.objects.exists()
    assert counted() == before


def test_what_is_of_a_run_that_is_gone_is_left_out(alice: User, bob: User) -> None:
    gone, kept = open_run(alice), open_run(bob)
    findings = [
        ledger.judge(
            run.pk, run.deliveries.get().pk, 1, Stage.RCPT, NOBODY, at=NOW, random=Random(1)
        )[1]
        for run in (gone, kept)
    ]
    gone.mailing.delete()
    of_both = [f for f in findings if f is not None]
    suppressions.suppress_refused(of_both)
    ledger.record(of_both)
    assert Suppression.objects.get().owner == bob
    assert Attempt.objects.get().owner == bob
    assert set(counted().values()) == {1}
    ledger.record(of_both[:1])
    assert set(counted().values()) == {1}


@pytest.mark.parametrize("known", [0, 120])
def test_counts_lie_between_the_first_and_the_last_row(alice: User, known: int) -> None:
    """Of more rows than one statement writes, all new or some of them known."""
    letters = open_run(alice, 250).deliveries.order_by("pk")
    found = [
        ledger.judge(d.run_id, d.pk, 1, Stage.DOT, Reply(250), at=NOW, random=Random(1))[1]
        for d in letters
    ]
    findings = [finding for finding in found if finding is not None]
    ledger.record(findings[60 : 60 + known])
    before = list(Attempt.objects.values_list("pk", flat=True))
    HourlyCount.objects.all().delete()
    ledger.record(findings)
    added = Attempt.objects.exclude(pk__in=before).values_list("pk", flat=True)
    count = HourlyCount.objects.get()
    assert (count.n, count.first_id, count.last_id) == (250 - known, min(added), max(added))


def test_folding_nothing_is_harmless() -> None:
    hourly.fold()
    assert not HourlyCount.objects.exists()


class TestMigration:
    """What migration 0012 makes of rows there were, compared with what is written today."""

    @pytest.fixture
    def old_rows(self, alice: User, bob: User) -> Run:
        run = open_run(alice, 1)
        letter = run.deliveries.get()
        replies = [
            (stage, Reply(code, enhanced))
            for stage in (Stage.RENDER, Stage.RCPT, Stage.DOT)
            for code, enhanced in (
                (0, ""), (451, ""), (452, ""), (450, "4.2.2"), (451, "4.7.1"), (452, "4.3.1"),
                (550, ""), (552, ""), (552, "5.2.2"), (550, "5.1.1"), (550, "5.1.10"),
                (550, "5.1.8"), (550, "5.2.1"), (552, "5.2.3"), (552, "5.3.4"), (554, "5.6.0"),
                (554, "5.7.1"), (554, "5.7.26"), (500, "5.5.1"),
            )
        ]  # fmt: skip
        outcomes = [o for o in Outcome for _ in replies]
        for number, (outcome, (stage, reply)) in enumerate(
            zip(outcomes, replies * len(Outcome), strict=True), start=1
        ):
            fields = {"code": reply.code or None, "enhanced": reply.enhanced}
            attempt(letter, outcome, stage=stage, at=NOW + timedelta(minutes=7 * number), **fields)
        attempt(open_run(bob).deliveries.get())
        return run

    def test_it_counts_as_the_ledger_does(self, old_rows: Run, alice: User) -> None:
        expected, rows = counted(), rows_themselves()
        assert expected == rows
        causes = list(Attempt.objects.order_by("pk").values_list("cause", flat=True))
        assert {Cause(c) for c in causes if c} == set(Cause)
        migration = importlib.import_module("mailing.migrations.0012_statistics")
        Attempt.objects.update(cause=None, owner=alice)
        HourlyCount.objects.all().delete()
        with connection.cursor() as cursor:
            for statement in migration.statements(connection.vendor):
                cursor.execute(statement)
        assert list(Attempt.objects.order_by("pk").values_list("cause", flat=True)) == causes
        assert counted() == expected


def test_each_cause_has_an_answer_that_it_is_for() -> None:
    accepted = cause_of(Outcome.ACCEPTED, Stage.DOT, Reply(250))
    assert accepted is None
    assert cause_of(Outcome.PERMANENT, Stage.RCPT, Reply(550, "5.1.1")) == Cause.NO_MAILBOX
    assert cause_of(Outcome.TRANSIENT, Stage.RCPT, Reply(451, "4.7.1")) == Cause.BUSY
    assert cause_of(Outcome.PERMANENT, Stage.RCPT, Reply(550, "5.7.1")) == Cause.POLICY
    assert cause_of(Outcome.UNKNOWN, Stage.DOT, Reply(0)) == Cause.NO_ANSWER
