"""Whoever writes what a page shows is noticed: what has changed is compared with what is told.

Each way to write many rows at once is gone: the engine, imports, what is done to many clients, the
erasure of accounts, the commands, statements of our own and those past Django's cursors.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import Settings
from wagtail.models import GroupPagePermission, ModelLogEntry, Page

from accounts import closing
from accounts.models import User
from blog import workflow
from blog.models import BlogPage
from home.models import HomePage
from mailing import clientele, dispatch, lifecycle
from mailing.engine import ledger
from mailing.engine.classify import Reply
from mailing.enums import ClientAction, DeliveryState, Existing, MailingStatus, Outcome, Stage
from mailing.importing import jobs
from mailing.models import (
    Attempt,
    Batch,
    Client,
    ClientChange,
    ClientImport,
    ClientList,
    ClientTag,
    Delivery,
    HourlyCount,
    ImportFault,
    Mailing,
    Message,
    Run,
    Suppression,
)
from mailing.selection import Selection
from mailing.tokens import unsubscribe_token
from site_project import page_cache
from tests.blog.posts import make_post
from tests.factories import make_client, make_list
from tests.mailing.importing.files import csv_of, make_import, xlsx_of
from tests.mailing.server import due_now
from tests.pages.writes import all_is_told
from tests.sink import Sink

pytestmark = pytest.mark.django_db(transaction=True)

Memberships, Marks = ClientList.clients.through, Client.tags.through


def rename_groups_past_the_cursors() -> None:
    connection.ensure_connection()
    connection.connection.execute("UPDATE auth_group SET name = name || '!'")


class TestTheComparison:
    def test_a_write_past_the_cursors_is_missed(self) -> None:
        with pytest.raises(AssertionError, match="nobody is told of"), all_is_told():
            rename_groups_past_the_cursors()

    def test_and_told_it_is_not(self) -> None:
        with all_is_told(Group), transaction.atomic():
            rename_groups_past_the_cursors()
            page_cache.wrote(Group)

    def test_what_nobody_writes_is_missed_too(self) -> None:
        with pytest.raises(AssertionError, match="nothing was done"), all_is_told(Group):
            pass


class TestEngine:
    def test_a_run_from_its_opening_to_its_oblivion(
        self, alice: User, sink: Sink, settings: Settings
    ) -> None:
        due_now(alice, "ok+a@x.test", "550+b@x.test", "4xx+c@x.test", "dropdot+d@x.test")
        with all_is_told(Mailing, Run, Delivery, Batch):
            dispatch.plan()
        with all_is_told(Delivery, Attempt, Batch, Suppression):
            dispatch.send()
        states = set(Delivery.objects.values_list("state", flat=True))
        assert states >= {DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DEFERRED}
        with all_is_told(HourlyCount):
            dispatch.plan()
        settings.RETENTION_DAYS = 30
        Attempt.objects.update(at=timezone.now() - timedelta(days=40))
        with all_is_told(Attempt, Delivery):
            dispatch.forget()

    def test_the_command(self, alice: User, sink: Sink) -> None:
        due_now(alice, "ok+a@x.test")
        with all_is_told(Mailing, Run, Delivery, Attempt):
            call_command("scheduler", once=True)

    def test_a_lease_of_the_dead(self, alice: User, sink: Sink) -> None:
        due_now(alice, *(f"ok+{n}@x.test" for n in range(5)))
        dispatch.plan()
        batch = Batch.objects.get()
        past = timezone.now() - timedelta(hours=1)
        Batch.objects.filter(pk=batch.pk).update(
            lease_token=uuid4(),
            leased_at=past,
            lease_until=past,
            missed_since=past,
            armed_to=batch.first_id + 1,
            host="elsewhere",
        )
        with all_is_told(Batch, Delivery, Attempt):
            dispatch.plan()
        assert Delivery.objects.filter(state=DeliveryState.UNKNOWN).count() == 2

    def test_the_ledger_alone(self, alice: User, sink: Sink) -> None:
        """It writes on the driver's own connection, where only it can tell."""
        due_now(alice, "ok+a@x.test")
        dispatch.plan()
        delivery = Delivery.objects.get()
        finding = ledger.Finding(
            run_id=delivery.run_id,
            delivery_id=delivery.pk,
            attempt=1,
            at=timezone.now(),
            state=DeliveryState.SENT,
            outcome=Outcome.ACCEPTED,
            stage=Stage.DOT,
            reply=Reply(250, text="queued"),
            next_attempt_at=None,
            suppress=False,
        )
        with all_is_told(Delivery, Attempt):
            ledger.record([finding])


