"""What an owner takes along."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import DjangoAssertNumQueries
from wagtail.log_actions import log

from accounts import portability
from accounts.blocking import set_active
from accounts.models import User
from mailing import lifecycle
from mailing.belongings import SECTIONS
from mailing.enums import MailingStatus
from mailing.models import ImportFault
from tests.factories import NOW, make_client, make_clients, make_list, make_mailing
from tests.mailing.importing.files import make_import

pytestmark = pytest.mark.django_db


def test_clients_come_with_their_lists(alice: User, bob: User) -> None:
    client = make_client(alice, "rose@clients.test")
    client_list = make_list(alice, [client])
    make_client(bob)
    (row,) = SECTIONS["clients"](alice)
    assert (row["email"], row["lists"], row["tags"]) == ("rose@clients.test", [client_list.pk], [])


def test_many_are_read_in_steps(
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Callable[..., DjangoAssertNumQueries],
) -> None:
    make_clients(alice, [f"c{n}@clients.test" for n in range(25)])
    monkeypatch.setattr("mailing.belongings.STEP", 10)
    with django_assert_max_num_queries(4 * 3):
        rows = list(SECTIONS["clients"](alice))
    assert len({row["pk"] for row in rows}) == 25


@pytest.mark.parametrize("name", SECTIONS)
def test_none_of_it_is_anothers(alice: User, bob: User, name: str) -> None:
    mailing = make_mailing(bob, [make_client(bob)])
    row = make_import(bob, ["email", "anna@x.test"])
    ImportFault.objects.create(client_import=row, line=2, reason="no_address")
    log(instance=mailing, action="mailing.pause", user=bob)
    assert list(SECTIONS[name](alice)) == []


def test_imports_come_with_the_lines_that_were_faulty(alice: User) -> None:
    row = make_import(alice, ["email", "anna@x.test"])
    ImportFault.objects.create(client_import=row, line=2, reason="no_address", cells=["Anna"])
    (taken,) = SECTIONS["imports"](alice)
    (line,) = SECTIONS["faulty-lines"](alice)
    assert (taken["pk"], line["client_import"], line["cells"]) == (row.pk, row.pk, ["Anna"])


def test_a_manager_takes_nothing_along_of_what_others_have(alice: User, manager: User) -> None:
    mailing = make_mailing(alice, name="Secret", status=MailingStatus.SCHEDULED)
    lifecycle.deactivate(mailing, by=manager, reason="Spam", now=NOW)
    set_active(alice, active=False, by=manager)
    assert list(SECTIONS["log"](manager)) == []
    assert [row["label"] for row in SECTIONS["log"](alice)] == ["Secret", str(alice)]


def test_every_section_is_in_the_copy() -> None:
    assert set(SECTIONS) <= set(portability._sections)
    assert {"account", "sessions", "page-log", "posts", "pictures"} <= set(portability._sections)
