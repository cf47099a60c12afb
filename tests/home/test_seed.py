"""The sample data: complete, true to the engine's rules, and made once."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.html import strip_tags
from pytest_django.plugin import DjangoDbBlocker
from wagtail.images.models import Image
from wagtail.models import ModelLogEntry, WorkflowState

from accounts.models import User
from blog.models import BlogPage
from home.seed import plans, rows
from home.seed.mailings import ensure_mailings
from mailing import schedule
from mailing.engine.classify import Reply, classify
from mailing.enums import (
    OPEN_DELIVERIES,
    OPEN_RUNS,
    DeliveryState,
    MailingStatus,
    Outcome,
    RunStatus,
    Stage,
    SuppressionReason,
    Unit,
)
from mailing.models import (
    Attempt,
    Batch,
    Client,
    ClientList,
    Delivery,
    Mailing,
    Message,
    Run,
    Suppression,
)

pytestmark = pytest.mark.django_db

RESERVED = re.compile(r"\.(example|test)$|^example\.(com|org|net)$")


def seed(*options: str) -> str:
    """Run the command and return what it wrote."""
    out = io.StringIO()
    call_command("seed", *options, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture(scope="module", autouse=True)
def seeded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[datetime]:
    """Seed once, for good, since it takes seconds; what a test does to it is taken back."""
    with django_db_blocker.unblock():
        before = timezone.now().replace(second=0, microsecond=0)
        call_command("create_users", "--force", stdout=io.StringIO())
        seed()
    yield before
    with django_db_blocker.unblock():
        call_command("flush", "-v0", "--noinput")


def fingerprint() -> dict[str, tuple[int, str]]:
    """Return for each table the number of rows and a hash of everything in them."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own table
            rows_ = sorted(map(repr, cursor.fetchall()))
            found[table] = len(rows_), hashlib.sha256("".join(rows_).encode()).hexdigest()
    return found


# --- The command ----------------------------------------------------------------------------------


def test_it_says_which_command_makes_the_missing_accounts():
    User.objects.filter(email="blogger@demo.test").update(email="left@demo.test")
    with pytest.raises(CommandError, match=r"blogger@demo\.test: run .manage\.py create_users"):
        seed()


def test_a_second_run_changes_nothing():
    before = fingerprint()
    assert seed("-v0") == ""
    assert fingerprint() == before


