"""What a group of pages declares is all that its pages read: each parameter and each table."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from django.contrib.admin import SimpleListFilter
from django.db import connection
from django.http import QueryDict
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from mailing.admin.clients import ClientAdmin
from mailing.admin.counts import COUNT_VAR
from mailing.admin.filters import OwnedFilter
from mailing.admin.mailings import MailingAdmin
from mailing.admin.messages import MessageAdmin
from mailing.enums import MailingStatus
from mailing.models import Client, ClientTag, Mailing, Message
from site_project import page_cache
from site_project.page_cache import ManagedCache
from tests.blog.posts import make_post
from tests.factories import NOW, make_clients, make_mailing, make_message
from tests.mailing.importing.files import make_import
from tests.pages.freshness import LOOKS, Stage

pytestmark = pytest.mark.django_db

LISTS: dict[str, Any] = {
    "/admin/mailing/mailing/": MailingAdmin,
    "/admin/mailing/message/": MessageAdmin,
    "/admin/mailing/client/": ClientAdmin,
}
TOLD_BY_MODELADMIN = {"e"}
"""Django's mark of a failed search in the address: modeladmin takes it away, unread."""
READ_BUT_NOT_SHOWN = {
    "django_session",  # who asks is in the key
    "wagtailusers_userprofile",  # likewise, with all its columns
    "blog_readership",  # a live part of a post
    "home_homepage",  # the way to the blog leads over the front page
    "mailing_client",  # on the front page: a figure that is counted once a day
}


@pytest.fixture
def stage(browse: Callable[..., Browser], alice: User, manager: User, blogger: User) -> Stage:
    """Return enough of everything for each control to show: two pages of rows, tags, statuses."""
    made = Stage(browse, alice=alice, manager=manager, blogger=blogger)
    for _n in range(11):
        make_post(tags=("garden",), owner=blogger)
    make_clients(alice, [f"c{n}@x.test" for n in range(60)])
    letter = make_message(alice)
    fields = {"owner": alice, "period": made.mailing.period, "starts_at": NOW, "message": letter}
    statuses = [*MailingStatus] * 4
    Mailing.objects.bulk_create(Mailing(name="M", status=s, **fields) for s in statuses)
    Message.objects.bulk_create(Message(owner=alice, body=letter.body) for _n in range(60))
    make_mailing(manager)
    return made


def group_at(url: str) -> ManagedCache:
    group = page_cache.group_of(urlsplit(url).path)
    assert group is not None
    return group


def undeclared(url: str, names: set[str]) -> set[str]:
    """Return which of some parameters the group of a page does not know."""
    group = group_at(url)
    return names - set(group.params) - set(group.live) - TOLD_BY_MODELADMIN


class TestParameters:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> set[str]:
        """Return the names by which any code asks for a parameter from now on."""
        names: set[str] = set()

        def noting(real: Callable[..., Any]) -> Callable[..., Any]:
            def method(self: QueryDict, key: str, *rest: Any) -> Any:
                names.add(key)
                return real(self, key, *rest)

            return method

        for method in ("get", "getlist", "__getitem__", "__contains__"):
            monkeypatch.setattr(QueryDict, method, noting(getattr(QueryDict, method)))
        return names

    def test_each_filter_of_a_list(self) -> None:
        for url, admin in LISTS.items():
            assert undeclared(url, filters_of(admin)) == set()

    def test_one_that_is_not_declared_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for url, admin in LISTS.items():
            monkeypatch.setattr(admin, "list_filter", (*admin.list_filter, ColourFilter))
            assert undeclared(url, filters_of(admin)) == {"colour"}

    def test_each_one_that_a_page_asks_for_or_offers(self, stage: Stage, asked: set[str]) -> None:
        offered: dict[str, set[str]] = {}
        for look in LOOKS:
            asked.clear()
            response = stage.get(look)
            assert response.status_code == 200
            url = stage.url(look.split()[1])
            offered[look] = offered_by(response.text, url)
            assert undeclared(url, asked | offered[look]) == set(), look
        assert offered["manager mailings"] >= {"q", "o", "p", "owner", "status", "export"}
        assert offered["manager messages"] >= {"q", "o", "p", "owner"}
        assert offered["manager clients"] >= {"q", "o", "p", "owner", "export"}
        assert offered["owner clients"] >= {"list", "tag", "status", "language"}
        assert offered["visitor blog"] >= {"q", "p", "tag"}


