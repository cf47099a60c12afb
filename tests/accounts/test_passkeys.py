"""Answers that no authenticator gives; the real ones are in tests/browser/test_accounts.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import is_in, log_in, prove_again

pytestmark = pytest.mark.django_db

ADD = "/accounts/2fa/webauthn/add/"
LOGIN = "/accounts/2fa/webauthn/login/"
AGAIN = "/accounts/2fa/webauthn/reauthenticate/"

_ID = "AAAA"
MADE_UP: list[Any] = [
    "",
    "nonsense",
    "[]",
    "1",
    '"text"',
    "null",
    "{}",
    '{"response": 1}',
    "[1, 2]",
    json.dumps({"id": _ID, "rawId": _ID, "type": "public-key", "response": {}}),
    json.dumps({"id": _ID, "rawId": _ID, "type": "public-key", "response": []}),
    json.dumps(
        {
            "id": _ID,
            "rawId": _ID,
            "type": "public-key",
            "response": {"clientDataJSON": "????", "attestationObject": "AAAA"},
        }
    ),
    json.dumps(
        {
            "id": _ID,
            "rawId": _ID,
            "type": "public-key",
            "response": {
                "clientDataJSON": "e30",
                "authenticatorData": "AAAA",
                "signature": "AAAA",
                "userHandle": "MQ",
            },
        }
    ),
    json.dumps({"id": _ID, "response": {"userHandle": "____"}}),
    '{"a":' * 500 + "1" + "}" * 500,
]


@pytest.mark.parametrize("credential", MADE_UP)
def test_a_made_up_answer_adds_nothing(client: Client, alice: User, credential: str) -> None:
    log_in(client, alice.email)
    prove_again(client)
    client.get(ADD)
    answer = client.post(ADD, {"name": "Key", "passwordless": "on", "credential": credential})
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert 'role="alert"' in answer.text
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("credential", MADE_UP)
def test_a_made_up_answer_lets_nobody_in(client: Client, alice: User, credential: str) -> None:
    options = client.get(LOGIN, headers={"accept": "application/json"})
    assert options.json()["request_options"]["publicKey"]["userVerification"] == "required"
    answer = client.post(LOGIN, {"credential": credential})
    assert answer["Location"] == "/accounts/login/"
    assert not is_in(client)


def test_the_options_do_not_tell_who_exists(alice: User) -> None:
    options = Client().get(LOGIN, headers={"accept": "application/json"}).json()
    assert options["request_options"]["publicKey"]["allowCredentials"] == []


def make_passkey(user: User) -> Authenticator:
    """Return a row as the list shows it; nobody can log in with it."""
    return Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "Phone", "credential": {}}
    )


def test_those_of_others_do_not_exist(client: Client, alice: User, bob: User) -> None:
    of_bob = make_passkey(bob)
    log_in(client, alice.email)
    prove_again(client)
    for action in ("edit", "remove"):
        path = f"/accounts/2fa/webauthn/keys/{of_bob.pk}/{action}/"
        missing = "/accounts/2fa/webauthn/keys/987654321/" + action + "/"
        assert client.get(path).status_code == client.get(missing).status_code == 404
        assert client.post(path, {"name": "Mine"}).status_code == 404
    of_bob.refresh_from_db()
    assert of_bob.data["name"] == "Phone"
    assert "Phone" not in client.get("/accounts/2fa/webauthn/").text


@pytest.mark.parametrize("name", ["", "N" * 101, "two\r\nlines", "hsA\u202e"])
def test_a_name_may_not_be_anything(client: Client, alice: User, name: str) -> None:
    log_in(client, alice.email)
    prove_again(client)
    passkey = make_passkey(alice)
    path = f"/accounts/2fa/webauthn/keys/{passkey.pk}/edit/"
    answer = client.post(path, {"name": name})
    assert answer.status_code == 200
    assert set(answer.context["form"].errors) == {"name"}
    client.post(path, {"name": "Laptop <b>"})
    assert "Laptop &lt;b&gt;" in client.get("/accounts/2fa/webauthn/").text
