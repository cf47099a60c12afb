"""Browsers that ask as people do: by WSGI, from any thread, each with its cookies."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.handlers.wsgi import WSGIHandler
from django.middleware import csrf
from django.middleware.csrf import CSRF_TOKEN_LENGTH
from django.test import Client, RequestFactory
from django.test.signals import template_rendered

_TOKEN = re.compile(rf"(?<![0-9A-Za-z])[0-9A-Za-z]{{{CSRF_TOKEN_LENGTH}}}(?![0-9A-Za-z])")
_PARTS = {"blog/readers.html"}
"""Templates that are rendered for each request of a stored page."""

_here = threading.local()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    hit: bool
    """Whether the page came out of the cache: it rendered no template."""

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def everything(self) -> str:
        """All that has reached the browser."""
        return "\n".join(f"{name}: {value}" for name, value in self.headers) + self.text

    def __getitem__(self, name: str) -> str:
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    def names(self) -> set[str]:
        return {name for name, _value in self.headers}

    def forms_tokens(self) -> list[str]:
        return _TOKEN.findall(self.text)


@dataclass
class Browser:
    """One browser of a person, or of a visitor."""

    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    session: str = ""
    """The only one that it may ever be given."""
    handler: Callable[..., Any] = field(default_factory=WSGIHandler)

    @classmethod
    def of(cls, client: Client, **headers: str) -> Browser:
        """Return a browser that is signed in as that of the test client is."""
        cookies = {name: morsel.value for name, morsel in client.cookies.items()}
        return cls(cookies, headers, cookies.get(settings.SESSION_COOKIE_NAME, ""))

    def get(self, address: str, **options: Any) -> Answer:
        return self.send("GET", address, **options)

    def post(self, address: str, body: str = "", **options: Any) -> Answer:
        return self.send("POST", address, body=body, **options)

    def send(
        self,
        method: str,
        address: str,
        *,
        body: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; header names are in lower case, with underscores."""
        sent = {f"HTTP_{name.upper()}": text for name, text in self.headers.items()}
        if self.cookies:
            sent["HTTP_COOKIE"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        sent |= {f"HTTP_{name.upper()}": text for name, text in (headers or {}).items()}
        request = RequestFactory().generic(
            method, address, body, "application/x-www-form-urlencoded", **sent
        )
        started: list[Any] = []
        _here.templates = set()
        response = self.handler(request.environ, lambda *args: started.extend(args))
        try:
            content = b"".join(response)
        finally:
            response.close()
        status, found = started[:2]
        answer = Answer(
            int(status.split()[0]),
            found,
            content,
            hit=not _here.templates - _PARTS
            and status.startswith(("200", "304"))
            and "text/csv" not in str(found),
        )
        self._take_cookies(answer)
        return answer

    def _take_cookies(self, answer: Answer) -> None:
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                for key, morsel in SimpleCookie(value).items():
                    self.cookies[key] = morsel.value
                    if morsel["max-age"] == 0 or not morsel.value:
                        del self.cookies[key]

    def owns_session_of(self, answer: Answer) -> bool:
        """Return whether an answer that sets the session's cookie sets it to this browser's."""
        given = [value for name, value in answer.headers if name.lower() == "set-cookie"]
        cookies = [SimpleCookie(value).get(settings.SESSION_COOKIE_NAME) for value in given]
        return all(morsel is None or morsel.value == self.session for morsel in cookies)

    def owns_tokens_of(self, answer: Answer) -> bool:
        """Return whether each CSRF token of a page is one of this browser."""
        secret = self.cookies.get("csrftoken")
        unmasked = csrf._unmask_cipher_token
        return all(unmasked(token) == secret for token in answer.forms_tokens())


@contextmanager
def renderings_are_noticed() -> Iterator[None]:
    """Know of each thread which templates it renders."""

    def note(template: Any, **_kwargs: Any) -> None:
        if hasattr(_here, "templates"):
            _here.templates.add(template.name)

    template_rendered.connect(note)
    try:
        yield
    finally:
        template_rendered.disconnect(note)


def number_of_entries() -> int:
    """Return how much the cache holds: pages, tokens and locks."""
    kept: Any = caches["pages"]
    if hasattr(kept, "_dir"):
        return sum(1 for _ in Path(kept._dir).glob("*.djcache"))
    return sum(1 for _ in kept._cache.get_client().scan_iter("pages:*"))