class ColourFilter(OwnedFilter):
    title = "colour"
    parameter_name = "colour"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, str]]:
        return [("red", "Red")]


def filters_of(admin: Any) -> set[str]:
    """Return all parameters that the list of a modeladmin takes."""
    view = admin.index_view_class
    own = {view.ORDER_VAR, view.PAGE_VAR, view.SEARCH_VAR, view.EXPORT_VAR, COUNT_VAR}
    assert all(issubclass(chosen, SimpleListFilter) for chosen in admin.list_filter)
    return own | {chosen.parameter_name for chosen in admin.list_filter}


def offered_by(page: str, url: str) -> set[str]:
    """Return the parameters that forms and links of a page add to its own address."""
    soup = BeautifulSoup(page, "lxml")
    path = urlsplit(url).path
    names: set[str] = set()
    for form in soup.find_all("form"):
        if str(form.get("method", "get")).lower() == "get" and form.get("action", "") in ("", path):
            names |= {str(control["name"]) for control in form.select("[name]")}
            names |= {str(c["name"]) for c in soup.select(f'[form="{form.get("id")}"][name]')}
    for tag in soup.find_all(True):
        for value in tag.attrs.values():
            if isinstance(value, str) and "?" in value:
                address = urlsplit(value)
                if address.path in ("", path) and not address.netloc:
                    names |= set(parse_qs(address.query, keep_blank_values=True))
    return names


class TestTables:
    @pytest.fixture
    def addresses(self, stage: Stage) -> list[tuple[str, str]]:
        """Return who asks for what: every page, and the list of clients with each filter."""
        tag = ClientTag.objects.get(name="vip")
        imported = make_import(stage.alice, ["email", "a@x.test"])
        narrowed = [f"list={stage.friends.pk}", f"tag={tag.pk}", f"import={imported.pk}"]
        narrowed += ["status=suppressed", "language=en", f"owner={stage.alice.pk}"]
        clients = [f"{stage.url('clients')}?{query}" for query in narrowed]
        return [
            *((look.split()[0], stage.url(look.split()[1])) for look in LOOKS),
            *((role, url) for role in ("owner", "manager") for url in clients),
        ]

    def test_each_one_that_a_page_reads(
        self, stage: Stage, addresses: list[tuple[str, str]]
    ) -> None:
        missing: dict[str, set[str]] = {}
        for role, url in addresses:
            with CaptureQueriesContext(connection) as queries:
                assert stage.eyes[role].get(url).status_code == 200
            read = {t for q in queries.captured_queries for t in tables_read(q["sql"])}
            assert read
            if left := read - group_at(url).tables() - READ_BUT_NOT_SHOWN:
                missing[f"{role} {url}"] = left
        assert missing == {}

    def test_they_are_found_in_a_statement(self, db: None) -> None:
        with CaptureQueriesContext(connection) as queries:
            list(Mailing.objects.filter(clients__lists__name="x", message__subject="y"))
            list(Client.objects.exclude(tags__name="z"))
        assert {t for q in queries.captured_queries for t in tables_read(q["sql"])} == {
            "mailing_mailing",
            "mailing_mailing_clients",
            "mailing_message",
            "mailing_client",
            "mailing_client_tags",
            "mailing_clienttag",
            "mailing_clientlist",
            "mailing_clientlist_clients",
        }


def tables_read(sql: str) -> set[str]:
    return set(re.findall(r'(?:FROM|JOIN) "(\w+)"', sql))
