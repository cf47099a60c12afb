"""Whole pages, kept for each reader until something that they show changes.

A `ManagedCache` is a named group of pages with what they depend on. It has one token, a random
number in the cache. A page is stored with the token that was there before its first query, and is
good as long as the group still has that token: to drop the pages of all readers, the token is
deleted (`drop`). So a page that was rendered while its data changed is never served, and a cache
that has lost or refused something only makes pages slower.

    request ─ PageCacheMiddleware ─ hit? ───────────────────────────────────────────── response
                     └ miss: token, then routing, permissions, view ─ ManagedCachedMixin stores it

The key holds who is asking (id, session hash, and every column of user and profile), the language,
the path and the parameters that the group allows. What is stored are pieces of HTML: what is each
request's own is filled in when it leaves (`page_slots`). Groups are dropped by what is written to
their tables (`table_writes`), in any process, once it is committed. See ADR 0026.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from django.apps import apps
from django.core.cache import caches
from django.db import connection, models
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import get_language

from site_project import page_drops, page_slots, table_writes
from site_project.page_slots import CutPage

_LONGEST_RENDERING = 10.0
"""A process that renders a page for longer has died; whoever waits for it renders by himself."""
_LOOK_AGAIN_SECONDS = 0.01
_LARGEST_PAGE = 2_000_000
_LONGEST_PATH = 300
_PERMISSIONS = (
    "auth.Group",
    "auth.Permission",
    "wagtailcore.GroupPagePermission",
    "wagtailcore.GroupCollectionPermission",
)
"""Every page depends on them: what a reader may do decides what a page shows."""
_NAMES = ("contenttypes.ContentType", "wagtailcore.Locale")
"""Every page may read them, and hardly anybody ever writes them."""
_VISIT = "page_visit"
_SIDEBAR = "wagtail_sidebar_collapsed"
"""The only cookie, besides session and language, that a page is rendered by."""
_APPLE = re.compile("Mac|iPod|iPhone|iPad")
"""Wagtail's screens name the keys of the keyboard that these words in User-Agent tell of."""

_groups: list[ManagedCache] = []


def store() -> Any:
    """Return where pages are kept. It raises what its server raises; everything here expects it."""
    return caches["pages"]


# --- A group of pages -----------------------------------------------------------------------------


class Entry(NamedTuple):
    """A stored page."""

    token: str
    page: CutPage
    content_type: str
    etag: str
    about: Any


