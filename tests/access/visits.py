"""Sends requests as each role, and reads what came back as the table writes it."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from io import BytesIO
from typing import Any

from django.contrib.messages import get_messages
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from tests.access.world import World
from tests.conftest import PASSWORD


@dataclass(frozen=True)
class Answer:
    shown: str
    """The status; "login" or "denied" for a redirect to the log-in or to the admin's front page."""

    body: str
    text: str
    """Everything that reaches the visitor: body, headers and the messages for the next page."""


def browsers(world: World) -> dict[str, Client]:
    """Return a browser for each role, signed in; the blocked one has kept a session."""
    signed_in = {
        "blocked": world.blocked,
        "owner": world.alice,
        "stranger": world.bob,
        "manager": world.manager,
        "blogger": world.blogger,
        "superuser": world.admin,
    }
    found = {role: _browser(user) for role, user in signed_in.items()}
    User.objects.filter(pk=world.blocked.pk).update(is_active=False)
    unverified = _browser()
    unverified.post("/accounts/login/", {"login": world.unverified.email, "password": PASSWORD})
    return {"anonymous": _browser(), "unverified": unverified} | found


def _browser(user: User | None = None) -> Client:
    browser = Client(raise_request_exception=False)
    if user is not None:
        browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        # As after the first page: noting the session is no part of what is tested.
        session = browser.session
        session["seen_at"] = int(time.time())
        session.save()
    return browser


def visit(
    browser: Client,
    method: str,
    address: str,
    data: Mapping[str, Any] | None = None,
    *,
    undo: bool = True,
) -> Answer:
    """Send one request. Its cookies are forgotten, and what it wrote too unless `undo` is False."""
    jar = browser.cookies
    browser.cookies = SimpleCookie(jar)
    with transaction.atomic():
        response = browser.generic(method, address) if data is None else browser.post(address, data)
        answer = _read(response)
        transaction.set_rollback(undo)
    browser.cookies = jar
    return answer


def _read(response: Any) -> Answer:
    body = _unpacked(b"".join(response) if response.streaming else response.content)
    messages = [str(message) for message in get_messages(response.wsgi_request)]
    text = "\n".join((body, str(response.headers), str(response.cookies), *messages))
    return Answer(_shown(response), body, text)


def _unpacked(content: bytes) -> str:
    """Return the text of a body; that of a spreadsheet is in a compressed archive."""
    if content.startswith(b"PK"):
        archive = zipfile.ZipFile(BytesIO(content))
        content = b"\n".join(archive.read(name) for name in archive.namelist())
    return content.decode(errors="replace")


def _shown(response: HttpResponse) -> str:
    if response.status_code != 302:
        return str(response.status_code)
    target = response["Location"]
    if target.startswith(("/accounts/login/", "/admin/login/")):
        return "login"
    return "denied" if target == "/admin/" else "302"