def test_mailings_are_made_whole_or_not_at_all(monkeypatch):
    bookseller = User.objects.get(email="other@demo.test")
    fair = [plan for plan in plans.BOOKSHOP if plan.name == "Ярмарка старой книги"]
    make = partial(
        ensure_mailings, bookseller, fair, language="ru", manager=bookseller, now=timezone.now()
    )
    mine = Mailing.objects.owned_by(bookseller)
    mine.update(name="Not one of these")
    before = mine.count()

    def die(*args: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(rows, "save", die)
        with pytest.raises(OSError, match="disk"):
            make()
    assert mine.count() == before
    make()
    assert Run.objects.get(mailing__name=fair[0].name).audience_size > 300


def test_what_a_person_has_of_their_own_stays():
    gardener = User.objects.get(email="user@demo.test")
    ClientList.objects.owned_by(gardener).delete()
    Client.objects.owned_by(gardener).exclude(email__startswith="a").delete()
    kept = Client.objects.owned_by(gardener)[0]
    Client.objects.filter(pk=kept.pk).update(first_name="Mine", last_name="Own")
    seed()
    again = Client.objects.get(pk=kept.pk)
    assert (again.first_name, again.last_name) == ("Mine", "Own")
    assert Client.objects.owned_by(gardener).count() == 830


def test_send_opens_a_run_of_the_weekly_mailing_unless_it_is_due():
    weekly = Mailing.objects.get(name="Weekly garden notes")
    before = weekly.runs.count()
    seed("--send")
    assert weekly.runs.count() == before

    Mailing.objects.filter(pk=weekly.pk).update(next_due_at=timezone.now() + timedelta(days=7))
    seed("--send")
    assert weekly.runs.count() == before + 1
    assert weekly.runs.order_by("due_at").reverse()[0].status == RunStatus.SENDING

    assert "Weekly garden notes: " in seed("--send")  # and why not
    assert weekly.runs.count() == before + 1


# --- Clients and messages -------------------------------------------------------------------------


def test_two_owners_have_a_thousand_clients_at_addresses_that_exist_nowhere():
    owners = {"user@demo.test": ("en", "Europe/London"), "other@demo.test": ("ru", "Europe/Moscow")}
    assert Client.objects.count() >= 1000
    for email, (language, zone) in owners.items():
        owner = User.objects.get(email=email)
        assert Client.objects.owned_by(owner).count() >= 400
        assert (owner.preferred_language, owner.time_zone.key) == (language, zone)
        assert owner.phone.is_valid()
        assert owner.country
    domains = {address.rpartition("@")[2] for address in addresses()}
    assert not [domain for domain in domains if not RESERVED.search(domain)]
    assert {"bounce.test", "defer.test", "slow.test"} <= domains
    assert Client.objects.filter(first_name="", last_name="").exists()
    assert Client.objects.exclude(middle_name="").exists()


def addresses() -> list[str]:
    return list(Client.objects.values_list("email_normalized", flat=True))


def test_lists_go_from_five_clients_to_nearly_all():
    for owner in User.objects.filter(email__in=["user@demo.test", "other@demo.test"]):
        sizes = [x.size for x in ClientList.objects.owned_by(owner).annotate(size=Count("clients"))]
        assert min(sizes) < 20
        assert max(sizes) > 0.9 * Client.objects.owned_by(owner).count()
    assert min(x.size for x in ClientList.objects.annotate(size=Count("clients"))) == 5


def test_about_three_of_a_hundred_have_unsubscribed():
    left = Suppression.objects.filter(reason=SuppressionReason.UNSUBSCRIBED)
    assert 0.025 < left.count() / Client.objects.count() < 0.035
    assert set(left.values_list("email_normalized", flat=True)) <= set(addresses())


def test_messages_use_every_block_and_pass_their_own_checks():
    kinds = set()
    for message in Message.objects.all():
        message.full_clean()
        kinds |= {block.block_type for block in message.body}
    assert kinds == {"heading", "text", "picture", "button", "divider"}
    assert set(Message.objects.values_list("language", flat=True)) == {"en", "ru"}


def test_owners_see_their_own_pictures():
    letters = Image.objects.filter(collection__name="Letters")
    uploaders = set(letters.values_list("uploaded_by_user__email", flat=True))
    assert uploaders == {"user@demo.test", "other@demo.test"}


# --- Mailings and their history -------------------------------------------------------------------


def test_every_status_and_every_state_is_there():
    assert set(Mailing.objects.values_list("status", flat=True)) == set(MailingStatus)
    stored = set(DeliveryState) - {DeliveryState.SENDING}
    assert set(Delivery.objects.values_list("state", flat=True)) == stored
    assert set(Run.objects.values_list("status", flat=True)) == set(RunStatus)
    assert set(Attempt.objects.values_list("outcome", flat=True)) == set(Outcome)
    for mailing in Mailing.objects.filter(status=MailingStatus.DEACTIVATED):
        assert mailing.reason


def test_exactly_one_mailing_is_due_and_none_follows_within_the_hour():
    due = Mailing.objects.due(timezone.now())
    assert [mailing.name for mailing in due] == ["Weekly garden notes"]
    assert list(Mailing.objects.due(timezone.now() + timedelta(hours=1))) == list(due)
    audience = Client.objects.filter(lists__mailings=due[0])
    assert audience.count() > 300
    for domain in ("bounce.test", "defer.test", "slow.test"):
        assert audience.filter(email_normalized__endswith=f"@{domain}").count() >= 3
    suppressed = Suppression.objects.values("email_normalized")
    moody = audience.filter(email_normalized__endswith=".test")
    assert not moody.filter(email_normalized__in=suppressed).exists()


def test_next_dates_follow_from_the_schedules(seeded):
    for mailing in Mailing.objects.filter(status=MailingStatus.SCHEDULED):
        if mailing.next_due_at > timezone.now():
            assert mailing.next_due_at == mailing.schedule.next_after(seeded)
        else:
            assert mailing.next_due_at == mailing.schedule.latest_until(timezone.now())
    ended = Mailing.objects.filter(status__in=[MailingStatus.COMPLETED, MailingStatus.CREATED])
    assert not ended.exclude(next_due_at=None).exists()


def test_every_run_is_an_occurrence_of_its_mailing(seeded):
    for run in Run.objects.select_related("mailing__period"):
        rule: schedule.Schedule = run.mailing.schedule
        assert rule.latest_until(run.due_at) == run.due_at
        assert run.opened_at >= run.due_at
    units = set(Mailing.objects.values_list("period__unit", flat=True))
    assert units == {Unit.ONCE, Unit.DAY, Unit.WEEK, Unit.MONTH}
    oldest = Run.objects.order_by("due_at")[0].due_at
    assert timedelta(days=70) < seeded - oldest < timedelta(days=105)


def test_the_numbers_of_every_run_add_up():
    for run in Run.objects.all():
        states = Delivery.objects.filter(run=run).count_by_state()
        assert sum(states.values()) == run.audience_size
        assert (run.finished_at is None) == (run.status in OPEN_RUNS)
        assert bool(states.keys() & OPEN_DELIVERIES) == (run.status in OPEN_RUNS)  # I4
        if run.finished_at:
            assert run.opened_at <= run.finished_at <= timezone.now()


def test_attempts_are_numbered_without_gaps_and_agree_with_their_delivery():
    counted = Delivery.objects.annotate(made=models.Count("log"), last=models.Max("log__number"))
    assert not counted.exclude(made=models.F("attempts")).exists()
    assert not counted.filter(made__gt=0).exclude(last=models.F("attempts")).exists()
    tried = {
        DeliveryState.SENT,
        DeliveryState.UNKNOWN,
        DeliveryState.FAILED,
        DeliveryState.DEFERRED,
        DeliveryState.EXPIRED,
    }
    assert not counted.filter(made=0, state__in=tried).exists()
    untried = {DeliveryState.PENDING, DeliveryState.SUPPRESSED}
    assert not counted.filter(made__gt=0, state__in=untried).exists()
    last = Attempt.objects.filter(number=models.F("delivery__attempts")).select_related("delivery")
    for attempt in last:
        delivery = attempt.delivery
        assert (delivery.last_code, attempt.delivery.last_reply) == (
            attempt.code,
            f"{attempt.enhanced} {attempt.reply}".strip(),
        )
    assert not Attempt.objects.filter(at__gt=timezone.now()).exists()
    assert not Attempt.objects.filter(at__lt=models.F("delivery__run__opened_at")).exists()


def test_outcomes_are_what_the_engine_would_have_made_of_the_answers():
    seen = Attempt.objects.order_by().values_list(
        "stage", "code", "enhanced", "outcome", "delivery__state", "number", "delivery__attempts"
    )
    for stage, code, enhanced, outcome, state, number, attempts in seen.distinct():
        verdict = classify(Stage(stage), Reply(code or 0, enhanced))
        assert verdict.outcome == outcome
        closed = {DeliveryState.EXPIRED, DeliveryState.CANCELLED}
        assert number < attempts or state in closed or verdict.state == state
    off = Delivery.objects.filter(last_reply__startswith="5.2.1").values("email_normalized")
    off_twice = off.annotate(times=Count("pk")).filter(times__gte=2).values("email_normalized")
    gone = Delivery.objects.filter(
        Q(last_reply__startswith="5.1.1") | Q(email_normalized__in=off_twice)
    )
    suppressed = Suppression.objects.filter(reason=SuppressionReason.BOUNCED)
    assert set(gone.values_list("email_normalized", flat=True)) == set(
        suppressed.values_list("email_normalized", flat=True)
    )


def test_only_deferred_letters_of_open_runs_wait_for_another_attempt():
    waiting = Delivery.objects.exclude(next_attempt_at=None)
    assert set(waiting.values_list("state", flat=True)) == {DeliveryState.DEFERRED}
    deferred = Delivery.objects.filter(state=DeliveryState.DEFERRED)
    assert deferred.count() == waiting.count()


def test_nobody_gets_a_letter_before_they_joined_or_after_they_left():
    assert not Delivery.objects.filter(client__created_at__gt=models.F("run__opened_at")).exists()
    left = dict(
        Suppression.objects.filter(reason=SuppressionReason.UNSUBSCRIBED).values_list(
            "email_normalized", "created_at"
        )
    )
    mailed = Delivery.objects.filter(email_normalized__in=left, attempts__gt=0)
    for address, opened_at in mailed.values_list("email_normalized", "run__opened_at"):
        assert opened_at < left[address]


def test_batches_cover_what_was_not_suppressed_from_the_start():
    for run in Run.objects.all():
        batches = list(Batch.objects.filter(run=run))
        for delivery in Delivery.objects.filter(run=run).only("pk", "state"):
            within = [b for b in batches if b.first_id <= delivery.pk <= b.last_id]
            assert len(within) == 1 or delivery.state == DeliveryState.SUPPRESSED
            if delivery.state in OPEN_DELIVERIES:
                assert not within[0].done
        if run.status not in OPEN_RUNS:
            assert all(batch.done for batch in batches)
    assert not Batch.objects.exclude(lease_token=None).exists()


def test_the_log_tells_what_people_did():
    actions = set(ModelLogEntry.objects.values_list("action", flat=True))
    assert {"mailing.start", "mailing.pause", "mailing.deactivate", "mailing.cancel_run"} <= actions
    stopped = ModelLogEntry.objects.get(action="mailing.deactivate")
    assert stopped.user.email == "manager@demo.test"
    assert not ModelLogEntry.objects.filter(timestamp__gt=timezone.now()).exists()


# --- The blog -------------------------------------------------------------------------------------


def test_the_blog_has_posts_a_draft_and_one_that_waits_for_a_manager():
    live = BlogPage.objects.live()
    assert live.count() == 9
    assert set(live.values_list("author__email", flat=True)) == {"blogger@demo.test"}
    assert not live.filter(image=None).exists()
    dates = sorted(live.values_list("date", flat=True))
    assert timedelta(days=75) < dates[-1] - dates[0] < timedelta(days=95)
    hidden = BlogPage.objects.not_live()
    assert set(hidden.values_list("slug", flat=True)) == {"yours-alone", "what-a-picture-weighs"}
    assert not hidden.exclude(first_published_at=None).exists()
    waiting = WorkflowState.objects.get(status=WorkflowState.STATUS_IN_PROGRESS)
    assert waiting.content_object.slug == "what-a-picture-weighs"
    assert waiting.requested_by.email == "blogger@demo.test"
    manager = User.objects.get(email="manager@demo.test")
    task = waiting.current_task_state.task.specific
    assert "approve" in [name for name, *_ in task.get_actions(waiting.content_object, manager)]


def test_posts_are_long_enough_to_read_and_calm():
    for post in BlogPage.objects.live():
        text = strip_tags(str(post.body))
        assert 250 <= len(text.split()) <= 500, post.title
        assert "!" not in text + post.title + post.intro
        assert 4 <= len(post.body) <= 9
