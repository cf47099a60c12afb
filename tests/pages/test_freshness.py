"""Whatever changes and however, the next request shows it; what the engine does, within a second.

A test brings the pages into the cache first. It fails if they were not there, if one of them does
not show the change at once, or if the page that is kept then is not what would be rendered.
"""

from __future__ import annotations

import ast
import os
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from django.conf import settings as live_settings
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings
from wagtail.models import GroupPagePermission, Page, PageViewRestriction
from wagtail.users.models import UserProfile

from accounts import blocking, closing, roles
from accounts.models import User
from blog import workflow
from blog.models import BlogIndexPage, BlogPage
from home.models import HomePage
from mailing import clientele, dispatch, heartbeat
from mailing.engine import retention, suppressions
from mailing.enums import ClientAction, DeliveryState, MailingStatus, SuppressionReason
from mailing.models import Attempt, Client, Mailing, Message, Run
from mailing.pages import MAILINGS
from mailing.selection import Selection
from mailing.tokens import unsubscribe_token
from site_project import table_writes
from site_project.page_cache import ManagedCache
from site_project.page_drops import SECONDS
from tests.blog.posts import hide, make_post
from tests.factories import make_client, make_clients, make_mailing
from tests.mailing.admin.screens import submit, url_of
from tests.mailing.admin.test_compose import typed
from tests.mailing.importing.files import carry_out, make_import
from tests.pages import elsewhere
from tests.pages.elsewhere import ROOT
from tests.pages.freshness import LOOKS, SCREENS, Stage, everybodys, is_hit, looks
from tests.sink import Sink

pytestmark = pytest.mark.django_db(transaction=True)

PAST_DJANGO = (
    "connection.connection",
    "wrapper.connection",
    "sqlite3.connect",
    "psycopg.connect",
    "cursor.copy(",
)
PACKAGES = ("accounts", "blog", "home", "mailing", "site_project")


@pytest.fixture
def stage(browse: Callable[..., Browser], alice: User, manager: User, blogger: User) -> Stage:
    return Stage(browse, alice=alice, manager=manager, blogger=blogger)


class TestForms:
    def test_a_mailing(self, stage: Stage) -> None:
        owner = stage.hands["owner"]
        with stage.changing(*looks("mailings mailing")):
            url = url_of("mailing", "edit", stage.mailing.pk)
            assert submit(owner, url, {"name": "Summer"}).status_code == 302
        with stage.changing(*looks("mailings"), *everybodys("front")):
            owner.post(url_of("mailing", "delete", stage.mailing.pk))

    def test_a_message(self, stage: Stage) -> None:
        owner = stage.hands["owner"]
        url = url_of("message", "edit", stage.mailing.message_id)
        with stage.changing(*looks("messages mailing")):
            assert owner.post(url, typed(subject="About roses")).status_code == 302

    def test_a_client(self, stage: Stage) -> None:
        owner = stage.hands["owner"]
        with stage.changing(*looks("clients")):
            url = url_of("client", "edit", stage.anna.pk)
            assert submit(owner, url, {"first_name": "Bella"}).status_code == 302
        with stage.changing(*looks("clients")):
            url = url_of("client", "create")
            assert submit(owner, url, {"email": "new@x.test"}).status_code == 302
        with stage.changing(*looks("clients mailing mailings")):
            owner.post(url_of("client", "delete", stage.anna.pk))

    def test_a_list(self, stage: Stage) -> None:
        owner = stage.hands["owner"]
        with stage.changing(*looks("clients")):
            url = url_of("clientlist", "edit", stage.friends.pk)
            assert submit(owner, url, {"name": "Neighbours"}).status_code == 302


class TestManagers:
    def test_deactivating_a_mailing(self, stage: Stage) -> None:
        Mailing.objects.update(status=MailingStatus.SCHEDULED, next_due_at=timezone.now())
        url = url_of("mailing", "deactivate", stage.mailing.pk)
        with stage.changing(*looks("mailings mailing"), *everybodys("front")):
            stage.hands["manager"].post(url, {"reason": "Somebody complained."})
        stage.mailing.refresh_from_db()
        assert stage.mailing.status == MailingStatus.DEACTIVATED

    def test_blocking_somebody(self, stage: Stage) -> None:
        assert stage.get("owner mailings").status_code == 200
        assert blocking.set_active(stage.alice, active=False, by=stage.manager, reason="spam")
        assert stage.get("owner mailings").status_code == 302

    def test_taking_a_role_and_giving_it(self, stage: Stage) -> None:
        for page in ("mailings", "front"):
            stage.kept(f"owner {page}")
        stage.alice.groups.clear()
        assert stage.get("owner mailings").status_code != 200
        roles.give(stage.alice, roles.USERS)
        stage.get("owner front")  # where the refusal is told
        stage.is_fresh("owner mailings")
        with stage.changing("owner mailings"):
            roles.give(stage.alice, roles.MANAGERS)


