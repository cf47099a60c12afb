"""The forms and pages of clients and client lists."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from accounts.models import User
from mailing.composer.render import freeze
from mailing.engine import planner
from mailing.enums import DeliveryState, MailingStatus, SuppressionReason
from mailing.models import Client, ClientList, Delivery, Suppression
from tests.factories import NOW, make_client, make_list, make_mailing
from tests.mailing.admin.screens import (
    everything,
    meanwhile,
    notices,
    offered,
    refuse,
    submit,
    text_of,
    url_of,
)
from tests.mailing.runs import attempt

pytestmark = pytest.mark.django_db

NEW = "/admin/mailing/client/create/"
NEW_LIST = "/admin/mailing/clientlist/create/"


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


class TestAddress:
    @pytest.mark.parametrize(
        "address",
        [
            "",
            "anna",
            "anna@localhost",
            "anna@b@x.test",
            "an na@x.test",
            "Anna <anna@x.test>",
            "anna@x.test\r\nBcc: bob@x.test",
            "an\u202ena@x.test",
            f"anna@{'a.' * 150}test",
            # 64 bytes and 32 letters, of which the database compares 96
            f"{'ΐ' * 32}@{'a.' * 90}test",
        ],
    )
    def test_a_wrong_one_is_an_error_at_the_field(self, alices: Browser, address: str) -> None:
        refuse(alices, NEW, {"email": address, "first_name": "Anna"}, "email")

    def test_nul_is_an_error_at_the_field(self, alices: Browser) -> None:
        refuse(alices, NEW, {"email": "an\0na@x.test"}, "email", "Null characters")

    @pytest.mark.parametrize(
        ("typed", "shown", "compared"),
        [
            ("Anna.Smith+news@X.Test", "Anna.Smith+news@x.test", "anna.smith+news@x.test"),
            ("  anna@x.test ", "anna@x.test", "anna@x.test"),
            ("anna@Bücher.test", "anna@bücher.test", "anna@xn--bcher-kva.test"),
            ("анна@почта.test", "анна@почта.test", "анна@xn--80a1acny.test"),
            # IDNA 2008: these are two domains, which IDNA 2003 took for one.
            ("anna@faß.de", "anna@faß.de", "anna@xn--fa-hia.de"),
            ("anna@xn--fa-hia.de", "anna@faß.de", "anna@xn--fa-hia.de"),
            ("anna@fass.de", "anna@fass.de", "anna@fass.de"),
        ],
    )
    def test_a_right_one_is_kept_as_typed(
        self, alices: Browser, typed: str, shown: str, compared: str
    ) -> None:
        assert submit(alices, NEW, {"email": typed}).status_code == 302
        client = Client.objects.get()
        assert (client.email, client.email_normalized) == (shown, compared)


class TestDuplicate:
    @pytest.mark.parametrize("typed", ["ANNA@BÜCHER.TEST", "anna@xn--bcher-kva.test"])
    def test_one_address_is_one_client_however_it_is_spelled(
        self, alice: User, alices: Browser, typed: str
    ) -> None:
        make_client(alice, "Anna@bücher.test", first_name="Anna", last_name="First")
        chosen = make_list(alice)
        page = refuse(
            alices,
            NEW,
            {
                "email": typed,
                "first_name": "Other <b>",
                "middle_name": "M",
                "last_name": "Person",
                "lists": [chosen.pk],
                "comment": "A long\r\nstory & more",
            },
            "email",
            "Anna First",
        )
        assert "Other <b>" not in page.text

    def test_an_edit_does_not_collide_with_itself(self, alice: User, alices: Browser) -> None:
        client = make_client(alice, "anna@x.test")
        url = url_of("client", "edit", client.pk)
        assert submit(alices, url, {"email": "Anna@x.test"}).status_code == 302
        client.refresh_from_db()
        assert client.email == "Anna@x.test"

    def test_an_edit_cannot_take_the_address_of_another(self, alice: User, alices: Browser) -> None:
        make_client(alice, "anna@x.test")
        other = make_client(alice, "other@x.test")
        url = url_of("client", "edit", other.pk)
        refuse(alices, url, {"email": "ANNA@x.test"}, "email")

    def test_other_owners_have_their_own(self, bob: User, alices: Browser) -> None:
        make_client(bob, "anna@x.test", comment="secret")
        assert submit(alices, NEW, {"email": "anna@x.test"}).status_code == 302
        assert Client.objects.filter(email="anna@x.test").count() == 2

    def test_two_requests_at_once_make_one_client(self, alice: User, alices: Browser) -> None:
        typed = {"email": "anna@x.test", "first_name": "Anna"}
        alices.get(NEW)  # the first request of a session is noted, which is a write as well
        with meanwhile(lambda: make_client(alice, "ANNA@x.test")):
            page = submit(alices, NEW, typed)
        assert page.status_code == 200
        assert "a moment ago by another request" in text_of(page)
        assert offered(page)["first_name"] == ["Anna"]
        assert [client.email for client in Client.objects.all()] == ["ANNA@x.test"]

    def test_two_edits_at_once_cannot_meet(self, alice: User, alices: Browser) -> None:
        mine = make_client(alice, "mine@x.test")
        with meanwhile(lambda: make_client(alice, "new@x.test")):
            page = submit(alices, url_of("client", "edit", mine.pk), {"email": "new@x.test"})
        assert page.status_code == 200
        assert offered(page)["email"] == ["new@x.test"]
        mine.refresh_from_db()
        assert (mine.email, mine.email_normalized) == ("mine@x.test", "mine@x.test")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_name", "a\r\nBcc: x@y.test"),
        ("middle_name", "\u202eanna"),
        ("last_name", "x" * 151),
    ],
)
def test_names_hold_neither_control_characters_nor_novels(
    alices: Browser, name: str, value: str
) -> None:
    refuse(alices, NEW, {"email": "anna@x.test", name: value}, name)


def test_the_owner_cannot_be_posted(alice: User, bob: User, alices: Browser) -> None:
    alices.post(
        NEW,
        {"email": "a@x.test", "owner": bob.pk, "owner_id": bob.pk, "email_normalized": "b@x.test"},
    )
    client = Client.objects.get()
    assert (client.owner, client.email_normalized) == (alice, "a@x.test")


@pytest.mark.parametrize("number", ["foreign", "9" * 30, "²"])
def test_only_own_lists_can_be_chosen(alice: User, bob: User, alices: Browser, number: str) -> None:
    make_list(alice)
    theirs = make_list(bob, name="Bob's secret list")
    chosen = theirs.pk if number == "foreign" else number
    before = everything()
    page = submit(alices, NEW, {"email": "a@x.test", "lists": [chosen]})
    assert page.status_code == 200
    assert set(page.context["form"].errors) == {"lists"}
    assert "secret" not in page.text
    assert everything() == before


def test_lists_are_taken_over_and_left(alice: User, alices: Browser) -> None:
    old, new = make_list(alice), make_list(alice)
    client = make_client(alice)
    old.clients.add(client)
    url = url_of("client", "edit", client.pk)
    assert offered(alices.get(url))["lists"] == [str(old.pk)]
    submit(alices, url, {"lists": [new.pk]})
    assert list(client.lists.all()) == [new]


def test_a_language_that_is_not_known_has_a_name(alices: Browser) -> None:
    page = alices.get(NEW)
    assert ">Not known</option>" in page.text
    assert "-----" not in page.text


def test_saving_a_suppressed_client_says_so(alice: User, alices: Browser) -> None:
    Suppression.objects.create(
        owner=alice,
        email_normalized="gone@x.test",
        reason=SuppressionReason.BOUNCED,
        created_at=NOW,
    )
    submit(alices, NEW, {"email": "Gone@x.test"})
    page = alices.get(url_of("client"))
    assert "Gone@x.test gets no letters from you: the address takes no mail" in notices(page)
    assert "Gets no letters" in text_of(page)


def test_the_page_of_a_client_tells_its_letters(alice: User, alices: Browser) -> None:
    client = make_client(alice, "anna@x.test", first_name="<i>Anna</i>", comment="<script>")
    chosen = make_list(alice, [client], name="Friends")
    mailing = make_mailing(alice, [client], status=MailingStatus.SCHEDULED, next_due_at=NOW)
    planner.open_due(NOW, freeze)
    delivery = Delivery.objects.get()
    attempt(delivery)
    page = alices.get(url_of("client", "inspect", client.pk))
    words = text_of(page)
    for word in ("<i>Anna</i>", "<script>", chosen.name, mailing.name, "Accepted"):
        assert word in words
    assert "<i>Anna" not in page.text
    assert url_of("delivery", "inspect", delivery.pk) in page.text


class TestDelete:
    def test_looking_deletes_nothing(self, alice: User, alices: Browser) -> None:
        client = make_client(alice)
        before = everything()
        page = alices.get(url_of("client", "delete", client.pk))
        assert "stay in the history" in text_of(page)
        assert everything() == before

    def test_what_has_not_left_is_cancelled_and_the_rest_is_history(
        self, alice: User, alices: Browser
    ) -> None:
        client = make_client(alice, "anna@x.test")
        for _ in range(2):
            make_mailing(alice, [client], status=MailingStatus.SCHEDULED, next_due_at=NOW)
        planner.open_due(NOW, freeze)
        sent, waiting = Delivery.objects.order_by("pk")
        Delivery.objects.filter(pk=sent.pk).update(state=DeliveryState.SENT)
        page = alices.post(url_of("client", "delete", client.pk))
        assert page.status_code == 302
        assert not Client.objects.exists()
        sent.refresh_from_db()
        waiting.refresh_from_db()
        assert (sent.state, sent.email, sent.client) == (DeliveryState.SENT, "anna@x.test", None)
        assert (waiting.state, waiting.email) == (DeliveryState.CANCELLED, "")
        assert "anna" not in waiting.email_normalized


class TestList:
    def test_a_name_is_there_once(self, alice: User, alices: Browser) -> None:
        make_list(alice, name="Friends")
        typed = {"name": "Friends", "description": "All <of> them"}
        refuse(alices, NEW_LIST, typed, "name", "a list with this name already")

    def test_other_owners_may_use_the_same_name(self, bob: User, alices: Browser) -> None:
        make_list(bob, name="Friends")
        assert submit(alices, NEW_LIST, {"name": "Friends"}).status_code == 302

    @pytest.mark.parametrize("name", ["   ", "a\nb", "x" * 151])
    def test_a_wrong_name_is_an_error(self, alices: Browser, name: str) -> None:
        refuse(alices, NEW_LIST, {"name": name, "description": "kept"}, "name")

    def test_two_requests_at_once_make_one_list(self, alice: User, alices: Browser) -> None:
        with meanwhile(lambda: make_list(alice, name="Friends")):
            page = submit(alices, NEW_LIST, {"name": "Friends", "description": "kept"})
        assert page.status_code == 200
        assert offered(page)["description"] == ["kept"]
        assert ClientList.objects.count() == 1

    def test_clients_are_added_not_replaced(self, alice: User, alices: Browser) -> None:
        old, new = make_client(alice), make_client(alice)
        chosen = make_list(alice, [old])
        submit(alices, url_of("clientlist", "edit", chosen.pk), {"add_clients": [new.pk]})
        assert set(chosen.clients.all()) == {old, new}

    @pytest.mark.parametrize("number", ["foreign", "9" * 30, "²"])
    def test_only_own_clients_can_be_added(
        self, alice: User, bob: User, alices: Browser, number: str
    ) -> None:
        theirs = make_client(bob, "secret@x.test")
        mine = make_client(alice)
        chosen = theirs.pk if number == "foreign" else number
        before = everything()
        page = submit(alices, NEW_LIST, {"name": "L", "add_clients": [mine.pk, chosen]})
        assert page.status_code == 200
        assert set(page.context["form"].errors) == {"add_clients"}
        assert offered(page)["add_clients"] == [str(mine.pk)]
        assert "secret" not in page.text
        assert everything() == before

    def test_deleting_a_list_keeps_its_clients(self, alice: User, alices: Browser) -> None:
        chosen = make_list(alice, [make_client(alice)])
        alices.post(url_of("clientlist", "delete", chosen.pk))
        assert not ClientList.objects.exists()
        assert Client.objects.count() == 1


def test_a_client_deleted_in_another_tab_is_not_there(alice: User, alices: Browser) -> None:
    client = make_client(alice)
    url = url_of("client", "edit", client.pk)
    form = offered(alices.get(url)) | {"first_name": ["Late"]}
    with meanwhile(lambda: Client.objects.filter(pk=client.pk).delete()):
        assert alices.post(url, form).status_code == 404