@dataclass(eq=False)
class ManagedCache:
    """A named group of pages that are dropped together.

    `views` are the names of the URL patterns that lead to them, `paths` single addresses (which go
    first), `depends_on` models ("app.Model") or apps ("app") whose tables they show. A page differs
    by the parameters in `params`; one with a parameter of `live` is never stored, any other is as
    if it were not there. `varies` returns what else pages differ by, without a query; `seconds` is
    how long they may be kept though nothing was written, for what a page shows of the clock.
    `on_hit` is called whenever a stored page is served, with what its page said it is `about`.
    """

    name: str
    depends_on: Collection[str]
    views: Collection[str] = ()
    paths: Collection[str] = ()
    params: Collection[str] = ()
    live: Collection[str] = ()
    seconds: int = 300
    varies: Callable[[], str] = str
    on_hit: Callable[[HttpRequest, Any], None] = lambda _request, _about: None
    _token_key: str = field(init=False)

    def __post_init__(self) -> None:
        self._token_key = f"token:{self.name}"
        _groups.append(self)

    def get(self, request: HttpRequest) -> HttpResponseBase | None:
        """Return the stored page that answers a request, or None; then `store` may keep it.

        Where the middleware has looked already, it is not looked for again: not even if it took the
        address for one of another group, since then there were queries before.
        """
        if getattr(request, _VISIT, None) is not None:
            return None
        visit = self.visit(request)
        return visit.answer() if visit is not None else None

    def store(
        self, request: HttpRequest, response: HttpResponse, *, about: Any = None
    ) -> HttpResponse:
        """Keep a page once it is rendered, if nothing forbids it; return the response."""
        visit: Visit | None = getattr(request, _VISIT, None)
        if visit is None or visit.group is not self:
            return response
        page_slots.record(request)
        if hasattr(response, "add_post_render_callback"):
            response.add_post_render_callback(lambda rendered: visit.keep(rendered, about))
        else:
            visit.keep(response, about)
        return response

    def drop(self) -> None:
        """Drop the pages of all readers: at once, or as `page_drops.coalesced` says."""
        page_drops.ask(self)

    def visit(self, request: HttpRequest) -> Visit | None:
        """Return what is needed to look for a request's page and to store it; None if neither may.

        Call it before the first query of the page.
        """
        if (
            request.method not in {"GET", "HEAD"}
            or getattr(request, "is_dummy", False)  # a preview, sent to the address of its page
            or "Authorization" in request.headers
            or connection.in_atomic_block  # what it reads may never be committed
            or any(name in request.GET for name in self.live)
            or _messages_wait(request)
            or page_drops.is_away()
        ):
            return None
        visit = Visit(self, request)
        setattr(request, _VISIT, visit)
        return visit

    def token(self) -> str:
        """Return the group's token, a new one if it has none. Raises what the cache raises."""
        kept = store()
        token: str | None = kept.get(self._token_key)
        if token is None:
            token = secrets.token_hex(8)
            if not kept.add(self._token_key, token, timeout=None):
                token = kept.get(self._token_key) or token
        return token

    def delete_token(self) -> None:
        """Make every stored page of the group worthless. Raises what the cache raises."""
        store().delete(self._token_key)

    def key(self, request: HttpRequest) -> str:
        parts = (
            request.path,
            sorted(
                (name, request.GET.getlist(name)) for name in self.params if name in request.GET
            ),
            get_language(),
            self.varies(),
            _reader(request.user),
            _browser(request) if request.user.is_authenticated else None,
        )
        digest = hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
        return f"page:{self.name}:{digest}"

    def takes(self, request: HttpRequest) -> bool:
        """Return whether the address has no parameter that could have found its way into a page."""
        return set(request.GET) <= set(self.params)

    def tables(self) -> set[str]:
        """Return the tables that the pages depend on."""
        found: set[str] = set()
        for name in (*self.depends_on, *_PERMISSIONS, *_NAMES):
            found |= _tables_of(name)
        return found


def _tables_of(name: str) -> set[str]:
    if "." not in name:
        config = apps.get_app_config(name)
        return {model._meta.db_table for model in config.get_models(include_auto_created=True)}
    model = apps.get_model(name)
    joined = (m.remote_field.through for m in model._meta.local_many_to_many)
    return {m._meta.db_table for m in (model, *joined, *model._meta.parents)}


def _reader(user: Any) -> Any:
    """Return all that is known of who is asking, so that any change of it is another reader."""
    if not user.is_authenticated:
        return None
    profile = getattr(user, "wagtail_userprofile", None)
    return (user.pk, user.get_session_auth_hash(), _columns(user), profile and _columns(profile))


def _browser(request: HttpRequest) -> tuple[bool, bool]:
    """Return what screens take from a browser."""
    agent = request.headers.get("User-Agent", "")
    return request.COOKIES.get(_SIDEBAR, "") == "1", bool(_APPLE.search(agent))


def _columns(row: models.Model) -> list[Any]:
    return [row.__dict__.get(column.attname) for column in row._meta.concrete_fields]


def _messages_wait(request: HttpRequest) -> bool:
    messages = getattr(request, "_messages", None)
    return messages is not None and len(messages) > 0


# --- One request ----------------------------------------------------------------------------------