class TestOwners:
    @pytest.mark.parametrize("make", [csv_of, xlsx_of])
    def test_an_import(self, alice: User, make: Callable[..., bytes]) -> None:
        make_client(alice, "rose@x.test", first_name="Rose")
        rows = [
            ("email", "first name", "list", "tags"),
            ("rose@x.test", "Rosa", "Friends", "vip"),
            ("mint@x.test", "Mint", "Friends", "vip"),
            ("nobody", "", "", ""),
        ]
        lines: Any = [",".join(row) for row in rows] if make is csv_of else rows
        row = make_import(alice, make(*lines), existing=Existing.UPDATE)
        with all_is_told(ClientImport, Client, ImportFault):
            assert jobs.start(row, now=timezone.now())
            while dispatch.import_clients():
                pass
        assert Client.objects.get(email="rose@x.test").first_name == "Rosa"
        assert Client.objects.filter(email="mint@x.test").exists()

    def test_what_is_done_to_many_clients(self, alice: User) -> None:
        client = make_client(alice)
        friends = make_list(alice)
        make_list(alice, [client])
        deeds: list[tuple[ClientAction, type, dict[str, Any]]] = [
            (ClientAction.ADD, Memberships, {"client_list": friends}),
            (ClientAction.REMOVE, Memberships, {"client_list": friends}),
            (ClientAction.TAG, Marks, {"tags": ["new"]}),
            (ClientAction.UNTAG, Marks, {"tags": ["new"]}),
            (ClientAction.EXCLUDE, Suppression, {}),
            (ClientAction.READMIT, Suppression, {}),
            (ClientAction.DELETE, Client, {}),
        ]
        assert {action for action, *_rest in deeds} == set(ClientAction)
        for action, model, target in deeds:
            with all_is_told(model, ClientChange):
                change = clientele.begin(alice, action, Selection(), **target)
                assert clientele.go_on(change, seconds=10)

    def test_the_erasure_of_an_account(self, alice: User, sink: Sink) -> None:
        due_now(alice, "ok+a@x.test", "550+b@x.test")
        client = make_client(alice)
        client.tags.add(ClientTag.objects.create(owner=alice, name="vip"))
        make_list(alice, [client])
        make_post("Dahlias", owner=alice, author=alice)
        for step in (dispatch.plan, dispatch.send):
            step()
        with all_is_told(User, User.groups.through):
            closing.close(alice, now=timezone.now())
        gone = (User, Client, ClientList, ClientTag, Memberships, Marks, Mailing, Message)
        with all_is_told(*gone, Run, Delivery, Attempt, Suppression, Page, BlogPage):
            while closing.erase_due(timezone.now() + closing.CLAIM * 2):
                pass
        assert not User.objects.filter(pk=alice.pk).exists()

    def test_unsubscribing(self, alice: User, sink: Sink, browse: Callable[..., Browser]) -> None:
        due_now(alice, "ok+a@x.test")
        dispatch.plan()
        address = f"/u/{unsubscribe_token(Delivery.objects.get().pk)}/"
        with all_is_told(Suppression):
            browse(None).post(address)

    def test_the_deeds_of_a_mailing(self, alice: User, manager: User, sink: Sink) -> None:
        mailing = due_now(alice, "ok+a@x.test")
        dispatch.plan()
        with all_is_told(Mailing, ModelLogEntry):
            lifecycle.deactivate(mailing, by=manager, reason="Complaints.", now=timezone.now())
        mailing.refresh_from_db()
        assert mailing.status == MailingStatus.DEACTIVATED
        with all_is_told(Mailing):
            lifecycle.delete(mailing, by=alice, now=timezone.now())


class TestTheSite:
    def test_the_commands_for_a_first_look(self, settings: Settings) -> None:
        settings.DEBUG = True
        with all_is_told(User, User.groups.through):
            call_command("create_users", verbosity=0)
        with all_is_told(Client, Mailing, Run, Delivery, Attempt, HourlyCount, Page, BlogPage):
            call_command("seed", verbosity=0)

    def test_migrate(self) -> None:
        """What every database needs is made again where it is missing."""
        HomePage.objects.update(texts_en="[]")
        Group.objects.get(name="Users").permissions.clear()
        GroupPagePermission.objects.all().delete()
        with all_is_told(HomePage, Group.permissions.through, GroupPagePermission):
            call_command("migrate", verbosity=0)

    def test_dates_of_posts_that_have_come(self, blogger: User) -> None:
        post = make_post("Dahlias", owner=blogger)
        BlogPage.objects.filter(pk=post.pk).update(expire_at=timezone.now() - timedelta(minutes=1))
        with all_is_told(Page):
            workflow.keep_dates(timezone.now())

    def test_moving_pages_about(self, blogger: User) -> None:
        """The tree of pages is written by statements of its own."""
        first, second = make_post("First", owner=blogger), make_post("Second", owner=blogger)
        with all_is_told(Page):
            second.move(first, pos="left")
