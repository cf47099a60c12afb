"""The screen for intervals: managers keep them, and senseless ones are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from accounts.models import User
from mailing.enums import Unit
from mailing.models import DatePeriod, Mailing
from tests.factories import make_mailing
from tests.mailing.admin.screens import errors, everything, offered, submit, text_of, url_of

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
        ("1", "day", "exists already"),
    ],
)
def test_a_senseless_number_is_an_error_at_the_field(
    managers: Browser, count: str, unit: str, words: str
) -> None:
    before = everything()
    page = managers.post(NEW, {"count": count, "unit": unit})
    assert page.status_code == 200
    assert everything() == before
    found = errors(page)
    assert set(found) == {"count"}, found
    assert words in found["count"][0]
    assert offered(page)["count"] == [count]


def test_a_unit_is_one_of_ours(managers: Browser) -> None:
    before = everything()
    page = managers.post(NEW, {"count": "1", "unit": "fortnight"})
    assert set(errors(page)) == {"unit"}
    assert everything() == before


@pytest.mark.parametrize(("count", "unit"), [("5", "minute"), ("1000", "day"), ("7", "month")])
def test_the_borders_are_allowed(managers: Browser, count: str, unit: str) -> None:
    assert managers.post(NEW, {"count": count, "unit": unit}).status_code == 302
    assert DatePeriod.objects.filter(unit=unit, count=count).exists()


def test_saving_one_unchanged_is_no_collision(managers: Browser) -> None:
    period = DatePeriod.objects.create(unit=Unit.DAY, count=77)
    url = url_of("dateperiod", "edit", period.pk)
    assert submit(managers, url, {}).status_code == 302
    assert submit(managers, url, {"count": 78}).status_code == 302
    period.refresh_from_db()
    assert period.count == 78


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
        typed = {"count": 9, "unit": "day"}
        assert alices.post(url, typed).status_code in {302, 403, 404, 405}, url
    assert everything() == before
