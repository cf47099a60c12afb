"""The form of a mailing and its page."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from bs4 import BeautifulSoup, Tag
from django.test import Client as Browser
from django.utils import timezone
from wagtail.users.models import UserProfile

from accounts.models import User
from mailing import lifecycle, schedule
from mailing.composer.render import freeze
from mailing.engine import planner
from mailing.enums import DeliveryState, MailingStatus, MonthDay, RunStatus, SuppressionReason, Unit
from mailing.models import Client, DatePeriod, Delivery, Mailing, Run, Suppression
from tests.factories import NOW, hours, make_client, make_list, make_mailing, make_message
from tests.mailing.admin.screens import (
    errors,
    everything,
    notices,
    offered,
    refuse,
    submit,
    text_of,
    url_of,
)
from tests.mailing.runs import attempt, finish, open_run, put

pytestmark = pytest.mark.django_db

NEW = "/admin/mailing/mailing/create/"
BERLIN = ZoneInfo("Europe/Berlin")
LATER = (timezone.now() + timedelta(days=400)).replace(hour=10, minute=0)


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


@pytest.fixture
def managers(manager: User, browse: Callable[..., Browser]) -> Browser:
    return browse(manager)


@pytest.fixture
def typed(alice: User) -> dict[str, Any]:
    """What makes a mailing that can be saved."""
    return {
        "name": "Spring <news>",
        "message": make_message(alice).pk,
        "lists": [make_list(alice, [make_client(alice)]).pk],
        "period": period(Unit.ONCE).pk,
        "time_zone": "Europe/Berlin",
        "starts_at": wall(LATER),
    }


def period(unit: Unit, count: int = 1) -> DatePeriod:
    return DatePeriod.objects.get_or_create(unit=unit, count=count, month_day=MonthDay.SAME_DAY)[0]


def wall(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}"


def day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def half_past_two(wanted: Callable[[datetime], bool]) -> datetime:
    """Return the next day on which 02:30 is such in Berlin; the clocks change at that hour."""
    day = datetime.combine(timezone.now().date(), datetime.min.time()) + timedelta(days=2)
    days = (day + timedelta(days=n, hours=2, minutes=30) for n in range(400))
    return next(there for there in days if wanted(there))


def is_skipped(there: datetime) -> bool:
    return not schedule.exists(there, BERLIN)


def comes_twice(there: datetime) -> bool:
    first, second = (there.replace(tzinfo=BERLIN, fold=fold) for fold in (0, 1))
    return first.utcoffset() != second.utcoffset() and not is_skipped(there)


class TestNew:
    def test_the_form_offers_once_an_hour_from_now_in_the_owners_zone(
        self, alice: User, alices: Browser
    ) -> None:
        UserProfile.objects.create(user=alice, current_time_zone="Asia/Tokyo")
        form = offered(alices.get(NEW))
        assert form["time_zone"] == ["Asia/Tokyo"]
        assert form["period"] == [str(period(Unit.ONCE).pk)]
        starts_at = datetime.fromisoformat(form["starts_at"][0])
        there = timezone.now().astimezone(ZoneInfo("Asia/Tokyo")).replace(tzinfo=None)
        assert timedelta(0) <= starts_at - there <= hours(1)
        assert starts_at.minute == 0

    def test_it_is_created_and_waits_for_a_decision(
        self, alice: User, bob: User, alices: Browser, typed: dict[str, Any]
    ) -> None:
        forged = {"owner": bob.pk, "status": "scheduled", "next_due_at": "2026-01-01 00:00"}
        assert submit(alices, NEW, {**typed, **forged}).status_code == 302
        mailing = Mailing.objects.get()
        assert (mailing.owner, mailing.status) == (alice, MailingStatus.CREATED)
        assert mailing.next_due_at is None
        assert mailing.starts_at.astimezone(BERLIN).replace(tzinfo=None) == LATER.replace(
            second=0, microsecond=0, tzinfo=None
        )

    def test_one_client_alone_is_an_audience(
        self, alice: User, alices: Browser, typed: dict[str, Any]
    ) -> None:
        client = make_client(alice)
        submit(alices, NEW, {**typed, "lists": [], "clients": [client.pk]})
        assert list(Mailing.objects.get().clients.all()) == [client]

    def test_once_has_no_end(self, alices: Browser, typed: dict[str, Any]) -> None:
        submit(alices, NEW, {**typed, "ends_at": day(LATER - timedelta(days=9)), "max_runs": 3})
        mailing = Mailing.objects.get()
        assert (mailing.ends_at, mailing.max_runs) == (None, None)


class TestMistakes:
    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            ("name", "", "required"),
            ("name", "a\r\nBcc: x@y.test", "line breaks"),
            ("name", "x" * 151, "at most 150"),
            ("message", "", "required"),
            ("message", "987654321", "valid choice"),
            ("message", "9" * 30, "valid choice"),
            ("period", "", "required"),
            ("period", "9" * 30, "valid choice"),
            ("time_zone", "", "required"),
            ("time_zone", "Mars/Olympus", "not one of the available"),
            ("time_zone", "../../etc/passwd", "not one of the available"),
            ("starts_at", "", "required"),
            ("starts_at", "tomorrow", "valid date/time"),
            ("starts_at", "2027-02-30T10:00", "no such day in the calendar: 2027-02-30"),
            ("starts_at", "2027-13-01T10:00", "no such day in the calendar: 2027-13-01"),
            ("starts_at", "2027-02-03T10:00:30", "whole minute, without seconds"),
            ("starts_at", "0001-01-01T00:00", "valid date/time"),
            ("starts_at", "9999-12-31T23:59", "valid date/time"),
            ("starts_at", "2020-01-01T10:00", "This time has passed: it is"),
            ("lists", [], "at least one client list or one client"),
        ],
    )
    def test_each_is_an_error_at_its_field(
        self, alices: Browser, typed: dict[str, Any], field: str, value: Any, words: str
    ) -> None:
        before = everything()
        page = alices.post(NEW, {**typed, field: value})
        assert page.status_code == 200
        found = errors(page)
        assert set(found) == {field}
        assert words in found[field][0]
        assert everything() == before
        kept = offered(page)
        for name in set(typed) - {field, "lists"}:
            assert kept[name] == [str(typed[name])]

    @pytest.mark.parametrize(
        ("field", "value", "words"),
        [
            ("ends_at", "2027-02-30", "no such day in the calendar: 2027-02-30"),
            ("ends_at", "0001-01-01", "valid date"),
            ("ends_at", "soon", "valid date"),
            ("max_runs", "0", "from 1 to 1000"),
            ("max_runs", "1001", "from 1 to 1000"),
            ("max_runs", "-3", "from 1 to 1000"),
            ("max_runs", "many", "whole number"),
            ("weekdays", ["7"], "valid choice"),
            ("window_from", "25:00", "valid time"),
            ("window_until", "09:00:30", "valid time"),
        ],
    )
    def test_each_wrong_end_or_hour_is_an_error_at_its_field(
        self, alices: Browser, typed: dict[str, Any], field: str, value: Any, words: str
    ) -> None:
        before = everything()
        page = alices.post(NEW, {**typed, "period": period(Unit.DAY).pk, field: value})
        assert page.status_code == 200
        found = errors(page)
        assert set(found) == {field}
        assert words in " ".join(found[field])
        assert everything() == before

    def test_a_wall_time_that_the_clocks_skip(self, alices: Browser, typed: dict[str, Any]) -> None:
        skipped = wall(half_past_two(is_skipped))
        refuse(
            alices, NEW, {**typed, "starts_at": skipped}, "starts_at", "The clocks skip this time"
        )

    @pytest.mark.parametrize(
        ("given", "missing"), [("window_from", "window_until"), ("window_until", "window_from")]
    )
    def test_half_a_window(
        self, alices: Browser, typed: dict[str, Any], given: str, missing: str
    ) -> None:
        refuse(alices, NEW, {**typed, given: "09:00"}, missing, "both times, or none")

    def test_hours_that_never_begin(self, alices: Browser, typed: dict[str, Any]) -> None:
        typed |= {"window_from": "09:00", "window_until": "09:00"}
        refuse(alices, NEW, typed, "window_until", "never begin")

    def test_two_ends(self, alices: Browser, typed: dict[str, Any]) -> None:
        typed |= {"period": period(Unit.DAY).pk, "ends_at": day(LATER), "max_runs": "3"}
        refuse(alices, NEW, typed, "max_runs", "not both")

    def test_weekdays_that_leave_no_date(self, alices: Browser, typed: dict[str, Any]) -> None:
        other = str((LATER.weekday() + 1) % 7)
        for unit, count in ((Unit.ONCE, 1), (Unit.DAY, 7)):
            typed |= {"period": period(unit, count).pk, "weekdays": [other]}
            refuse(alices, NEW, typed, "weekdays", "No date of this schedule")

    def test_days_and_times_without_a_zone(self, alices: Browser, typed: dict[str, Any]) -> None:
        typed |= {"period": period(Unit.DAY).pk, "ends_at": day(LATER), "time_zone": "Mars/Olympus"}
        page = alices.post(NEW, typed)
        assert set(errors(page)) == {"time_zone"}
        assert offered(page)["ends_at"] == [day(LATER)]

    def test_several_are_told_at_once(self, alices: Browser, typed: dict[str, Any]) -> None:
        typed |= {
            "period": period(Unit.DAY).pk,
            "ends_at": day(LATER - timedelta(days=1)),
            "window_from": "09:00",
            "window_until": "09:00",
        }
        assert set(errors(alices.post(NEW, typed))) == {"ends_at", "window_until"}

    def test_an_end_before_the_first_date(self, alices: Browser, typed: dict[str, Any]) -> None:
        typed |= {
            "period": period(Unit.WEEK).pk,
            "weekdays": [str((LATER.weekday() + 6) % 7)],
            "ends_at": day(LATER),
        }
        words = "There is no date until then: the first one is"
        refuse(alices, NEW, typed, "ends_at", words)

    def test_a_wall_time_that_comes_twice_is_the_first(
        self, alices: Browser, typed: dict[str, Any]
    ) -> None:
        there = half_past_two(comes_twice)
        assert submit(alices, NEW, {**typed, "starts_at": wall(there)}).status_code == 302
        starts_at = Mailing.objects.get().starts_at
        assert starts_at == (there - timedelta(hours=2)).replace(tzinfo=UTC), "summer time"

    def test_an_end_before_the_start(self, alices: Browser, typed: dict[str, Any]) -> None:
        refuse(
            alices,
            NEW,
            {
                **typed,
                "period": period(Unit.DAY).pk,
                "ends_at": day(LATER - timedelta(days=1)),
            },
            "ends_at",
            "before the start",
        )

    def test_a_last_day_lasts_until_its_last_minute(
        self, alices: Browser, typed: dict[str, Any]
    ) -> None:
        typed |= {"period": period(Unit.HOUR).pk, "ends_at": day(LATER)}
        assert submit(alices, NEW, typed).status_code == 302
        mailing = Mailing.objects.get()
        assert mailing.ends_at is not None
        there = mailing.ends_at.astimezone(BERLIN).replace(tzinfo=None)
        assert there == datetime.combine(LATER.date(), time(23, 59))
        assert len(mailing.next_dates(LATER - timedelta(days=9), 99)) == 14

    def test_a_list_without_clients(
        self, alice: User, alices: Browser, typed: dict[str, Any]
    ) -> None:
        empty = make_list(alice)
        refuse(alices, NEW, {**typed, "lists": [empty.pk]}, "lists", "Nobody is in these lists")

    @pytest.mark.parametrize("field", ["message", "lists", "clients"])
    def test_what_belongs_to_others_cannot_be_chosen(
        self, bob: User, alices: Browser, typed: dict[str, Any], field: str
    ) -> None:
        client = make_client(bob, "secret@x.test")
        theirs = {
            "message": make_message(bob, subject="Secret subject").pk,
            "lists": [make_list(bob, [client], name="Secret list").pk],
            "clients": [client.pk],
        }
        before = everything()
        page = alices.post(NEW, {**typed, field: theirs[field]})
        assert page.status_code == 200
        assert set(errors(page)) == {field}
        assert "secret" not in page.text.lower()
        assert everything() == before

    @pytest.mark.parametrize("field", ["lists", "clients"])
    @pytest.mark.parametrize("number", ["9" * 30, "-1", "abc", "²"])
    def test_what_is_no_number_of_a_row(
        self, alices: Browser, typed: dict[str, Any], field: str, number: str
    ) -> None:
        before = everything()
        page = alices.post(NEW, {**typed, field: [number]})
        assert set(errors(page)) == {field}
        assert everything() == before

    def test_chosen_clients_come_back_with_their_names(
        self, alice: User, alices: Browser, typed: dict[str, Any]
    ) -> None:
        client = make_client(alice, "anna@x.test", first_name="<b>Anna</b>")
        typed |= {"clients": [client.pk]}
        page = refuse(alices, NEW, {**typed, "name": ""}, "name")
        assert "&lt;b&gt;Anna&lt;/b&gt; &lt;anna@x.test&gt;" in page.text


class TestEdit:
    def test_it_shows_the_clock_of_the_mailings_zone(self, alice: User, alices: Browser) -> None:
        mailing = make_mailing(
            alice,
            unit=Unit.DAY,
            starts_at=datetime(2027, 1, 15, 9, tzinfo=UTC),
            ends_at=datetime(2027, 7, 15, 21, 59, tzinfo=UTC),
            time_zone=BERLIN,
            weekdays=0b0010001,
            window_from=time(22),
            window_until=time(6, 30),
        )
        form = offered(alices.get(url_of("mailing", "edit", mailing.pk)))
        assert form["starts_at"] == ["2027-01-15T10:00"]
        assert form["ends_at"] == ["2027-07-15"]
        assert form["weekdays"] == ["0", "4"]
        assert (form["window_from"], form["window_until"]) == (["22:00"], ["06:30"])

    def test_what_is_not_touched_stays(self, alice: User, alices: Browser) -> None:
        fields = {
            "ends_at": datetime(2027, 7, 15, 8, 30, tzinfo=UTC),  # the form knows only the day
            "weekdays": 0b0010001,
            "window_from": time(22),
            "window_until": time(6, 30),
        }
        mailing = make_mailing(
            alice,
            unit=Unit.WEEK,
            starts_at=datetime(2027, 1, 15, 9, tzinfo=UTC),
            time_zone=BERLIN,
            **fields,
        )
        url = url_of("mailing", "edit", mailing.pk)
        assert submit(alices, url, {"name": "Renamed"}).status_code == 302
        mailing.refresh_from_db()
        assert mailing.name == "Renamed"
        assert {name: getattr(mailing, name) for name in fields} == fields

    def test_days_hours_and_number_are_saved(self, alice: User, alices: Browser) -> None:
        mailing = make_mailing(
            alice, unit=Unit.WEEK, starts_at=LATER.replace(second=0, microsecond=0)
        )
        typed = {
            "weekdays": ["0", "6"],
            "max_runs": "12",
            "window_from": "22:00",
            "window_until": "06:00",
        }
        assert submit(alices, url_of("mailing", "edit", mailing.pk), typed).status_code == 302
        mailing.refresh_from_db()
        assert (mailing.weekdays, mailing.max_runs) == (0b1000001, 12)
        assert (mailing.window_from, mailing.window_until) == (time(22), time(6))
        typed = {"weekdays": [], "max_runs": "", "window_from": "", "window_until": ""}
        assert submit(alices, url_of("mailing", "edit", mailing.pk), typed).status_code == 302
        mailing.refresh_from_db()
        assert (mailing.weekdays, mailing.max_runs, mailing.window) == (0, None, None)

    def test_a_new_date_moves_the_next_sending(self, alice: User, alices: Browser) -> None:
        start = timezone.now().replace(second=0, microsecond=0) + timedelta(days=1)
        mailing = make_mailing(
            alice,
            unit=Unit.WEEK,
            status=MailingStatus.SCHEDULED,
            starts_at=start,
            next_due_at=start,
            time_zone=ZoneInfo("UTC"),
        )
        moved = start + timedelta(days=1)
        url = url_of("mailing", "edit", mailing.pk)
        assert submit(alices, url, {"starts_at": wall(moved)}).status_code == 302
        mailing.refresh_from_db()
        assert mailing.starts_at == mailing.next_due_at == moved
        assert mailing.status == MailingStatus.SCHEDULED

    def test_a_start_that_has_passed_may_stay(self, alice: User, alices: Browser) -> None:
        start = timezone.now().replace(second=0, microsecond=0) - timedelta(days=10)
        mailing = make_mailing(
            alice, unit=Unit.WEEK, status=MailingStatus.SCHEDULED, starts_at=start
        )
        url = url_of("mailing", "edit", mailing.pk)
        assert submit(alices, url, {"name": "Renamed"}).status_code == 302
        mailing.refresh_from_db()
        assert mailing.name == "Renamed"
        assert mailing.next_due_at == start + timedelta(days=14)
        earlier = wall(start - timedelta(days=1))
        refuse(alices, url, {"starts_at": earlier}, "starts_at", "has passed")

    def test_what_was_sent_once_by_hand_has_no_date_left(
        self, alice: User, alices: Browser
    ) -> None:
        later = timezone.now().replace(second=0, microsecond=0) + timedelta(days=10)
        mailing = make_mailing(alice, starts_at=later)
        lifecycle.send_now(mailing, form_key=uuid.uuid4(), by=alice, now=timezone.now())
        url = url_of("mailing", "edit", mailing.pk)
        assert "No dates are left." in text_of(alices.get(url))
        assert submit(alices, url, {"name": "Renamed"}).status_code == 302
        mailing.refresh_from_db()
        assert (mailing.name, mailing.next_due_at) == ("Renamed", None)

    def test_a_running_one_keeps_its_run(self, alice: User, alices: Browser) -> None:
        mailing = make_mailing(
            alice, unit=Unit.WEEK, status=MailingStatus.SCHEDULED, next_due_at=NOW
        )
        planner.open_due(NOW, freeze)
        run = Run.objects.get()
        url = url_of("mailing", "edit", mailing.pk)
        other = make_message(alice, subject="Another")
        submit(alices, url, {"message": other.pk, "name": "Renamed"})
        mailing.refresh_from_db()
        assert (mailing.message, mailing.status) == (other, MailingStatus.SENDING)
        assert Run.objects.get().subject == run.subject != "Another"

    @pytest.mark.parametrize(
        "status", [MailingStatus.COMPLETED, MailingStatus.DEACTIVATED], ids=str
    )
    def test_what_has_ended_or_is_forbidden_is_not_edited(
        self, alice: User, alices: Browser, status: MailingStatus
    ) -> None:
        mailing = make_mailing(alice, status=status)
        url = url_of("mailing", "edit", mailing.pk)
        before = everything()
        assert alices.get(url).status_code == 302
        assert alices.post(url, {"name": "Changed"}).status_code == 302
        assert everything() == before

    def test_a_state_that_moves_while_one_types_is_not_put_back(
        self, alice: User, manager: User, alices: Browser
    ) -> None:
        mailing = make_mailing(alice, unit=Unit.WEEK, starts_at=LATER)
        lifecycle.start(mailing, by=alice, now=timezone.now())
        url = url_of("mailing", "edit", mailing.pk)
        typed = offered(alices.get(url)) | {"name": "Renamed"}
        lifecycle.pause(mailing, by=alice)
        alices.post(url, typed)
        mailing.refresh_from_db()
        assert (mailing.name, mailing.status) == ("Renamed", MailingStatus.PAUSED)
        lifecycle.deactivate(mailing, by=manager, reason="Spam", now=NOW)
        alices.post(url, typed | {"name": "Again"})
        mailing.refresh_from_db()
        assert (mailing.name, mailing.status) == ("Renamed", MailingStatus.DEACTIVATED)


class TestPage:
    def test_it_says_in_one_sentence_what_will_happen(self, alice: User, alices: Browser) -> None:
        clients = [make_client(alice) for _ in range(3)]
        Suppression.objects.create(
            owner=alice,
            email_normalized=clients[0].email_normalized,
            reason=SuppressionReason.UNSUBSCRIBED,
            created_at=NOW,
        )
        mailing = make_mailing(
            alice,
            clients,
            unit=Unit.DAY,
            starts_at=datetime(2030, 7, 1, 8, tzinfo=UTC),
            ends_at=datetime(2030, 7, 3, 8, tzinfo=UTC),
            time_zone=BERLIN,
            window_from=time(22),
            window_until=time(6),
            message=make_message(alice, subject="<Hello>"),
        )
        words = text_of(alices.get(url_of("mailing", "inspect", mailing.pk)))
        assert (
            "Sends “<Hello>” to 3 clients, every day at 10:00 (Europe/Berlin), from 1 July 2030, "
            "until 3 July 2030. Letters leave between 22:00 and 06:00. 1 of them gets no letters."
        ) in words
        for date in ("Mon 1 July 2030", "Tue 2 July 2030", "Wed 3 July 2030"):
            assert f"{date} 10:00 UTC+2" in words
        assert "Thu 4 July" not in words

    def test_a_reason_is_shown_to_the_owner(
        self, alice: User, manager: User, alices: Browser
    ) -> None:
        mailing = make_mailing(alice, status=MailingStatus.SCHEDULED)
        lifecycle.deactivate(mailing, by=manager, reason="Looks like <spam>", now=NOW)
        words = text_of(alices.get(url_of("mailing", "inspect", mailing.pk)))
        assert "A manager has deactivated this mailing: Looks like <spam>" in words

    def test_it_lists_its_runs_with_what_came_of_them(self, alice: User, alices: Browser) -> None:
        mailing = make_mailing(
            alice, [make_client(alice) for _ in range(3)], unit=Unit.DAY, status="scheduled"
        )
        Mailing.objects.update(next_due_at=NOW)
        planner.open_due(NOW, freeze)
        first = Delivery.objects.earliest("pk")
        Delivery.objects.filter(pk=first.pk).update(state=DeliveryState.FAILED)
        run = mailing.runs.get()
        for n, status in enumerate((RunStatus.MISSED, RunStatus.SKIPPED), 1):
            Run.objects.create(
                mailing=mailing,
                due_at=NOW - hours(24 * n),
                status=status,
                opened_at=NOW,
                expires_at=NOW,
            )
        words = text_of(alices.get(url_of("mailing", "inspect", mailing.pk)))
        assert "nobody got a late letter" in words
        assert "The run before it was still going on" in words
        assert f"?run={run.pk}" in alices.get(url_of("mailing", "inspect", mailing.pk)).text

    def test_one_that_was_sent_at_once_has_no_date_left(self, alice: User, alices: Browser) -> None:
        mailing = make_mailing(alice, starts_at=LATER)
        page = url_of("mailing", "inspect", mailing.pk)
        assert f"{LATER:%Y}" in text_of(alices.get(page)).partition("Next dates")[2]
        lifecycle.send_now(mailing, form_key=uuid.uuid4(), by=alice, now=timezone.now())
        assert "No dates are left." in text_of(alices.get(page))
        lifecycle.pause(mailing, by=alice)
        assert "No dates are left." in text_of(alices.get(page))

    def test_a_deactivated_one_sends_nothing_whatever_its_dates(
        self, alice: User, manager: User, alices: Browser
    ) -> None:
        mailing = make_mailing(alice, starts_at=LATER)
        lifecycle.start(mailing, by=alice, now=timezone.now())
        lifecycle.deactivate(mailing, by=manager, reason="Spam", now=timezone.now())
        page = alices.get(url_of("mailing", "inspect", mailing.pk))
        assert "Nothing is sent while the mailing is deactivated." in text_of(page)

    def test_the_log_says_who_did_what_when_and_why(
        self, alice: User, manager: User, alices: Browser
    ) -> None:
        mailing = make_mailing(alice, unit=Unit.DAY, starts_at=LATER)
        url = url_of("mailing", "edit", mailing.pk)
        assert submit(alices, url, {"name": "Renamed"}).status_code == 302
        lifecycle.start(mailing, by=alice, now=timezone.now())
        lifecycle.deactivate(mailing, by=manager, reason="Too <many>", now=timezone.now())
        soup = BeautifulSoup(alices.get(url_of("mailing", "inspect", mailing.pk)).text, "lxml")
        entries = soup.select(".ms-time li")
        assert all(entry.find("time", datetime=True) for entry in entries)
        assert [" ".join(p.get_text("").split()) for p in soup.select(".ms-time li > p")] == [
            f"{manager}: Deactivated",
            f"{alice}: Started",
            f"{alice}: Edited",
        ]
        assert [quote.get_text() for quote in soup.select(".ms-time blockquote")] == ["Too <many>"]


class TestEditingWhileSending:
    def test_the_form_says_what_the_run_keeps(self, alice: User, alices: Browser) -> None:
        run = open_run(alice, unit=Unit.DAY)
        url = url_of("mailing", "edit", run.mailing_id)
        keeps = "It keeps the message and the clients that it opened with"
        assert keeps in text_of(alices.get(url))
        lifecycle.pause(run.mailing, by=alice)
        assert keeps in text_of(alices.get(url))
        finish(run)
        assert keeps not in text_of(alices.get(url))
        assert keeps not in text_of(alices.get(NEW))

    def test_so_does_the_form_of_the_message(self, alice: User, alices: Browser) -> None:
        message = make_message(alice)
        url = url_of("message", "edit", message.pk)
        runs = [open_run(alice, unit=Unit.DAY, message=message, name=f"<{n}>") for n in "ab"]
        assert "Runs of “<a>”, “<b>” are under way. They keep" in text_of(alices.get(url))
        finish(runs[0])
        assert "A run of “<b>” is under way. It keeps the message" in text_of(alices.get(url))
        finish(runs[1])
        assert "under way" not in text_of(alices.get(url))

    def test_many_mailings_are_not_all_named(self, alice: User, alices: Browser) -> None:
        message = make_message(alice)
        for n in range(6):
            open_run(alice, message=message, name=f"<{n}>")
        words = text_of(alices.get(url_of("message", "edit", message.pk)))
        assert "“<4>”, … are under way" in words
        assert "“<5>”" not in words


class TestDelete:
    def test_history_stays_and_what_has_not_left_is_cancelled(
        self, alice: User, alices: Browser
    ) -> None:
        clients = [make_client(alice, f"{name}@x.test") for name in ("anna", "ben")]
        mailing = make_mailing(
            alice, clients, name="Old news", status=MailingStatus.SCHEDULED, next_due_at=NOW
        )
        planner.open_due(NOW, freeze)
        sent, waiting = Delivery.objects.order_by("pk")
        Delivery.objects.filter(pk=sent.pk).update(state=DeliveryState.SENT)
        attempt(sent)
        url = url_of("mailing", "delete", mailing.pk)
        before = everything()
        assert "is under way is cancelled" in text_of(alices.get(url))
        assert everything() == before
        assert alices.post(url).status_code == 302
        page = alices.get(url_of("mailing"))
        assert "“Old news” is deleted." in notices(page)
        assert "Old news" not in text_of(page).replace("“Old news” is deleted", "")
        sent.refresh_from_db()
        waiting.refresh_from_db()
        assert (sent.state, waiting.state) == (DeliveryState.SENT, DeliveryState.CANCELLED)
        assert Run.objects.get().status == RunStatus.CANCELLED
        assert Client.objects.count() == 2
        attempts = alices.get(url_of("attempt"))
        assert "Old news" in text_of(attempts)
        assert url_of("mailing", "inspect", mailing.pk) not in attempts.text, "a dead link"

    def test_its_pages_are_gone(self, alice: User, alices: Browser) -> None:
        mailing = make_mailing(alice)
        alices.post(url_of("mailing", "delete", mailing.pk))
        for action in ("inspect", "edit", "delete", "history", "progress", "start", "duplicate"):
            assert alices.get(url_of("mailing", action, mailing.pk)).status_code == 404
        assert alices.post(url_of("mailing", "delete", mailing.pk)).status_code == 404

    def test_it_is_logged_once(self, alice: User, alices: Browser) -> None:
        mailing = make_mailing(alice)
        alices.post(url_of("mailing", "delete", mailing.pk))
        log = everything()["ModelLogEntry"]
        assert [(row["action"], row["user_id"]) for row in log] == [("wagtail.delete", alice.pk)]


def test_a_double_save_makes_two_and_starts_none(alices: Browser, typed: dict[str, Any]) -> None:
    for _ in range(2):
        alices.post(NEW, typed)
    assert [mailing.status for mailing in Mailing.objects.all()] == ["created", "created"]
    assert not Run.objects.exists()


class TestList:
    def test_it_shows_how_many_clients_would_get_it(self, alice: User, alices: Browser) -> None:
        clients = [make_client(alice) for _ in range(4)]
        Suppression.objects.create(
            owner=alice,
            email_normalized=clients[0].email_normalized,
            reason=SuppressionReason.UNSUBSCRIBED,
            created_at=NOW,
        )
        mailing = make_mailing(alice, clients[:2])
        mailing.lists.add(make_list(alice, clients[1:]), make_list(alice, clients[:3]))
        nobody = make_mailing(alice, [])
        page = alices.get(url_of("mailing"))
        assert cells(page, mailing)["audience"] == "3", "four, once each, but for the suppressed"
        assert cells(page, nobody)["audience"] == "0"

    def test_the_bar_of_the_last_run_says_its_figures(self, alice: User, alices: Browser) -> None:
        run = open_run(alice, 4)
        put(run, DeliveryState.SENT, DeliveryState.SENT, DeliveryState.FAILED)
        soup = BeautifulSoup(alices.get(url_of("mailing")).text, "lxml")
        bar = soup.select_one(".field-last_result svg[role=img]")
        assert bar is not None
        assert bar["aria-label"] == "Pending: 1, Sent: 2, Failed: 1"
        widths = [(rect["class"], rect["width"]) for rect in bar.find_all("rect")]
        assert widths == [(["sent"], "50.00%"), (["failed"], "25.00%")]

    def test_a_date_without_letters_has_no_bar(self, alice: User, alices: Browser) -> None:
        mailing = make_mailing(alice)
        Run.objects.create(
            mailing=mailing, due_at=NOW, status=RunStatus.MISSED, opened_at=NOW, expires_at=NOW
        )
        page = alices.get(url_of("mailing"))
        assert "Missed" in cells(page, mailing)["last_result"]
        assert "role=img" not in page.text.replace('"', "")


class TestFilters:
    @pytest.fixture
    def theirs(self, alice: User, bob: User) -> dict[str, Mailing]:
        """Return mailings by name: three of Alice's and one of Bob's."""
        return {
            name: make_mailing(owner, name=name, status=status)
            for owner, name, status in (
                (alice, "Spring news", MailingStatus.CREATED),
                (alice, "Spring sale", MailingStatus.PAUSED),
                (alice, "Autumn news", MailingStatus.PAUSED),
                (bob, "Spring club", MailingStatus.PAUSED),
            )
        }

    def test_a_manager_chooses_among_the_owners_who_have_mailings(
        self, alice: User, bob: User, managers: Browser, theirs: dict[str, Mailing]
    ) -> None:
        page = managers.get(url_of("mailing"), {"owner": bob.pk})
        assert names(page) == {"Spring club"}
        select = BeautifulSoup(page.text, "lxml").find("select", attrs={"name": "owner"})
        assert isinstance(select, Tag)
        offered = {str(o["value"]): o.has_attr("selected") for o in select.find_all("option")}
        assert offered == {"": False, str(alice.pk): False, str(bob.pk): True}
        lifecycle.delete(theirs["Spring club"], by=bob, now=NOW)
        page = managers.get(url_of("mailing"), {"owner": bob.pk})
        assert names(page) == {"Spring news", "Spring sale", "Autumn news"}

    def test_owner_status_and_search_go_together(
        self, alice: User, managers: Browser, theirs: dict[str, Mailing]
    ) -> None:
        chosen = {"owner": str(alice.pk), "status": "paused", "q": "news"}
        page = managers.get(url_of("mailing"), chosen)
        assert names(page) == {"Autumn news"}
        kept = {"owner": chosen["owner"], "q": "news"}
        assert tabs(page) == {
            "All 2": kept,
            "Created 1": kept | {"status": "created"},
            "Paused 1": kept | {"status": "paused"},
        }
        assert searched_with(page) == chosen

    def test_the_numbers_of_the_tabs_follow_the_owner(
        self, bob: User, managers: Browser, theirs: dict[str, Mailing]
    ) -> None:
        assert set(tabs(managers.get(url_of("mailing")))) == {"All 4", "Created 1", "Paused 3"}
        page = managers.get(url_of("mailing"), {"owner": bob.pk, "status": "created"})
        assert set(tabs(page)) == {"All 1", "Created 0", "Paused 1"}, "the chosen one stays"

    @pytest.mark.parametrize("owner", ["9" * 30, "-1", "abc", "²", "\0"])
    def test_an_owner_who_is_not_offered_is_none(
        self, managers: Browser, theirs: dict[str, Mailing], owner: str
    ) -> None:
        assert len(names(managers.get(url_of("mailing"), {"owner": owner}))) == 4

    def test_an_owner_has_no_choice_of_owners(
        self, alice: User, bob: User, alices: Browser, theirs: dict[str, Mailing]
    ) -> None:
        own = {"Spring news", "Spring sale", "Autumn news"}
        for owner in (alice, bob):
            page = alices.get(url_of("mailing"), {"owner": owner.pk})
            assert names(page) == own
            assert set(tabs(page)) == {"All 3", "Created 1", "Paused 2"}
            assert all("owner" not in kept for kept in tabs(page).values())
            assert 'name="owner"' not in page.text
            assert "Spring club" not in page.text


def cells(page: Any, mailing: Mailing) -> dict[str, str]:
    """Return the text of each cell in the row of a mailing, by the name of its column."""
    row = BeautifulSoup(page.text, "lxml").find("tr", attrs={"data-object-pk": str(mailing.pk)})
    assert isinstance(row, Tag)
    return {
        str(cell["class"][0]).removeprefix("field-"): " ".join(cell.get_text(" ").split())
        for cell in row.find_all("td")
    }


def names(page: Any) -> set[str]:
    rows = BeautifulSoup(page.text, "lxml").select(".field-name .title-wrapper")
    return {row.get_text(strip=True) for row in rows}


def tabs(page: Any) -> dict[str, dict[str, str]]:
    """Return what the address of each tab asks for, by its text."""
    links = BeautifulSoup(page.text, "lxml").select(".ms-tabs a")
    return {
        " ".join(link.get_text(" ").split()): dict(parse_qsl(urlsplit(str(link["href"])).query))
        for link in links
    }


def searched_with(page: Any) -> dict[str, str]:
    """Return what the form of the search sends as it stands."""
    form = BeautifulSoup(page.text, "lxml").find("form", role="search")
    assert isinstance(form, Tag)
    sent = {str(i["name"]): str(i["value"]) for i in form.find_all("input")}
    for select in form.find_all("select"):
        sent |= {str(select["name"]): str(o["value"]) for o in select.select("option[selected]")}
    return sent
