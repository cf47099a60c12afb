"""Lists cost the same number of queries however many rows they show to a manager."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from accounts.models import User
from mailing import lifecycle
from mailing.enums import Outcome, Stage
from mailing.models import Attempt
from tests.factories import make_client, make_list, make_mailing

pytestmark = pytest.mark.django_db


def add_owner(make_user: Callable[..., User], number: int) -> None:
    owner = make_user(f"owner{number}", roles.USERS)
    client = make_client(owner)
    make_list(owner, [client])
    run = lifecycle.send_now(
        make_mailing(owner, [client]), form_key=uuid.uuid4(), by=owner, now=timezone.now()
    )
    assert run is not None
    Attempt.objects.create(
        owner=owner,
        delivery=run.deliveries.get(),
        number=1,
        at=timezone.now(),
        outcome=Outcome.ACCEPTED,
        stage=Stage.DOT,
    )


def queries(browser: Browser, url: str) -> int:
    browser.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    "name", ["client", "clientlist", "message", "mailing", "delivery", "attempt", "user"]
)
def test_more_rows_cost_no_more_queries(
    name: str,
    make_user: Callable[..., User],
    browse: Callable[..., Browser],
    manager: User,
) -> None:
    browser = browse(manager)
    view = "wagtailusers_users:index" if name == "user" else f"mailing_{name}_modeladmin_index"
    for number in range(2):
        add_owner(make_user, number)
    few = queries(browser, reverse(view))
    for number in range(2, 9):
        add_owner(make_user, number)
    assert queries(browser, reverse(view)) == few
