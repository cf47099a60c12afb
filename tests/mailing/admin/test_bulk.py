"""The boxes of the list of clients, and the page that asks before something is done to many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client as Browser

from accounts.models import User
from mailing import clientele
from mailing.admin import bulk
from mailing.enums import ClientAction
from mailing.models import Client, ClientChange, ClientList, Suppression
from mailing.selection import Selection
from tests.factories import make_client, make_clients, make_list
from tests.mailing.admin.screens import errors, everything, notices, text_of, url_of

pytestmark = pytest.mark.django_db

URL = "/admin/mailing/client/bulk/"


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


def boxes(page: Any) -> list[str]:
    found = BeautifulSoup(page.text, "lxml").select('input[name="chosen"][form="ms-bulk"]')
    return [str(box["value"]) for box in found]


class TestBoxes:
    def test_each_own_row_has_one(self, alice: User, alices: Browser) -> None:
        client = make_client(alice)
        assert boxes(alices.get(url_of("client"))) == [str(client.pk)]

    def test_who_may_change_nothing_has_none(self, alice: User, browse: Any, manager: User) -> None:
        make_client(alice)
        page = browse(manager).get(url_of("client"))
        assert boxes(page) == []
        assert "ms-bulk" not in page.text

    def test_a_superuser_ticks_only_own_rows(self, alice: User, browse: Any) -> None:
        admin = User.objects.create_superuser("root@service.test", "x")
        own = make_client(admin)
        make_client(alice)
        assert boxes(browse(admin).get(url_of("client"))) == [str(own.pk)]

    def test_the_bar_keeps_search_and_filters(self, alice: User, alices: Browser) -> None:
        make_client(alice, "anna@x.test", language="ru")
        page = alices.get(url_of("client"), {"q": "anna", "language": "ru"})
        form = BeautifulSoup(page.text, "lxml").find("form", id="ms-bulk")
        assert form is not None
        kept = {i["name"]: i["value"] for i in form.select("input[type=hidden]")}
        assert kept == {"q": "anna", "language": "ru"}


class TestAsking:
    def test_it_says_how_many_and_who_and_changes_nothing(
        self, alice: User, alices: Browser
    ) -> None:
        make_clients(alice, [f"c{n}@x.test" for n in range(7)])
        before = everything()
        page = alices.get(URL, {"do": "delete", "all": "1"})
        words = text_of(page)
        assert "7 clients" in words
        assert "c0@x.test" in words
        assert "… and 2 more" in words
        assert "cannot be undone" in words
        assert everything() == before

    def test_only_what_is_ticked_counts(self, alice: User, alices: Browser) -> None:
        clients = make_clients(alice, ["a@x.test", "b@x.test", "c@x.test"])
        page = alices.get(URL, {"do": "tag", "chosen": [clients[0].pk, clients[2].pk]})
        words = text_of(page)
        assert "2 clients" in words
        assert "b@x.test" not in words

    def test_all_that_match_are_those_of_the_search(self, alice: User, alices: Browser) -> None:
        make_clients(alice, ["anna@x.test", "boris@x.test"])
        words = text_of(alices.get(URL, {"do": "exclude", "all": "1", "q": "anna"}))
        assert "1 client" in words
        assert "boris" not in words
        assert "You can undo this with “Mail again”" in words

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ({"do": "tag"}, "Choose clients of yours first."),
            ({"do": "tag", "chosen": "x"}, "Choose clients of yours first."),
            ({"do": "", "all": "1"}, "Choose what is to be done"),
            ({"do": "conquer", "all": "1"}, "Choose what is to be done"),
        ],
    )
    def test_half_a_question_leads_back(
        self, alice: User, alices: Browser, query: dict[str, str], words: str
    ) -> None:
        make_client(alice, "anna@x.test")
        page = alices.get(URL, query | {"q": "anna"}, follow=True)
        assert page.redirect_chain == [(f"{url_of('client')}?q=anna", 302)]
        assert words in notices(page)

    def test_clients_of_others_are_like_none(self, bob: User, alices: Browser) -> None:
        theirs = make_client(bob)
        answers = [
            alices.get(URL, {"do": "delete", "chosen": pk}) for pk in (theirs.pk, theirs.pk + 1000)
        ]
        assert {a.status_code for a in answers} == {302}
        assert {a["Location"] for a in answers} == {url_of("client")}


class TestActing:
    def test_a_tag_is_put_on_all_that_match(self, alice: User, alices: Browser) -> None:
        make_clients(alice, ["anna@x.test", "anna2@x.test", "boris@x.test"])
        page = alices.post(f"{URL}?do=tag&all=1&q=anna", {"tag_names": "garden, new"}, follow=True)
        assert "2 clients were tagged." in notices(page)
        assert page.redirect_chain == [(f"{url_of('client')}?q=anna", 302)]
        assert Client.objects.filter(tags__name="garden").count() == 2
        assert not ClientChange.objects.exists()

    def test_a_new_list_can_be_made_on_the_way(self, alice: User, alices: Browser) -> None:
        client = make_client(alice)
        alices.post(f"{URL}?do=add&chosen={client.pk}", {"new_list": "Friends"})
        assert list(ClientList.objects.get(name="Friends", owner=alice).clients.all()) == [client]

    def test_what_could_not_be_done_is_told(self, alice: User, alices: Browser) -> None:
        client = make_client(alice, "anna@x.test")
        Suppression.objects.create(
            owner=alice,
            email_normalized="anna@x.test",
            reason="unsubscribed",
            created_at=client.created_at,
        )
        page = alices.post(f"{URL}?do=readmit&all=1", follow=True)
        assert "0 clients get letters again. 1 stays without mail" in notices(page)
        assert Suppression.objects.exists()

    @pytest.mark.parametrize(
        ("query", "typed", "field"),
        [
            ("do=add", {}, "lists"),
            ("do=add", {"lists": ["foreign"]}, "lists"),
            ("do=add", {"lists": ["999999999999999999999"]}, "lists"),
            ("do=remove", {}, "lists"),
            ("do=tag", {"tag_names": " , "}, "tag_names"),
            ("do=tag", {"tag_names": "x" * 60}, "tag_names"),
            ("do=add", {"new_list": "a\nb\x00"}, "new_list"),
        ],
    )
    def test_a_wrong_target_is_an_error_at_the_field(
        self,
        alice: User,
        bob: User,
        alices: Browser,
        query: str,
        typed: dict[str, Any],
        field: str,
    ) -> None:
        make_client(alice)
        theirs = make_list(bob)
        if typed.get("lists") == ["foreign"]:
            typed = {"lists": [theirs.pk]}
        before = everything()
        page = alices.post(f"{URL}?{query}&all=1", typed)
        assert page.status_code == 200
        assert set(errors(page)) == {field}
        assert everything() == before

    def test_ids_of_others_among_ones_own_are_ignored(
        self, alice: User, bob: User, alices: Browser
    ) -> None:
        mine, theirs = make_client(alice), make_client(bob)
        alices.post(f"{URL}?do=delete&chosen={mine.pk}&chosen={theirs.pk}")
        assert list(Client.objects.all()) == [theirs]

    def test_a_manager_does_nothing_to_others(
        self, alice: User, browse: Any, manager: User
    ) -> None:
        make_client(alice)
        assert browse(manager).post(f"{URL}?do=delete&all=1").status_code == 302
        assert Client.objects.count() == 1

    def test_what_takes_longer_goes_on_behind_the_scenes(
        self, alice: User, alices: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bulk, "AT_ONCE_SECONDS", 0)
        monkeypatch.setattr(clientele, "_BATCH", 2)
        make_clients(alice, [f"c{n}@x.test" for n in range(5)])
        page = alices.post(f"{URL}?do=tag&all=1", {"tag_names": "garden"}, follow=True)
        assert "“Tag: garden” goes on in the background: done with 2." in text_of(page)
        while clientele.carry_on():
            pass
        page = alices.get(url_of("client"))
        assert "5 clients were tagged." in notices(page)
        assert "goes on in the background" not in text_of(page)
        assert "were tagged" not in notices(alices.get(url_of("client")))


class TestExport:
    def test_the_rows_that_are_ticked(self, alice: User, alices: Browser) -> None:
        anna, _boris = make_clients(alice, ["anna@x.test", "boris@x.test"])
        page = alices.get(URL, {"do": "export", "chosen": anna.pk})
        assert page.status_code == 302
        text = alices.get(page["Location"].replace("xlsx", "csv")).getvalue().decode()
        assert "anna@x.test" in text
        assert "boris" not in text

    def test_all_that_match(self, alice: User, alices: Browser) -> None:
        make_clients(alice, ["anna@x.test", "boris@x.test"])
        page = alices.get(URL, {"do": "export", "all": "1", "q": "boris"})
        assert Selection.parse(page["Location"].partition("?")[2]).words == "boris"


@pytest.mark.parametrize("action", list(ClientAction))
def test_each_action_has_a_page(alice: User, alices: Browser, action: ClientAction) -> None:
    make_client(alice)
    page = alices.get(URL, {"do": action.value, "all": "1"})
    assert page.status_code == 200
    assert str(bulk.DEEDS[action].button) in text_of(page)