class Visit:
    """A request for a page of a group, with the token that was there before its first query."""

    def __init__(self, group: ManagedCache, request: HttpRequest) -> None:
        self.group = group
        self.request = request
        self.entry: Entry | None = None
        self._key = group.key(request)
        self._token = ""
        try:
            self._token = group.token()
        except Exception as error:  # noqa: BLE001 - whatever it is, the page can do without
            page_drops.report(error)

    def answer(self) -> HttpResponseBase | None:
        """Return the stored page as this request gets it, or None."""
        entry = self.find()
        if entry is None:
            return None
        self.group.on_hit(self.request, entry.about)
        return self._finished(entry)

    def find(self) -> Entry | None:
        if not self._token:
            return None
        try:
            entry = store().get(self._key)
        except Exception as error:  # noqa: BLE001 - a damaged file, a server that is away
            page_drops.report(error)
            return None
        if isinstance(entry, Entry) and entry.token == self._token:
            return entry
        return None

    def keep(self, response: HttpResponseBase, about: Any) -> None:
        """Store a rendered page, and fill in what is this request's own."""
        if not isinstance(response, HttpResponse):
            return
        page = page_slots.cut(response.content, self.request)
        if page.slots:
            response.content = page.filled(self.request)
        if not self._token or not self._may_keep(response, page):
            return
        entry = Entry(self._token, page, response.headers["Content-Type"], _etag(page), about)
        try:
            store().set(self._key, entry, self.group.seconds)
        except Exception as error:  # noqa: BLE001 - no room, or a server that is away
            page_drops.report(error)
            return
        self.entry = entry

    def _may_keep(self, response: HttpResponse, page: CutPage) -> bool:
        messages = getattr(self.request, "_messages", None)
        return (
            self.request.method == "GET"
            and response.status_code == 200
            and response.headers["Content-Type"].startswith("text/html")
            and "Content-Encoding" not in response.headers
            and "Content-Security-Policy" not in response.headers  # one of its own
            and not response.cookies
            and not getattr(self.request, "is_preview", False)
            and not (messages is not None and (messages.used or len(messages)))
            and self.group.takes(self.request)
            and sum(map(len, page.pieces)) <= _LARGEST_PAGE
            and not page_slots.holds_secret(page, self.request)
        )

    def finish(self, response: HttpResponseBase) -> HttpResponseBase:
        """Give a page that was not stored before the headers that it will have from the cache."""
        if response.status_code == 200 and not response.streaming:
            self._protect(response)
            if self.entry is not None and self._has_etag(self.entry):
                response.headers["ETag"] = self.entry.etag
        return response

    def _finished(self, entry: Entry) -> HttpResponseBase | None:
        response = HttpResponse(entry.page.filled(self.request), content_type=entry.content_type)
        self._protect(response)
        if not self._has_etag(entry):
            return response
        response.headers["ETag"] = entry.etag
        return get_conditional_response(self.request, etag=entry.etag, response=response)

    def _has_etag(self, entry: Entry) -> bool:
        """A visitor's page may be asked for again; one that holds secrets is never the same."""
        return not self.request.user.is_authenticated and not any(
            slot.kind in {"csrf", "nonce"} for slot in entry.page.slots
        )

    def _protect(self, response: HttpResponseBase) -> None:
        if self.request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "private, no-store")
        else:
            response.headers.setdefault("Cache-Control", "private, no-cache")
        patch_vary_headers(response, ("Cookie", "Accept-Language"))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one request render a page; the others wait until it has, or has failed to."""
        if not self._token:
            yield
            return
        lock = f"lock:{self._key}"
        mine = True
        until = time.monotonic() + _LONGEST_RENDERING
        try:
            mine = bool(store().add(lock, 1, _LONGEST_RENDERING))
            while not mine and time.monotonic() < until and store().get(lock) is not None:
                time.sleep(_LOOK_AGAIN_SECONDS)
        except Exception as error:  # noqa: BLE001 - without a cache everybody renders
            page_drops.report(error)
        try:
            yield
        finally:
            if mine:
                try:
                    store().delete(lock)
                except Exception as error:  # noqa: BLE001 - it ends by itself
                    page_drops.report(error)


def _etag(page: CutPage) -> str:
    digest = hashlib.sha256()
    for piece in page.pieces:
        digest.update(b"%d:" % len(piece) + piece)
    return f'W/"{digest.hexdigest()[:32]}"'


class PageCacheMiddleware:
    """Answers from the cache before routing, permissions and views; stands behind who asks.

    Without it pages would be stored with a token that is younger than the first of their queries.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        group = group_of(request.path_info) if request.method in {"GET", "HEAD"} else None
        visit = group.visit(request) if group is not None else None
        if visit is None:
            return self.get_response(request)
        found = visit.answer()
        if found is not None:
            return found
        with visit.alone():
            return visit.answer() or visit.finish(self.get_response(request))


