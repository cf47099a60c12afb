"""What the database itself refuses, whatever the code does: I1 to I4, and senseless values."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError

from accounts.models import User
from mailing.enums import (
    DeliveryState,
    MailingStatus,
    MonthDay,
    Outcome,
    RunStatus,
    SuppressionReason,
    Unit,
)
from mailing.models import (
    Attempt,
    Batch,
    Client,
    ClientList,
    ClientTag,
    DatePeriod,
    Delivery,
    Mailing,
    Run,
    ServerGate,
    Suppression,
)
from mailing.window import Window
from tests.factories import NOW, hours, make_client, make_list, make_mailing
from tests.mailing.runs import attempt, open_run, put

pytestmark = pytest.mark.django_db


def refused_by(constraint: str, act: Callable[[], object]) -> None:
    """Assert that the database refuses, and for this reason."""
    declared = next(
        found
        for model in (*_models(), DatePeriod)
        for found in model._meta.constraints
        if found.name == constraint
    )
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        act()
    words = str(refusal.value)
    # SQLite names the columns of a unique constraint without a condition, not the constraint.
    columns = [_column(declared, name) for name in getattr(declared, "fields", ())]
    assert constraint in words or (columns and all(column in words for column in columns)), words


def _models() -> list[type[models.Model]]:
    return [Client, ClientList, ClientTag, Mailing, Run, Batch, Delivery, Attempt, Suppression]


def _column(constraint: Any, name: str) -> str:
    owner = next(m for m in (*_models(), DatePeriod) if constraint in m._meta.constraints)
    field = owner._meta.get_field(name)
    return f"{owner._meta.db_table}.{getattr(field, 'column', name)}"


def copy_of(row: Any, **changes: Any) -> Callable[[], object]:
    """Return what saves the row a second time."""

    def save() -> None:
        copy = type(row).objects.get(pk=row.pk)
        copy.pk = None
        for name, value in changes.items():
            setattr(copy, name, value)
        copy.save(force_insert=True)

    return save


class TestRun:
    def test_an_occurrence_has_one_run(self, alice: User) -> None:
        run = open_run(alice)
        refused_by("run_occurrence_once", copy_of(run))
        copy_of(run, due_at=NOW + hours(1))()

    def test_a_form_has_one_run(self, alice: User) -> None:
        run = open_run(alice)
        key = uuid.uuid4()
        Run.objects.update(form_key=key)
        refused_by("run_form_once", copy_of(run, due_at=NOW + hours(1)))
        copy_of(run, due_at=NOW + hours(1), form_key=uuid.uuid4())()

    def test_the_same_form_key_at_another_mailing_is_another_form(self, alice: User) -> None:
        run = open_run(alice)
        Run.objects.update(form_key=uuid.uuid4())
        copy_of(run, mailing=make_mailing(alice))()

    def test_its_status_is_a_known_one(self, alice: User) -> None:
        open_run(alice)
        refused_by("run_status_known", lambda: Run.objects.update(status="launched"))
        for status in RunStatus:
            Run.objects.update(status=status)

    @pytest.mark.parametrize(
        "half",
        [
            {"sends_from": NOW},
            {"sends_until": NOW},
            {"sends_from": NOW, "sends_until": NOW},
            {"sends_from": NOW, "sends_until": NOW - hours(1)},
        ],
        ids=["from", "until", "of no length", "backwards"],
    )
    def test_its_hours_are_whole_or_not_there(self, alice: User, half: dict[str, Any]) -> None:
        open_run(alice)
        refused_by("run_window_whole", lambda: Run.objects.update(**half))
        Run.objects.update(sends_from=NOW, sends_until=NOW + hours(1))
        Run.objects.update(sends_from=None, sends_until=None)


class TestDelivery:
    def test_a_client_gets_one_letter_of_a_run(self, alice: User) -> None:
        (delivery,) = put(open_run(alice))
        refused_by("delivery_client_once", copy_of(delivery, email_normalized="other@x.test"))

    def test_an_address_gets_one_letter_of_a_run(self, alice: User) -> None:
        (delivery,) = put(open_run(alice))
        refused_by("delivery_address_once", copy_of(delivery, client=make_client(alice)))

    def test_it_gets_those_of_other_runs(self, alice: User) -> None:
        client = make_client(alice)
        for _ in range(2):
            open_run(alice, [client])
        assert Delivery.objects.filter(client=client).count() == 2

    def test_many_may_have_lost_their_client(self, alice: User) -> None:
        open_run(alice, 3)
        Client.objects.all().delete()
        assert Delivery.objects.filter(client=None).count() == 3

    def test_sending_is_never_stored(self, alice: User) -> None:
        """I4 asks for the stored states; what is on the wire stands in the batch."""
        open_run(alice)
        for word in ("sending", "delivered", ""):
            refused_by("delivery_state_known", partial(Delivery.objects.update, state=word))
        for state in DeliveryState:
            if state != DeliveryState.SENDING:
                Delivery.objects.update(state=state)


class TestAttempt:
    def test_each_has_its_own_number(self, alice: User) -> None:
        (delivery,) = put(open_run(alice))
        first = attempt(delivery, Outcome.TRANSIENT)
        refused_by("attempt_once", copy_of(first))
        attempt(delivery)
        assert list(delivery.log.order_by("number").values_list("number", flat=True)) == [1, 2]


class TestBatch:
    @pytest.mark.parametrize(
        "half",
        [{"lease_token": uuid.uuid4()}, {"lease_until": NOW}],
        ids=lambda half: next(iter(half)),
    )
    def test_a_lease_is_whole_or_not_there(self, alice: User, half: dict[str, Any]) -> None:
        open_run(alice)
        refused_by("batch_lease_whole", lambda: Batch.objects.update(**half))
        Batch.objects.update(lease_token=uuid.uuid4(), lease_until=NOW)
        Batch.objects.update(lease_token=None, lease_until=None)

    def test_it_ends_where_it_begins_or_later(self, alice: User) -> None:
        open_run(alice)
        refused_by("batch_range", lambda: Batch.objects.update(first_id=2, last_id=1))
        Batch.objects.update(first_id=2, last_id=2)


class TestMailing:
    def test_its_status_is_a_known_one(self, alice: User) -> None:
        make_mailing(alice)
        refused_by("mailing_status_known", lambda: Mailing.objects.update(status="launched"))
        for status in MailingStatus:
            Mailing.objects.update(status=status)

    def test_it_does_not_end_before_it_starts(self, alice: User) -> None:
        make_mailing(alice)
        refused_by(
            "mailing_ends_after_start", lambda: Mailing.objects.update(ends_at=NOW - hours(1))
        )
        Mailing.objects.update(ends_at=NOW)

    def test_it_ends_by_date_or_by_number(self, alice: User) -> None:
        make_mailing(alice)
        refused_by("mailing_one_end", lambda: Mailing.objects.update(ends_at=NOW, max_runs=3))
        Mailing.objects.update(ends_at=NOW)
        Mailing.objects.update(ends_at=None, max_runs=3)

    def test_its_number_of_runs_is_from_1_to_1000(self, alice: User) -> None:
        make_mailing(alice)
        for number in (0, 1001):
            refused_by("mailing_number_of_runs", partial(Mailing.objects.update, max_runs=number))
        for number in (1, 1000):
            Mailing.objects.update(max_runs=number)

    def test_its_weekdays_are_seven_at_most(self, alice: User) -> None:
        make_mailing(alice)
        refused_by("mailing_weekdays_known", lambda: Mailing.objects.update(weekdays=128))
        Mailing.objects.update(weekdays=127)

    @pytest.mark.parametrize(
        ("opens", "closes"), [(time(9), None), (None, time(9)), (time(9), time(9))], ids=str
    )
    def test_its_window_opens(self, alice: User, opens: time | None, closes: time | None) -> None:
        make_mailing(alice)
        bounds = {"window_from": opens, "window_until": closes}
        refused_by("mailing_window_opens", lambda: Mailing.objects.update(**bounds))
        Mailing.objects.update(window_from=time(22), window_until=time(6))

    def test_its_first_sending_is_a_whole_minute(self, alice: User) -> None:
        mailing = make_mailing(alice)
        mailing.full_clean()
        mailing.starts_at = NOW + timedelta(seconds=1)
        with pytest.raises(ValidationError, match="whole minute"):
            mailing.full_clean()

    def test_its_schedule_and_window_are_what_its_columns_say(self, alice: User) -> None:
        mailing = make_mailing(
            alice,
            unit=Unit.MONTH,
            month_day=MonthDay.LAST_DAY,
            weekdays=0b0010001,
            max_runs=3,
            window_from=time(22),
            window_until=time(6),
        )
        mailing.refresh_from_db()
        schedule = mailing.schedule
        assert (schedule.month_day, schedule.max_runs) == (MonthDay.LAST_DAY, 3)
        assert schedule.weekdays == {0, 4}
        assert mailing.window == Window(time(22), time(6), ZoneInfo("Europe/London"))
        assert make_mailing(alice).window is None

    def test_its_message_and_interval_stay_while_it_needs_them(self, alice: User) -> None:
        mailing = make_mailing(alice)
        assert mailing.message is not None
        with pytest.raises(ProtectedError):
            mailing.message.delete()
        with pytest.raises(ProtectedError):
            mailing.period.delete()

    def test_it_has_a_message_until_it_is_deleted(self, alice: User) -> None:
        mailing = make_mailing(alice)
        mailings = Mailing.objects.filter(pk=mailing.pk)
        refused_by("mailing_has_message", lambda: mailings.update(message=None))
        mailings.update(message=None, deleted_at=NOW)


class TestPeriod:
    def test_an_interval_is_there_once(self) -> None:
        period = DatePeriod.objects.create(unit=Unit.DAY, count=77)
        refused_by("date_period_once", copy_of(period))
        copy_of(period, unit=Unit.WEEK)()

    @pytest.mark.parametrize(("unit", "count"), [(Unit.DAY, 0), (Unit.ONCE, 2), (Unit.ONCE, 0)])
    def test_its_number_makes_sense(self, unit: Unit, count: int) -> None:
        refused_by("date_period_count", lambda: DatePeriod.objects.create(unit=unit, count=count))

    def test_only_months_have_a_day_of_the_month(self) -> None:
        for unit, month_day in ((Unit.WEEK, MonthDay.LAST_DAY), (Unit.MONTH, "first_day")):
            refused_by(
                "date_period_month_day",
                partial(DatePeriod.objects.create, unit=unit, count=77, month_day=month_day),
            )
        for known in MonthDay:
            DatePeriod.objects.create(unit=Unit.MONTH, count=77, month_day=known)


class TestClient:
    def test_an_owner_has_an_address_once(self, alice: User, bob: User) -> None:
        client = make_client(alice)
        refused_by("client_address_once", copy_of(client, email="spelled@otherwise.test"))
        copy_of(client, owner=bob)()

    def test_there_is_none_without_an_address_to_compare(self, alice: User) -> None:
        make_client(alice)
        refused_by("client_address_normalized", lambda: Client.objects.update(email_normalized=""))

    def test_an_owner_has_a_list_name_once(self, alice: User, bob: User) -> None:
        client_list = make_list(alice)
        refused_by("client_list_name_once", copy_of(client_list))
        copy_of(client_list, owner=bob)()

    def test_an_owner_has_a_tag_once(self, alice: User, bob: User) -> None:
        tag = ClientTag.objects.create(owner=alice, name="garden")
        refused_by("client_tag_name_once", copy_of(tag))
        copy_of(tag, owner=bob)()

    def test_an_address_is_suppressed_once_for_an_owner(self, alice: User, bob: User) -> None:
        suppression = Suppression.objects.create(
            owner=alice,
            email_normalized="anna@x.test",
            reason=SuppressionReason.UNSUBSCRIBED,
            created_at=NOW,
        )
        refused_by("suppression_once", copy_of(suppression, reason=SuppressionReason.BOUNCED))
        copy_of(suppression, owner=bob)()


def test_a_mail_server_has_one_circuit() -> None:
    ServerGate.objects.create(server="mail.x.test:25")
    with pytest.raises(IntegrityError), transaction.atomic():
        ServerGate.objects.create(server="mail.x.test:25")


def test_every_constraint_of_ours_has_its_test() -> None:
    """A new constraint needs a new test: this list says which there are."""
    names = {c.name for model in (*_models(), DatePeriod) for c in model._meta.constraints}
    assert names == {
        "attempt_once",
        "batch_lease_whole",
        "batch_range",
        "client_address_normalized",
        "client_address_once",
        "client_list_name_once",
        "client_tag_name_once",
        "date_period_count",
        "date_period_month_day",
        "date_period_once",
        "delivery_address_once",
        "delivery_client_once",
        "delivery_state_known",
        "mailing_ends_after_start",
        "mailing_has_message",
        "mailing_number_of_runs",
        "mailing_one_end",
        "mailing_status_known",
        "mailing_weekdays_known",
        "mailing_window_opens",
        "run_form_once",
        "run_occurrence_once",
        "run_status_known",
        "run_window_whole",
        "suppression_once",
    }


class TestNames:
    @pytest.mark.parametrize(
        ("first", "last", "shown"),
        [
            ("Anna", "Smith", "Anna Smith <anna@x.test>"),
            ("Anna", "", "Anna <anna@x.test>"),
            ("", "", "anna@x.test"),
        ],
    )
    def test_a_client_is_called_by_name_if_there_is_one(
        self, alice: User, first: str, last: str, shown: str
    ) -> None:
        client = make_client(alice, "anna@x.test", first_name=first, last_name=last)
        assert str(client) == shown

    def test_dates_to_come_are_told_in_the_mailings_zone(self, alice: User) -> None:
        mailing = make_mailing(alice, unit=Unit.DAY, starts_at=NOW)
        dates = mailing.next_dates(NOW, 2)
        assert dates == [NOW + hours(24), NOW + hours(48)]
        assert {str(date.tzinfo) for date in dates} == {"Europe/London"}
