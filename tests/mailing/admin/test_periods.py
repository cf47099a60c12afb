"""The screen for intervals: managers keep them, and senseless ones are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from accounts.models import User
from mailing.enums import MonthDay, Unit
from mailing.models import DatePeriod, Mailing
from tests.factories import NOW, make_mailing
from tests.mailing.admin.screens import errors, everything, offered, refuse, submit, text_of, url_of

pytestmark = pytest.mark.django_db

NEW = "/admin/mailing/dateperiod/create/"


@pytest.fixture
def managers(manager: User, browse: Callable[..., Browser]) -> Browser:
    return browse(manager)


def test_a_manager_adds_one(managers: Browser) -> None:
    assert submit(managers, NEW, {"count": 3, "unit": "day"}).status_code == 302
    assert DatePeriod.objects.filter(unit=Unit.DAY, count=3).exists()
    assert "every 3 days" in text_of(managers.get(url_of("dateperiod")))


@pytest.mark.parametrize(
    ("count", "unit", "words"),
    [
        ("0", "day", "from 1 to 1000"),
        ("-1", "day", ""),
        ("1001", "day", "from 1 to 1000"),
        ("99999999999999999999", "day", ""),
        ("1.5", "day", ""),
        ("", "day", "required"),
        ("2", "once", "has the number 1"),
        ("4", "minute", "every 5 minutes"),
        ("101", "year", "at most 100 years"),
        ("1", "day", "exists already"),
    ],
)
def test_a_senseless_number_is_an_error_at_the_field(
    managers: Browser, count: str, unit: str, words: str
) -> None:
    before = everything()
    page = managers.post(NEW, {"count": count, "unit": unit, "month_day": "day"})
    assert page.status_code == 200
    assert everything() == before
    found = errors(page)
    assert set(found) == {"count"}, found
    assert words in found["count"][0]
    assert offered(page)["count"] == [count]


def test_a_unit_is_one_of_ours(managers: Browser) -> None:
    before = everything()
    page = managers.post(NEW, {"count": "1", "unit": "fortnight", "month_day": "day"})
    assert set(errors(page)) == {"unit"}
    assert everything() == before


@pytest.mark.parametrize(
    ("count", "unit"), [("5", "minute"), ("1000", "day"), ("7", "month"), ("100", "year")]
)
def test_the_borders_are_allowed(managers: Browser, count: str, unit: str) -> None:
    typed = {"count": count, "unit": unit, "month_day": "day"}
    assert managers.post(NEW, typed).status_code == 302
    assert DatePeriod.objects.filter(unit=unit, count=count).exists()


def test_saving_one_unchanged_is_no_collision(managers: Browser) -> None:
    period = DatePeriod.objects.create(unit=Unit.DAY, count=77)
    url = url_of("dateperiod", "edit", period.pk)
    assert submit(managers, url, {}).status_code == 302
    assert submit(managers, url, {"count": 78}).status_code == 302
    period.refresh_from_db()
    assert period.count == 78


def test_months_have_a_day(managers: Browser) -> None:
    typed = {"count": 2, "unit": "month", "month_day": "last_weekday"}
    assert submit(managers, NEW, typed).status_code == 302
    assert DatePeriod.objects.filter(count=2, month_day=MonthDay.LAST_WEEKDAY).exists()
    assert "every 2 months, on the last such weekday" in text_of(managers.get(url_of("dateperiod")))
    assert submit(managers, NEW, {**typed, "month_day": "day"}).status_code == 302
    refuse(managers, NEW, typed, "count", "exists already")


def test_nothing_else_has_such_a_day(managers: Browser) -> None:
    typed = {"count": 2, "unit": "week", "month_day": "last_day"}
    refuse(managers, NEW, typed, "month_day", "Only an interval of months")


@pytest.mark.parametrize(
    ("field", "value"), [("count", "78"), ("unit", "day"), ("month_day", "last_day")]
)
def test_the_rule_of_one_that_a_mailing_uses_stays(
    alice: User, managers: Browser, field: str, value: str
) -> None:
    mailing = make_mailing(alice, unit=Unit.MONTH, count=77)
    url = url_of("dateperiod", "edit", mailing.period_id)
    refuse(managers, url, {field: value}, field, "their dates would change")
    assert submit(managers, url, {}).status_code == 302, "nothing has changed"
    Mailing.objects.update(deleted_at=NOW)
    assert submit(managers, url, {field: value}).status_code == 302


def test_the_shortest_comes_first(managers: Browser) -> None:
    DatePeriod.objects.create(unit=Unit.MINUTE, count=7)
    DatePeriod.objects.create(unit=Unit.YEAR, count=99)
    words = text_of(managers.get(url_of("dateperiod")))
    assert words.index("every 7 minutes") < words.index("every year") < words.index("99 years")


def test_one_that_a_mailing_uses_cannot_be_deleted(alice: User, managers: Browser) -> None:
    mailing = make_mailing(alice, unit=Unit.DAY, count=77)
    url = url_of("dateperiod", "delete", mailing.period_id)
    page = managers.post(url)
    assert "cannot be deleted" in text_of(page)
    assert Mailing.objects.get().period == mailing.period
    Mailing.objects.all().delete()
    assert managers.post(url).status_code == 302
    assert not DatePeriod.objects.filter(pk=mailing.period_id).exists()


def test_users_choose_among_them_but_keep_none(alice: User, browse: Callable[..., Browser]) -> None:
    period = DatePeriod.objects.create(unit=Unit.DAY, count=77)
    alices = browse(alice)
    assert "every 77 days" in alices.get(url_of("mailing", "create")).text
    before = everything()
    for url in (
        url_of("dateperiod"),
        NEW,
        url_of("dateperiod", "edit", period.pk),
        url_of("dateperiod", "delete", period.pk),
    ):
        assert alices.get(url).status_code in {302, 403, 404}, url
        typed = {"count": 9, "unit": "day", "month_day": "day"}
        assert alices.post(url, typed).status_code in {302, 403, 404, 405}, url
    assert everything() == before


def test_each_says_how_many_mailings_and_owners_use_it(
    alice: User, bob: User, managers: Browser, django_assert_max_num_queries: Any
) -> None:
    for owner, count in ((alice, 17), (alice, 17), (bob, 17), (alice, 19)):
        make_mailing(owner, unit=Unit.DAY, count=count)
    deleted = make_mailing(bob, unit=Unit.DAY, count=19)
    Mailing.objects.filter(pk=deleted.pk).update(deleted_at=NOW, message=None)
    with django_assert_max_num_queries(20):
        words = text_of(managers.get(url_of("dateperiod")))
    assert "every 17 days Edit Delete 3 2" in words
    assert "every 19 days Edit Delete 1 1" in words