class TestPeople:
    def test_a_theme(self, stage: Stage) -> None:
        profile = UserProfile.get_for_user(stage.alice)
        with stage.changing(*looks("front mailings clients mailing", "owner")):
            profile.theme = "dark"
            profile.save()

    def test_a_time_zone(self, stage: Stage) -> None:
        profile = UserProfile.get_for_user(stage.alice)
        url = url_of("mailing", "edit", stage.mailing.pk)
        submit(stage.hands["owner"], url, {"name": "Summer"})  # when that was stands on its page
        with stage.changing("owner mailing"):
            profile.current_time_zone = "Pacific/Auckland"
            profile.save()

    def test_a_permission_of_a_role(self, stage: Stage) -> None:
        group = Group.objects.get(name=roles.USERS.name)
        adding = Permission.objects.get(codename="add_client")
        with stage.changing("owner clients"):
            group.permissions.remove(adding)
        with stage.changing("owner clients"):
            stage.alice.user_permissions.add(adding)
        with stage.changing("owner clients"):
            stage.alice.user_permissions.clear()

    def test_a_role_that_is_gone(self, stage: Stage) -> None:
        for page in SCREENS:
            assert "Anna" in stage.kept("owner clients")
            stage.kept(f"owner {page}")
        Group.objects.get(name=roles.USERS.name).delete()
        for page in SCREENS:
            response = stage.get(f"owner {page}")
            assert response.status_code == 302
            assert "Anna" not in response.text

    def test_a_right_that_leads_to_pages(self, stage: Stage) -> None:
        """Wagtail's menu begins where all pages are that somebody may work with."""
        elsewhere = HomePage.objects.get().add_child(instance=Page(title="Else", slug="else"))
        second = make_post("Second", owner=stage.blogger)
        change = Permission.objects.get(codename="change_page")
        for post in (stage.post, second):
            GroupPagePermission.objects.create(
                group=Group.objects.get(name=roles.USERS.name),
                page=post.page_ptr,
                permission=change,
            )
        with stage.changing(*looks("mailings messages clients mailing", "owner")):
            second.move(elsewhere, pos="last-child")

    def test_closing_and_erasing_an_account(self, stage: Stage) -> None:
        BlogPage.objects.filter(pk=stage.post.pk).update(author=stage.alice)
        with stage.changing(*looks("mailings clients post", "manager"), "visitor post"):
            closing.close(stage.alice, now=timezone.now())
        assert stage.get("owner mailings").status_code == 302
        assert "Alice" not in stage.get("owner front").text
        assert "Alice" not in stage.get("visitor post").text
        with stage.changing(*looks("mailings messages clients", "manager")):
            while closing.erase_due(timezone.now() + closing.CLAIM * 2):
                pass
        assert "Spring" not in stage.get("manager mailings").text
        assert stage.get("manager mailing").status_code == 404
        assert stage.get("owner mailings").status_code == 302

    def test_the_commands_for_a_first_look(self, stage: Stage, settings: Settings) -> None:
        settings.DEBUG = True
        for look in everybodys("front blog"):
            stage.kept(look)
        call_command("create_users", verbosity=0)
        for look in everybodys("front blog"):
            assert not is_hit(stage.get(look))  # a page may show whoever is new
            stage.is_fresh(look)
        with stage.changing(*everybodys("front blog"), *looks("mailings clients", "manager")):
            call_command("seed", verbosity=0)

    def test_migrate(self, stage: Stage) -> None:
        """It gives back to the roles what they may do."""
        permissions = Group.objects.get(name=roles.USERS.name).permissions
        permissions.remove(Permission.objects.get(codename="add_client"))
        with stage.changing("owner clients"):
            call_command("migrate", verbosity=0)
        permissions.clear()
        assert stage.get("owner mailings").status_code == 302
        call_command("migrate", verbosity=0)
        stage.get("owner front")  # where the refusal is told
        assert "Spring" in stage.is_fresh("owner mailings")


