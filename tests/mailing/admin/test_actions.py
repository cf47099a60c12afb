"""The pages that ask before something is done with a mailing, and what their POST does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import User
from mailing.admin.actions import ACTIONS
from mailing.composer.render import freeze
from mailing.engine import planner
from mailing.enums import DeliveryState, MailingStatus, RunStatus, Unit
from mailing.models import Delivery, Mailing, Run
from tests.factories import make_client, make_mailing
from tests.mailing.admin.screens import everything, notices, text_of, url_of

pytestmark = pytest.mark.django_db

S = MailingStatus
Browse = Callable[[User], Browser]


@pytest.fixture
def alices(alice: User, browse: Browse) -> Browser:
    return browse(alice)


@pytest.fixture
def managers(manager: User, browse: Browse) -> Browser:
    return browse(manager)


def daily(owner: User, status: MailingStatus, *, clients: int = 2) -> Mailing:
    return make_mailing(
        owner,
        [make_client(owner) for _ in range(clients)],
        unit=Unit.DAY,
        status=status,
        starts_at=timezone.now() + timedelta(days=1),
    )


def going_on(owner: User, *, clients: int = 2) -> tuple[Mailing, Run]:
    """Return a mailing with a run that has begun."""
    mailing = daily(owner, S.SCHEDULED, clients=clients)
    now = timezone.now()
    Mailing.objects.filter(pk=mailing.pk).update(next_due_at=now, starts_at=now)
    planner.open_due(now, freeze)
    mailing.refresh_from_db()
    return mailing, mailing.runs.get()


def press(browser: Browser, mailing: Mailing, action: str, **typed: str) -> str:
    """Open the page of an action, press its button, return what the next page says."""
    page = browser.get(url_of("mailing", action, mailing.pk))
    assert page.status_code == 200, "the page that asks"
    data = {"form_key": str(page.context["form_key"]), **typed}
    answer = browser.post(url_of("mailing", action, mailing.pk), data, follow=True)
    assert answer.status_code == 200
    mailing.refresh_from_db()
    return notices(answer)


def test_start_puts_it_on_its_schedule(alice: User, alices: Browser) -> None:
    mailing = daily(alice, S.CREATED)
    assert "First sending" in press(alices, mailing, "start")
    assert (mailing.status, mailing.next_due_at) == (S.SCHEDULED, mailing.starts_at)


def test_asking_changes_nothing_and_repeats_the_number(alice: User, alices: Browser) -> None:
    mailing = daily(alice, S.CREATED, clients=3)
    before = everything()
    page = alices.get(url_of("mailing", "start", mailing.pk))
    assert "goes to 3 clients" in text_of(page)
    assert everything() == before


def test_nobody_can_be_sent_to_nobody(alice: User, alices: Browser) -> None:
    mailing = daily(alice, S.CREATED, clients=0)
    assert "Nobody would get this mailing" in press(alices, mailing, "start")
    assert mailing.status == S.CREATED


def test_pressing_send_now_twice_sends_once(alice: User, alices: Browser) -> None:
    mailing = daily(alice, S.SCHEDULED)
    url = url_of("mailing", "send_now", mailing.pk)
    form = {"form_key": str(alices.get(url).context["form_key"])}
    assert "2 clients are on their way" in notices(alices.post(url, form, follow=True))
    alices.post(url, form, follow=True)
    assert mailing.runs.count() == 1


def test_a_damaged_form_sends_nothing_and_says_so(alice: User, alices: Browser) -> None:
    mailing = daily(alice, S.SCHEDULED)
    assert "damaged" in press(alices, mailing, "send_now", form_key="no key")
    assert not mailing.runs.exists()


def test_pause_and_resume(alice: User, alices: Browser) -> None:
    mailing, run = going_on(alice)
    assert "paused" in press(alices, mailing, "pause")
    run.refresh_from_db()
    assert (mailing.status, run.status) == (S.PAUSED, RunStatus.PAUSED)
    assert "goes on" in press(alices, mailing, "resume")
    run.refresh_from_db()
    assert (mailing.status, run.status) == (S.SENDING, RunStatus.SENDING)


def test_cancel_ends_the_run_and_not_the_mailing(alice: User, alices: Browser) -> None:
    mailing, run = going_on(alice)
    press(alices, mailing, "cancel")
    run.refresh_from_db()
    assert (mailing.status, run.status) == (S.SCHEDULED, RunStatus.CANCELLED)
    assert {d.state for d in run.deliveries.all()} == {DeliveryState.CANCELLED}


@pytest.mark.parametrize(
    ("action", "state", "other"),
    [
        ("send_unknown", DeliveryState.UNKNOWN, DeliveryState.FAILED),
        ("retry_failed", DeliveryState.FAILED, DeliveryState.UNKNOWN),
    ],
)
def test_only_what_was_asked_for_is_sent_again(
    alice: User, alices: Browser, action: str, state: DeliveryState, other: DeliveryState
) -> None:
    mailing, run = going_on(alice)
    first, second = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=first.pk).update(state=state, attempts=1)
    Delivery.objects.filter(pk=second.pk).update(state=other, attempts=1)
    Run.objects.update(status=RunStatus.COMPLETED)
    Mailing.objects.update(status=S.SCHEDULED)
    label = {"send_unknown": "Send again to this 1 unknown", "retry_failed": "Retry 1 failed"}
    assert label[action] in text_of(alices.get(url_of("mailing", "inspect", mailing.pk)))
    assert label[action] in text_of(alices.get(url_of("mailing", action, mailing.pk)))
    assert "1 letter is sent again" in press(alices, mailing, action)
    assert [d.state for d in run.deliveries.order_by("pk")] == [DeliveryState.PENDING, other]


def test_the_copy_is_opened_to_be_checked(alice: User, alices: Browser) -> None:
    mailing = daily(alice, S.COMPLETED)
    answer = alices.post(url_of("mailing", "duplicate", mailing.pk))
    copy = Mailing.objects.exclude(pk=mailing.pk).get()
    assert answer["Location"] == url_of("mailing", "edit", copy.pk)
    assert copy.status == S.CREATED
    assert set(copy.clients.all()) == set(mailing.clients.all())


def test_a_manager_deactivates_with_a_reason_and_lifts_it(
    alice: User, alices: Browser, managers: Browser
) -> None:
    mailing, run = going_on(alice)
    url = url_of("mailing", "deactivate", mailing.pk)
    page = managers.post(url, {"reason": "  "})
    assert "This field is required" in text_of(page)
    assert "deactivated" in press(managers, mailing, "deactivate", reason="Too <many> letters")
    run.refresh_from_db()
    assert (mailing.status, run.status) == (S.DEACTIVATED, RunStatus.PAUSED)
    assert "Too <many> letters" in text_of(alices.get(url_of("mailing", "inspect", mailing.pk)))
    press(managers, mailing, "lift")
    assert (mailing.status, mailing.reason) == (S.PAUSED, "")


# What an owner and a manager may do with a mailing in each status.
OWNERS = {
    S.CREATED: {"start", "duplicate"},
    S.SCHEDULED: {"pause", "send_now", "duplicate"},
    S.SENDING: {"pause", "duplicate"},
    S.PAUSED: {"resume", "duplicate"},
    S.DEACTIVATED: {"duplicate"},
    S.COMPLETED: {"duplicate"},
}
MANAGERS = {
    S.CREATED: set(),
    S.SCHEDULED: {"deactivate"},
    S.SENDING: {"deactivate"},
    S.PAUSED: {"deactivate"},
    S.DEACTIVATED: {"lift"},
    S.COMPLETED: set(),
}


@pytest.mark.parametrize("status", S)
def test_each_action_has_its_people_and_its_time(
    alice: User, alices: Browser, managers: Browser, status: MailingStatus
) -> None:
    mailing = daily(alice, status)
    before = everything()
    for browser, allowed in ((alices, OWNERS[status]), (managers, MANAGERS[status])):
        for name in ACTIONS:
            answer = browser.get(url_of("mailing", name, mailing.pk))
            assert (answer.status_code == 200) == (name in allowed), name
            if name not in allowed:
                refused = browser.post(
                    url_of("mailing", name, mailing.pk), {"reason": "x"}, follow=True
                )
                assert "cannot be done" in notices(refused), name
    assert everything() == before


def test_the_buttons_on_the_page_are_those_that_work(alice: User, alices: Browser) -> None:
    for status in S:
        mailing = daily(alice, status)
        page = alices.get(url_of("mailing", "inspect", mailing.pk)).text
        offered = {name for name in ACTIONS if url_of("mailing", name, mailing.pk) in page}
        assert offered == OWNERS[status]
