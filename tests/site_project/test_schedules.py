"""What the queue does by the clock, and that account mails wake it."""

from __future__ import annotations

from datetime import timedelta
from pydoc import locate

import pytest
from django.db.models.signals import post_migrate
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import mail
from accounts.models import AccountMail, User
from site_project.schedules import ensure_schedules, send_account_mails
from tests.sink import Sink

pytestmark = pytest.mark.django_db


def names() -> list[str]:
    return sorted(Schedule.objects.values_list("name", flat=True))


@pytest.fixture(autouse=True)
def none_yet(db: None) -> None:
    Schedule.objects.all().delete()


OURS = [
    "account mails",
    "closed accounts",
    "dates of posts",
    "pictures of posts",
    "readers of posts",
    "retention",
    "tick",
]


def test_each_schedule_runs_a_function_of_ours_every_minute_hour_or_day() -> None:
    ensure_schedules()
    assert names() == OURS
    for schedule in Schedule.objects.all():
        assert callable(locate(schedule.func))
        seldom = {"retention": Schedule.DAILY, "pictures of posts": Schedule.HOURLY}
        assert schedule.schedule_type == seldom.get(schedule.name, Schedule.MINUTES)
        assert schedule.minutes == 1
        assert schedule.repeats == -1
        assert schedule.next_run <= timezone.now()


def test_making_them_again_changes_nothing() -> None:
    ensure_schedules()
    minute = timezone.now().replace(second=0, microsecond=0)
    Schedule.objects.update(next_run=minute + timedelta(minutes=1))
    before = list(Schedule.objects.order_by("pk").values())
    ensure_schedules()
    assert list(Schedule.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(1, 1), (59, 1), (60, 1), (61, 2), (90, 2), (120, 2), (3600, 60)]
)
def test_the_tick_comes_after_the_interval_rounded_up_to_minutes(
    settings: Settings, seconds: int, minutes: int
) -> None:
    ensure_schedules()
    settings.SCHEDULER_INTERVAL = seconds
    ensure_schedules()
    assert Schedule.objects.get(name="tick").minutes == minutes
    assert Schedule.objects.get(name="account mails").minutes == 1


def test_it_comes_on_whole_minutes_as_mailings_do() -> None:
    ensure_schedules()
    due_at = Schedule.objects.get(name="tick").next_run
    assert (due_at.second, due_at.microsecond) == (0, 0)
    Schedule.objects.update(next_run=due_at.replace(second=45))  # as an older version made it
    ensure_schedules()
    assert Schedule.objects.get(name="tick").next_run.second == 0


def test_two_that_were_made_at_once_become_one() -> None:
    for _ in range(2):
        Schedule.objects.create(name="tick", func="mailing.tasks.tick")
    ensure_schedules()
    assert names() == OURS


def test_those_of_others_stay() -> None:
    Schedule.objects.create(name="of others", func="print")
    ensure_schedules()
    assert names() == sorted([*OURS, "of others"])


def test_each_migrate_makes_them() -> None:
    from django.apps import apps

    config = apps.get_app_config("django_q")
    post_migrate.send(sender=config, app_config=config, verbosity=0, using="default")
    assert names() == OURS


def test_an_account_mail_wakes_the_queue_once_it_is_saved(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        mail.post(
            template="account/email/password_changed",
            email=alice.email,
            context={"user": alice},
            now=timezone.now(),
        )
        assert not OrmQ.objects.exists()
    (task,) = OrmQ.objects.all()
    assert task.task["func"] == "site_project.schedules.send_account_mails"
    assert task.task["args"] == ()
    assert alice.email not in str(task.task)


@pytest.mark.parametrize("times", [1, 2])
def test_the_task_sends_what_is_due_and_may_run_twice(
    alice: User, settings: Settings, times: int
) -> None:
    mail.post(
        template="account/email/password_changed",
        email=alice.email,
        context={"user": alice},
        now=timezone.now(),
    )
    with Sink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        for _time in range(times):
            send_account_mails()
        assert sink.ledger.recipients() == [alice.email]
    assert not AccountMail.objects.exists()