class TestManyAtOnce:
    def test_an_import(self, stage: Stage) -> None:
        row = make_import(stage.alice, ["email,first name", "dora@x.test,Dora"])
        with stage.changing(*looks("clients")):
            assert carry_out(row).new == 1

    @pytest.mark.parametrize(
        ("action", "pages"),
        [
            (ClientAction.TAG, "clients"),
            (ClientAction.EXCLUDE, "clients mailing mailings"),
            (ClientAction.DELETE, "clients mailing mailings"),
        ],
    )
    def test_what_is_done_to_many_clients(
        self, stage: Stage, action: ClientAction, pages: str
    ) -> None:
        change = clientele.begin(stage.alice, action, Selection(), tags=["new"])
        with stage.changing(*looks(pages)):
            assert clientele.go_on(change, seconds=10)
            clientele.take_finished(stage.alice)  # what the list would tell, once

    def test_in_the_background(self, stage: Stage) -> None:
        clientele.begin(stage.alice, ClientAction.TAG, Selection(), tags=["new"])
        with stage.changing(*looks("clients", "manager")):
            clientele.carry_on()
            clientele.take_finished(stage.alice)

    def test_update_bulk_create_and_raw_sql(self, stage: Stage) -> None:
        with stage.changing(*looks("mailings mailing")):
            Mailing.objects.update(name="Updated")
        with stage.changing(*looks("clients")):
            fields = {"owner": stage.alice, "email": "b@x.test", "email_normalized": "b@x.test"}
            Client.objects.bulk_create([Client(**fields)])
        with stage.changing(*looks("messages")), connection.cursor() as cursor:
            cursor.execute("UPDATE mailing_message SET subject = 'Raw'")

    def test_another_process(self, stage: Stage) -> None:
        code = (
            "import django; django.setup()\n"
            "from mailing.models import Mailing\n"
            "Mailing.objects.update(name='From elsewhere')"
        )
        with stage.changing(*looks("mailings mailing")):
            elsewhere.run(code)

    def test_what_is_rolled_back_shows_nowhere(self, stage: Stage) -> None:
        stage.kept("owner mailings")
        with transaction.atomic():
            Mailing.objects.update(name="Never")
            transaction.set_rollback(True)
        assert "Never" not in stage.is_fresh("owner mailings")


class TestThoseWhoGetLetters:
    def test_unsubscribing(self, stage: Stage, browse: Callable[..., Browser]) -> None:
        run = opened(stage)
        delivery = run.deliveries.get()
        time.sleep(SECONDS)
        with stage.changing(*looks("clients mailing")):
            browse(None).post(f"/u/{unsubscribe_token(delivery.pk)}/")


def opened(stage: Stage) -> Run:
    Mailing.objects.update(
        status=MailingStatus.SCHEDULED, next_due_at=timezone.now(), starts_at=timezone.now()
    )
    dispatch.plan()
    return stage.mailing.runs.get()


