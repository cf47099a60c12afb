"""What is cut out of a page, and filled in for another request."""

from __future__ import annotations

import secrets

import pytest
from django.http import HttpRequest
from django.middleware import csrf
from django.test import RequestFactory

from site_project import page_slots
from site_project.page_slots import Slot, cut, holds_secret


@pytest.fixture
def request_of_one(rf: RequestFactory) -> HttpRequest:
    return rf.get("/")


@pytest.fixture
def request_of_another(rf: RequestFactory) -> HttpRequest:
    return rf.get("/")


def secret_of(token: bytes) -> str:
    return csrf._unmask_cipher_token(token.decode())


class TestTokens:
    def test_each_request_gets_its_own(
        self, request_of_one: HttpRequest, request_of_another: HttpRequest
    ) -> None:
        first, second = (csrf.get_token(request_of_one) for _ in range(2))
        page = cut(f'<i value="{first}"><script>"{second}"</script>'.encode(), request_of_one)
        assert page.pieces == [b'<i value="', b'"><script>"', b'"</script>']
        assert list(page.slots) == [Slot("csrf")] * 2
        filled = page.filled(request_of_another)
        token = filled[len(page.pieces[0]) :][:64]
        assert secret_of(token) == request_of_another.META["CSRF_COOKIE"]
        assert secret_of(token) != request_of_one.META["CSRF_COOKIE"]
        assert filled == page.pieces[0] + token + page.pieces[1] + token + page.pieces[2]
        assert request_of_another.META["CSRF_COOKIE_NEEDS_UPDATE"]

    def test_a_hash_that_is_as_long_stays(self, request_of_one: HttpRequest) -> None:
        csrf.get_token(request_of_one)
        content = f"{secrets.token_hex(32)} {secrets.token_hex(40)}".encode()
        assert cut(content, request_of_one).slots == []

    def test_a_token_is_found_also_where_it_touches_others(
        self, request_of_one: HttpRequest
    ) -> None:
        token = csrf.get_token(request_of_one)
        page = cut(f"\\u0022{token}\\u0022 a{token}b".encode(), request_of_one)
        assert page.pieces == [b"\\u0022", b"\\u0022 a", b"b"]

    def test_the_token_of_somebody_else_stays(
        self, request_of_one: HttpRequest, request_of_another: HttpRequest
    ) -> None:
        csrf.get_token(request_of_one)
        foreign = csrf.get_token(request_of_another).encode()
        assert cut(foreign, request_of_one).pieces == [foreign]

    def test_without_a_token_no_cookie_is_set(
        self, request_of_one: HttpRequest, request_of_another: HttpRequest
    ) -> None:
        page = cut(b"plain", request_of_one)
        assert page.filled(request_of_another) == b"plain"
        assert "CSRF_COOKIE_NEEDS_UPDATE" not in request_of_another.META

    def test_a_bare_secret_is_noticed(self, request_of_one: HttpRequest) -> None:
        token = csrf.get_token(request_of_one)
        secret = request_of_one.META["CSRF_COOKIE"]
        assert not holds_secret(cut(token.encode(), request_of_one), request_of_one)
        assert holds_secret(cut(f"<{secret}>".encode(), request_of_one), request_of_one)


def test_a_nonce_is_each_responses_own(
    request_of_one: HttpRequest, request_of_another: HttpRequest
) -> None:
    request_of_one.csp_nonce = secrets.token_urlsafe(16)
    request_of_another.csp_nonce = "another"
    content = f'<script nonce="{request_of_one.csp_nonce}"></script>'
    page = cut(content.encode(), request_of_one)
    assert page.has_nonce
    assert page.filled(request_of_another) == b'<script nonce="another"></script>'


class TestLiveParts:
    @pytest.fixture(autouse=True)
    def counter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(page_slots, "_fillers", {})
        numbers = iter(range(9))
        page_slots.fill_live_with("n", lambda _request, step: f"<b>{next(numbers) * step}</b>")

    def test_they_are_written_each_time(self, request_of_one: HttpRequest) -> None:
        page_slots.record(request_of_one)
        content = f"a{page_slots.live(request_of_one, 'n', 10)}z".encode()
        page = cut(content, request_of_one)
        assert [page.filled(request_of_one) for _ in range(2)] == [b"a<b>0</b>z", b"a<b>10</b>z"]

    def test_a_page_that_is_not_kept_has_them_at_once(self, request_of_one: HttpRequest) -> None:
        assert page_slots.live(request_of_one, "n", 1) == "<b>0</b>"

    def test_what_somebody_writes_into_a_page_is_no_slot(self, request_of_one: HttpRequest) -> None:
        page_slots.record(request_of_one)
        mark = page_slots.live(request_of_one, "n", 1)
        foreign = f"<!-- {'0' * 32} -->"
        page = cut(f"{foreign}{mark}".encode(), request_of_one)
        assert page.filled(request_of_one) == foreign.encode() + b"<b>0</b>"
