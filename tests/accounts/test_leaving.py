"""The pages of leaving: for the person alone, after a proof, and only by a POST."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts import roles
from accounts.models import Erasure, User
from mailing.enums import MailingStatus
from tests.accounts.conftest import is_in, log_in, prove_again, sign_up
from tests.conftest import PASSWORD
from tests.factories import make_client, make_mailing

pytestmark = pytest.mark.django_db

DATA = "/accounts/data/"
DELETE = "/accounts/delete/"

MakeUser = Callable[..., User]


@pytest.fixture
def proven(client: Client, alice: User) -> Client:
    log_in(client, alice.email)
    prove_again(client)
    return client


def unpacked(answer: HttpResponse) -> dict[str, Any]:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    return {
        name.removesuffix(".json"): json.loads(archive.read(name))
        for name in archive.namelist()
        if name.endswith(".json")
    }


@pytest.mark.parametrize("path", [DATA, DELETE])
def test_the_password_is_asked_for_first(client: Client, alice: User, path: str) -> None:
    log_in(client, alice.email)
    for answer in (client.get(path), client.post(path, {"address": alice.email})):
        assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not Erasure.objects.exists()
    anonymous = Client().post(path, {"address": alice.email})
    assert anonymous["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", [DATA, DELETE])
def test_a_form_from_elsewhere_is_refused(alice: User, path: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.post(path, {"address": alice.email}).status_code == 403


class TestData:
    def test_it_is_everything_of_this_person_and_nothing_of_another(
        self, proven: Client, alice: User, bob: User
    ) -> None:
        make_client(alice, "rose@clients.test", first_name="Роза", phone="+442079460118")
        make_client(bob, "lily@clients.test")
        answer = proven.post(DATA)
        assert answer["Content-Type"] == "application/zip"
        assert answer["Content-Disposition"].startswith('attachment; filename="mailing-data-')
        assert "no-store" in answer["Cache-Control"]
        data = unpacked(answer)
        (account,) = data["account"]
        assert account["email"] == alice.email
        assert account["roles"] == [roles.USERS.name]
        (rose,) = data["clients"]
        assert (rose["first_name"], rose["phone"]) == ("Роза", "+442079460118")
        assert "lily" not in str(data)
        assert bob.email not in str(data)
        assert "password" not in str(data)
        assert len(data["sessions"]) == 1

    def test_looking_at_the_page_makes_nothing(self, proven: Client) -> None:
        assert "Download my data" in proven.get(DATA).text

    def test_it_is_made_five_times_an_hour(self, proven: Client) -> None:
        answers = [proven.post(DATA).status_code for _ in range(6)]
        assert answers == [200] * 5 + [429]


class TestDelete:
    def test_the_address_has_to_be_typed(self, proven: Client, alice: User) -> None:
        for address in ("", "yes", "bob@people.test", "x" * 10_000, "alice@people.test\x00"):
            answer = proven.post(DELETE, {"address": address})
            assert answer.status_code == 200
            assert 'id="id_address_error"' in answer.text
        alice.refresh_from_db()
        assert alice.closed_at is None
        assert is_in(proven)

    def test_the_account_is_closed_at_once(
        self, proven: Client, alice: User, manager: User
    ) -> None:
        elsewhere = Client()
        log_in(elsewhere, alice.email)
        mailing = make_mailing(alice, status=MailingStatus.SCHEDULED)
        page = proven.post(DELETE, {"address": " Alice@People.test "})
        assert page.status_code == 200
        assert "Your account is closed" in page.text
        assert "alice@people.test" in page.text
        assert not is_in(proven)
        assert not is_in(elsewhere)
        mailing.refresh_from_db()
        assert mailing.status == MailingStatus.PAUSED
        assert log_in(Client(), "alice@people.test").context["form"].errors
        closed = User.objects.get(pk=alice.pk)
        assert not closed.is_active
        assert closed.get_full_name() == ""

    def test_the_address_is_free_again(self, proven: Client, alice: User) -> None:
        proven.post(DELETE, {"address": alice.email})
        sign_up(Client(), "alice@people.test")
        assert User.objects.filter(email="alice@people.test").count() == 1

    def test_a_proof_that_comes_late_goes_on_where_it_was_asked_for(
        self, client: Client, alice: User
    ) -> None:
        log_in(client, alice.email)
        asked = client.post(DELETE, {"address": alice.email})
        page = client.post(asked["Location"], {"password": PASSWORD})
        assert page.status_code == 200
        assert "Your account is closed" in page.text
        assert not is_in(client)
        assert Erasure.objects.get().user_id == alice.pk

    @pytest.mark.parametrize("role", roles.ROLES, ids=lambda role: role.name)
    def test_it_is_for_every_role(self, make_user: MakeUser, role: roles.Role) -> None:
        person, browser = make_user("nora", role), Client()
        log_in(browser, person.email)
        prove_again(browser)
        assert "Your account is closed" in browser.post(DELETE, {"address": person.email}).text

    def test_the_only_administrator_stays(self, admin: User, make_user: MakeUser) -> None:
        browser = Client()
        log_in(browser, admin.email)
        prove_again(browser)
        answer = browser.post(DELETE, {"address": admin.email})
        assert "You are the only administrator" in answer.text
        make_user("second", superuser=True)
        assert "is closed" in browser.post(DELETE, {"address": admin.email}).text