def group_of(path: str) -> ManagedCache | None:
    """Return the group that the page at an address of this site would be kept in."""
    for group in _groups:
        if path in group.paths:
            return group
    name = _view_at(path) if len(path) <= _LONGEST_PATH else ""
    return next((group for group in _groups if name in group.views), None)


@lru_cache(maxsize=2048)
def _view_at(path: str) -> str:
    """Return the name of the pattern that an address leads to; no Wagtail page is looked for."""
    try:
        return resolve(path).view_name
    except Resolver404:
        return ""


# --- Views and pages that are kept ----------------------------------------------------------------


class ManagedCachedMixin:
    """For class-based views whose page belongs to `managed_cache`; stands first among the bases."""

    managed_cache: ManagedCache
    request: Any

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = self.managed_cache.get(request)
        return found or super().get(request, *args, **kwargs)  # type: ignore[misc]

    def render_to_response(self, context: Any, **response_kwargs: Any) -> Any:
        response = super().render_to_response(context, **response_kwargs)  # type: ignore[misc]
        return self.managed_cache.store(self.request, response)


class ManagedCachedPageMixin:
    """The same for Wagtail pages, as long as everybody may read them."""

    managed_cache: ManagedCache

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = self.managed_cache.get(request)
        if found is not None:
            return found
        response = super().serve(request, *args, **kwargs)  # type: ignore[misc]
        if (
            self.is_for_everybody()
            and self.is_on_only_site()
            and self.is_canonical(request, response)
        ):
            return self.managed_cache.store(request, response, about=self.kept_about())
        return response

    def kept_about(self) -> Any:
        """Return what the group's `on_hit` is told of the page."""
        return None

    def is_for_everybody(self) -> bool:
        """A page behind a password is shown by what the session holds, which no key has."""
        return not self.get_view_restrictions().exists()  # type: ignore[attr-defined]

    def is_on_only_site(self) -> bool:
        """With several sites the host decides what an address shows, and no key has it."""
        return len(apps.get_model("wagtailcore.Site").get_site_root_paths()) == 1

    def is_canonical(self, request: HttpRequest, response: HttpResponseBase) -> bool:
        """Return whether the parameters are what the page shows, not something it has replaced."""
        return not request.GET


# --- Dropping -------------------------------------------------------------------------------------


def wrote(*written: type[models.Model]) -> None:
    """Drop the pages that show these rows, once the transaction commits.

    To be called by whoever writes past Django's cursors, on the driver's own connection. All other
    writes are noticed by themselves: bulk, raw SQL, in whatever process.
    """
    table_writes.note(*written)


def drop_all() -> None:
    """Drop all pages, at the start of a process.

    A new release renders differently, and the process before may have died between a commit and
    what follows from it.
    """
    for group in _groups:
        group.drop()


def start(groups: Sequence[ManagedCache] | None = None) -> None:
    """Begin to drop groups when their tables are written. Once, when all models are loaded."""
    for group in _groups if groups is None else groups:
        table_writes.call_after_writes(group.tables(), group.drop)
    table_writes.watch()
