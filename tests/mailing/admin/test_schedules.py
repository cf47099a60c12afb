"""What the schedule in a form means, told while one types."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.test import Client as Browser

from accounts.models import User
from mailing.enums import MailingStatus, Unit
from mailing.models import DatePeriod, Mailing
from tests.factories import NOW, make_mailing
from tests.mailing.admin.screens import everything, text_of, url_of

pytestmark = pytest.mark.django_db

NEW = "/admin/mailing/mailing/dates/"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


def typed(**fields: Any) -> dict[str, Any]:
    period, _ = DatePeriod.objects.get_or_create(unit=Unit.WEEK, count=1)
    return {
        "period": period.pk,
        "time_zone": "Europe/Berlin",
        "starts_at": "2027-03-22T09:00",
        **fields,
    }


def told(answer: Any) -> str:
    return " ".join(BeautifulSoup(answer.text, "lxml").get_text(" ").split())


def test_a_sentence_and_five_dates_in_the_mailings_zone(alices: Browser) -> None:
    before = everything()
    words = told(alices.get(NEW, typed(window_from="09:00", window_until="18:00")))
    assert words == (
        "Every Monday at 09:00 (Europe/Berlin), from 22 March 2027. "
        "Letters leave between 09:00 and 18:00. "
        "Mon 22 March 2027 09:00 UTC+1 Mon 29 March 2027 09:00 UTC+2 "
        "Mon 5 April 2027 09:00 UTC+2 Mon 12 April 2027 09:00 UTC+2 "
        "Mon 19 April 2027 09:00 UTC+2"
    )
    assert everything() == before


def test_no_more_dates_than_there_are(alices: Browser) -> None:
    words = told(alices.get(NEW, typed(ends_at="2027-03-29")))
    assert "until 29 March 2027" in words
    assert words.endswith("Mon 29 March 2027 09:00 UTC+2")


def test_what_is_wrong_is_told_with_the_name_of_its_field(alices: Browser) -> None:
    words = told(alices.get(NEW, typed(ends_at="2027-02-30", max_runs="0")))
    assert words == (
        "Last day: There is no such day in the calendar: 2027-02-30. "
        "Number of dates: Choose a number from 1 to 1000."
    )


def test_fields_that_do_not_belong_to_the_schedule_are_not_missed(alices: Browser) -> None:
    assert "Every Monday" in told(alices.get(NEW, typed(name="")))


def test_nothing_typed_is_told_without_a_fault(alices: Browser) -> None:
    assert "Interval: This field is required." in told(alices.get(NEW))


def test_an_old_mailing_may_keep_a_start_that_has_passed(alice: User, alices: Browser) -> None:
    start = datetime(2026, 11, 2, 8, tzinfo=UTC)
    mailing = make_mailing(alice, unit=Unit.WEEK, starts_at=start, time_zone=BERLIN)
    url = url_of("mailing", "dates", mailing.pk)
    passed = typed(starts_at="2026-11-02T09:00")
    words = told(alices.get(url, passed))
    assert "from 2 November 2026" in words
    assert "Mon 30 November 2026 09:00" in words
    assert "This time has passed" in told(alices.get(NEW, passed))


def test_it_is_for_those_who_may_edit(
    alice: User, bob: User, manager: User, browse: Callable[..., Browser]
) -> None:
    mailing = make_mailing(alice)
    url = url_of("mailing", "dates", mailing.pk)
    assert browse(bob).get(url, typed()).status_code == 404
    assert browse(manager).get(url, typed()).status_code == 302
    Mailing.objects.update(status=MailingStatus.COMPLETED)
    assert browse(alice).get(url, typed()).status_code == 302
    assert browse(alice).post(NEW, typed()).status_code == 405


def test_without_script_the_form_tells_what_is_saved(alice: User, alices: Browser) -> None:
    mailing = make_mailing(
        alice,
        unit=Unit.WEEK,
        starts_at=datetime(2027, 3, 22, 8, tzinfo=UTC),
        time_zone=BERLIN,
        window_from=time(9),
        window_until=time(18),
    )
    words = text_of(alices.get(url_of("mailing", "edit", mailing.pk)))
    assert "Every Monday at 09:00 (Europe/Berlin), from 22 March 2027." in words
    assert "Mon 29 March 2027 09:00 UTC+2" in words
    assert "The next dates appear here." in text_of(alices.get(url_of("mailing", "create")))