class TestEngine:
    def test_opening_and_sending_a_run(self, stage: Stage, sink: Sink) -> None:
        shown = looks("mailings mailing")
        before = {look: stage.kept(look) for look in shown}
        run = opened(stage)
        time.sleep(SECONDS + 0.2)
        for look in shown:
            now = stage.is_fresh(look)
            assert now != before[look]
            before[look] = now
        assert dispatch.send() is False
        assert run.deliveries.get().state == DeliveryState.SENT
        time.sleep(SECONDS + 0.2)
        for look in shown:
            assert stage.is_fresh(look) != before[look]

    def test_a_refusal_for_good_shows_with_the_client(self, stage: Stage, sink: Sink) -> None:
        bounced = make_client(stage.alice, "nobody+550@x.test")
        stage.mailing.clients.set([bounced])
        before = stage.kept("owner clients")
        run = opened(stage)
        with transaction.atomic():
            suppressions.suppress(
                owner_id=stage.alice.pk,
                email_normalized=bounced.email_normalized,
                reason=SuppressionReason.BOUNCED,
                now=timezone.now(),
            )
        assert run.deliveries.count() == 1
        assert stage.is_fresh("owner clients") != before

    def test_forgetting_old_attempts(self, stage: Stage, sink: Sink) -> None:
        opened(stage)
        dispatch.send()
        time.sleep(SECONDS + 0.2)
        Attempt.objects.update(at=timezone.now() - timedelta(days=400))
        stage.kept("owner mailing")
        while retention.forget(timezone.now() - timedelta(days=200)):
            pass
        stage.is_fresh("owner mailing")

    def test_a_run_drops_at_most_once_a_second(
        self, stage: Stage, sink: Sink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stage.mailing.clients.set(make_clients(stage.alice, [f"c{n}@x.test" for n in range(400)]))
        opened(stage)
        time.sleep(SECONDS + 0.2)
        dropped: list[float] = []
        delete = ManagedCache.delete_token

        def noted(group: ManagedCache) -> None:
            if group is MAILINGS:
                dropped.append(time.monotonic())
            delete(group)

        monkeypatch.setattr(ManagedCache, "delete_token", noted)
        started = time.monotonic()
        while dispatch.send():
            pass
        lasted = time.monotonic() - started
        time.sleep(SECONDS + 0.3)
        assert 1 <= len(dropped) <= lasted / SECONDS + 2
        assert all(b - a > 0.95 * SECONDS for a, b in pairwise(dropped))
        assert stage.mailing.runs.get().deliveries.filter(state=DeliveryState.SENT).count() == 400
        stage.is_fresh("owner mailing")

    def test_the_command(self, stage: Stage, sink: Sink) -> None:
        stage.kept("owner mailings")
        before = stage.kept("owner mailings")
        Mailing.objects.update(
            status=MailingStatus.SCHEDULED, next_due_at=timezone.now(), starts_at=timezone.now()
        )
        call_command("scheduler", once=True)
        time.sleep(SECONDS + 0.2)
        assert stage.is_fresh("owner mailings") != before

    def test_a_worker_that_comes_shows_at_once(self, stage: Stage) -> None:
        """Nothing is written for that: it is in the key."""
        before = stage.kept("owner mailings")
        heartbeat.beat(timezone.now())
        assert stage.is_fresh("owner mailings") != before


class TestBlog:
    def test_publishing_and_taking_back(self, stage: Stage) -> None:
        with stage.changing(*everybodys("blog front")):
            post = make_post("Roses", owner=stage.blogger, tags=("garden",))
        with stage.changing(*everybodys("blog front")):
            post.unpublish()
        with stage.changing(*everybodys("blog post")):
            stage.post.title = "Dahlias in autumn"
            stage.post.save_revision(user=stage.blogger).publish()

    def test_a_draft_shows_nothing(self, stage: Stage) -> None:
        before = stage.kept("visitor post")
        stage.post.title = "Not yet"
        stage.post.save_revision(user=stage.blogger)
        assert stage.is_fresh("visitor post") == before

    def test_an_hour_that_has_come(self, stage: Stage) -> None:
        post = stage.post
        post.expire_at = timezone.now() - timedelta(minutes=1)
        post.save()
        stage.kept("visitor blog")
        with stage.changing(*everybodys("blog front")):
            workflow.keep_dates(timezone.now())
        assert not BlogPage.objects.get(pk=post.pk).live

    def test_names_of_tags_authors_and_the_blog(self, stage: Stage) -> None:
        with stage.changing(*everybodys("blog post")):
            tag = stage.post.tags.get()
            tag.name = "flowers"
            tag.save()
        with stage.changing(*everybodys("blog post")):
            User.objects.filter(pk=stage.blogger.pk).update(first_name="Renamed")
        with stage.changing(*everybodys("blog")):
            BlogIndexPage.objects.update(intro="Anew")

    def test_moving_its_address(self, stage: Stage) -> None:
        old = stage.url("post")
        stage.kept("visitor post")
        stage.post.slug = "elsewhere"
        stage.post.save_revision().publish()
        assert stage.eyes["visitor"].get(old).status_code in {301, 404}
        stage.is_fresh("visitor post")

    def test_a_password(self, stage: Stage) -> None:
        with stage.changing(*everybodys("blog front")):
            hide(stage.post)
        assert "Words." not in stage.get("visitor post").text
        with stage.changing(*everybodys("blog front")):
            PageViewRestriction.objects.all().delete()

    def test_texts_of_the_front_page(self, stage: Stage) -> None:
        with stage.changing(*everybodys("front")):
            page = HomePage.objects.get()
            page.search_description = "All anew"
            page.save_revision().publish()
        with stage.changing(*everybodys("front")):
            Page.objects.filter(pk=HomePage.objects.get().pk).update(search_description="Raw")

    def test_a_picture(self, stage: Stage) -> None:
        with stage.changing(*everybodys("post")):
            stage.picture.description = "A field of them"
            stage.picture.save()

    def test_deleting_it(self, stage: Stage) -> None:
        with stage.changing(*everybodys("blog front")):
            BlogPage.objects.get(pk=stage.post.pk).delete()
        assert stage.get("visitor blog").status_code == 200


def do_to_all(stage: Stage, action: ClientAction, **target: list[str]) -> None:
    change = clientele.begin(stage.alice, action, Selection(), **target)
    assert clientele.go_on(change, seconds=5)
    clientele.take_finished(stage.alice)


CHANGES: dict[str, Callable[[Stage, int], object]] = {
    "rename a mailing": lambda s, n: Mailing.objects.update(name=f"Mailing {n}"),
    "a new mailing": lambda s, n: make_mailing(s.alice, [s.anna], name=f"New {n}"),
    "pause": lambda s, n: Mailing.objects.filter(pk=s.mailing.pk).update(status="paused"),
    "rewrite a message": lambda s, n: Message.objects.update(subject=f"Subject {n}"),
    "a new client": lambda s, n: make_client(s.alice, f"c{secrets.token_hex(6)}@x.test"),
    "rename a client": lambda s, n: Client.objects.update(last_name=f"Name {n}"),
    "tag": lambda s, n: do_to_all(s, ClientAction.TAG, tags=[f"t{n % 3}"]),
    "exclude": lambda s, n: do_to_all(s, ClientAction.EXCLUDE),
    "readmit": lambda s, n: do_to_all(s, ClientAction.READMIT),
    "publish": lambda s, n: make_post(f"Post {secrets.token_hex(6)}", owner=s.blogger),
    "take back": lambda s, n: BlogPage.objects.exclude(pk=s.post.pk).update(live=bool(n % 2)),
    "rename a person": lambda s, n: User.objects.update(last_name=f"Person {n}"),
    "rename the blog": lambda s, n: BlogIndexPage.objects.update(intro=f"Intro {n}"),
    "rights": lambda s, n: s.alice.groups.set(s.alice.groups.all()),
    "nothing": lambda s, n: None,
}


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(sorted(CHANGES)),
            st.integers(0, 5),
            st.lists(st.sampled_from(LOOKS), min_size=1, max_size=2),
        ),
        min_size=1,
        max_size=8,
    )
)
@hypothesis_settings(
    max_examples=25 if os.environ.get("PAGES") else 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_after_any_sequence_each_page_is_what_would_be_rendered(
    stage: Stage, steps: list[tuple[str, int, list[str]]]
) -> None:
    """A machine whose state is the database: what is kept equals what is rendered, at each step."""
    for change, number, looked_at in steps:
        for look in looked_at:
            stage.get(look)
        CHANGES[change](stage, number)
        for look in looked_at:
            if stage.get(look).status_code == 200:
                stage.is_fresh(look)


class TestForgottenWrites:
    def test_who_writes_past_django_says_so(self) -> None:
        """Statements on the driver's own connection are seen by nobody (`page_cache.wrote`)."""
        found = {}
        for package in PACKAGES:
            for file in (ROOT / package).rglob("*.py"):
                for function in ast.walk(ast.parse(file.read_text())):
                    if not isinstance(function, ast.FunctionDef):
                        continue
                    text = ast.unparse(function)
                    if any(way in text for way in PAST_DJANGO):
                        found[f"{file.relative_to(ROOT)}:{function.name}"] = text
        writers = {n for n, text in found.items() if "execute" in text or "cursor.copy(" in text}
        ledger = "mailing/engine/ledger.py"
        assert writers >= {f"{ledger}:_write_sqlite", f"{ledger}:_write_postgresql"}
        assert {name for name in writers if "page_cache.wrote(" not in found[name]} == set()

    def test_everything_that_django_sees_is_looked_at(self) -> None:
        connection.ensure_connection()
        assert connection.execute_wrappers[0] is table_writes._look_at
        assert live_settings.CACHES["pages"]
