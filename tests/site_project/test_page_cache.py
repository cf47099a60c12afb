"""Pages from the cache: what is kept, for whom, until when, and what a broken cache costs."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.db import connection, transaction
from django.middleware import csrf
from django.test import Client, RequestFactory
from django.urls import get_resolver
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from blog.models import BlogIndexPage, BlogPage
from blog.pages import BLOG
from home.models import HomePage
from home.pages import FRONT
from mailing.admin.clients import ClientIndexView
from mailing.admin.listing import MailingIndexView
from mailing.admin.mailings import MailingInspectView
from mailing.admin.messages import MessageIndexView
from mailing.pages import CLIENTS, MAILINGS, MESSAGES
from site_project import page_cache, page_drops
from site_project.page_cache import ManagedCache
from tests.blog.posts import hide, make_post
from tests.factories import make_mailing

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/mailing/mailing/"
MESSAGE_LIST, CLIENT_LIST = "/admin/mailing/message/", "/admin/mailing/client/"
TOKEN = re.compile(r"(?<=['\"])[0-9A-Za-z]{64}(?=['\"])")
GROUPS = (FRONT, BLOG, MAILINGS, MESSAGES, CLIENTS)


def is_hit(client: Client, url: str, **headers: str) -> bool:
    """Return whether a page comes from the cache: nothing is rendered for it."""
    response = client.get(url, headers=headers)
    assert response.status_code == 200
    return not response.templates


@pytest.fixture
def warm(client: Client) -> Client:
    """A visitor for whom the front page is kept."""
    client.get("/")
    client.get("/")  # the first may have made a rendition, which is a write
    assert is_hit(client, "/")
    return client


class TestHits:
    def test_a_visitor_costs_no_query(
        self, warm: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_max_num_queries(0):
            assert is_hit(warm, "/")

    @pytest.mark.parametrize("url", ["/", LIST, MESSAGE_LIST, CLIENT_LIST])
    def test_a_signed_in_person_costs_three(
        self,
        alice: User,
        browse: Callable[[User], Client],
        url: str,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        me = browse(alice)
        for _ in range(2):
            me.get(url)
        with django_assert_max_num_queries(3):
            assert is_hit(me, url)

    def test_a_hit_is_what_was_rendered(self, warm: Client) -> None:
        FRONT.drop()
        rendered, kept = warm.get("/"), warm.get("/")
        assert (rendered.content, rendered.headers) == (kept.content, kept.headers)
        assert rendered.templates
        assert not kept.templates

    def test_head_is_answered_too(self, warm: Client) -> None:
        response = warm.head("/")
        assert not response.templates
        assert response.content == b""

    def test_each_page_has_its_own(self, alice: User, browse: Callable[[User], Client]) -> None:
        me = browse(alice)
        names = [make_mailing(alice, [], name=f"Notes {n}").pk for n in range(2)]
        for pk in names * 2:
            assert f"Notes {names.index(pk)}" in me.get(f"{LIST}inspect/{pk}/").text
        assert is_hit(me, f"{LIST}inspect/{names[0]}/")

    def test_parameters_that_are_allowed_tell_pages_apart(
        self, alice: User, browse: Callable[[User], Client]
    ) -> None:
        me = browse(alice)
        me.get(LIST)
        for query in ("?o=1", "?status=paused", "?p=1"):
            assert not is_hit(me, LIST + query)
            assert is_hit(me, LIST + query)

    def test_what_somebody_looks_for_is_not_kept(
        self, alice: User, browse: Callable[[User], Client]
    ) -> None:
        me = browse(alice)
        for _ in range(3):
            assert not is_hit(me, f"{LIST}?q=notes")

    def test_a_parameter_that_is_not_known_neither_splits_nor_warms(self, warm: Client) -> None:
        assert is_hit(warm, "/?utm_source=x")
        FRONT.drop()
        assert not is_hit(warm, "/?utm_source=x")
        assert not is_hit(warm, "/")

    def test_what_is_not_there_is_not_kept(self, client: Client) -> None:
        for url in ("/blog/?p=99", "/blog/?tag=nothing", "/blog/?p=1&p=2"):
            for _ in range(3):
                assert not is_hit(client, url)
        make_post(tags=("red",))
        for _ in range(2):
            client.get("/blog/?tag=red")
        assert is_hit(client, "/blog/?tag=red")

    def test_inside_of_a_transaction_nothing_is_kept_and_nothing_served(self, warm: Client) -> None:
        with transaction.atomic():
            assert not is_hit(warm, "/")

    def test_switched_off_nothing_is_kept(self, client: Client, settings: Settings) -> None:
        settings.CACHES = {
            **settings.CACHES,
            "pages": {"BACKEND": f"{DummyCache.__module__}.{DummyCache.__qualname__}"},
        }
        for _ in range(3):
            assert not is_hit(client, "/")


class TestDeclarations:
    @pytest.mark.parametrize(
        ("view", "group"),
        [
            (HomePage, FRONT),
            (BlogIndexPage, BLOG),
            (BlogPage, BLOG),
            (MailingIndexView, MAILINGS),
            (MailingInspectView, MAILINGS),
            (MessageIndexView, MESSAGES),
            (ClientIndexView, CLIENTS),
        ],
    )
    def test_who_belongs_to_which_group(self, view: Any, group: ManagedCache) -> None:
        assert view.managed_cache is group

    def test_each_view_that_a_group_names_exists(self) -> None:
        names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
        assert {view for group in GROUPS for view in group.views} <= names

    def test_no_parameter_is_both_kept_and_live(self) -> None:
        for group in GROUPS:
            assert not set(group.params) & set(group.live)

    def test_rights_are_among_the_dependencies_of_all(self) -> None:
        for group in GROUPS:
            assert {
                "auth_group",
                "auth_group_permissions",
                "accounts_user_groups",
                "accounts_user_user_permissions",
            } <= group.tables()


class TestDropping:
    def test_the_pages_of_all_readers_are_dropped(
        self, warm: Client, alice: User, browse: Callable[[User], Client]
    ) -> None:
        me = browse(alice)
        me.get("/")
        assert is_hit(me, "/")
        FRONT.drop()
        assert not is_hit(me, "/")
        assert not is_hit(warm, "/")

    def test_other_groups_stay(self, warm: Client) -> None:
        BLOG.drop()
        assert is_hit(warm, "/")

    def test_a_page_that_was_rendered_while_its_data_changed_is_not_served(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client.get("/")
        FRONT.drop()
        context = HomePage.get_context

        def changes_meanwhile(page: HomePage, *args: Any) -> Any:
            found = context(page, *args)
            HomePage.objects.update(seo_title="Changed")
            return found

        with monkeypatch.context() as patched:
            patched.setattr(HomePage, "get_context", changes_meanwhile)
            assert not is_hit(client, "/")
        assert not is_hit(client, "/")
        assert is_hit(client, "/")

    def test_within_coalesced_at_most_once_a_second_and_once_at_the_end(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(page_drops, "SECONDS", 0.4)
        dropped: list[float] = []
        monkeypatch.setattr(
            ManagedCache, "delete_token", lambda group: dropped.append(time.monotonic())
        )
        with page_drops.coalesced():
            until = time.monotonic() + 1.0
            while time.monotonic() < until:
                FRONT.drop()
                time.sleep(0.01)
        last_asked = time.monotonic()
        time.sleep(0.6)
        assert 3 <= len(dropped) <= 5
        assert all(b - a >= 0.38 for a, b in pairwise(dropped))
        assert dropped[-1] >= last_asked - 0.05
        FRONT.drop()
        FRONT.drop()
        assert time.monotonic() - dropped[-1] < 0.1
        assert len(dropped) >= 5

    def test_of_a_person_in_another_thread_every_drop_is_at_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dropped: list[str] = []
        monkeypatch.setattr(ManagedCache, "delete_token", lambda group: dropped.append(group.name))
        time.sleep(page_drops.SECONDS)  # whatever was dropped before is no matter now
        with page_drops.coalesced():
            FRONT.drop()
            for _ in range(3):
                thread = threading.Thread(target=FRONT.drop)
                thread.start()
                thread.join()
            assert dropped == ["front"] * 4

    def test_after_its_seconds_a_page_is_rendered_anew(
        self, warm: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Though nothing was written: it may tell the time."""
        monkeypatch.setattr(FRONT, "seconds", 1)
        FRONT.drop()
        assert not is_hit(warm, "/")
        assert is_hit(warm, "/")
        time.sleep(1.1)
        assert not is_hit(warm, "/")
        assert is_hit(warm, "/")

    def test_all(self, warm: Client) -> None:
        page_cache.drop_all()
        assert not is_hit(warm, "/")


class TestWhatIsNeverKept:
    def test_pages_with_messages(self, alice: User, browse: Callable[[User], Client]) -> None:
        me = browse(alice)
        for _ in range(2):
            me.get(LIST)
        mailing = make_mailing(alice, [])
        me.get(LIST)
        assert is_hit(me, LIST)
        deleted = me.post(f"{LIST}delete/{mailing.pk}/")
        assert deleted.status_code == 302
        page = me.get(LIST)
        assert page.templates
        assert "deleted" in page.text
        assert "deleted" not in me.get(LIST).text

    def test_what_only_a_password_opens(self, client: Client) -> None:
        post = hide(make_post("Secret plans"))
        client.get(post.url)
        restriction = post.get_view_restrictions().get()
        opened = client.post(
            f"/_util/authenticate_with_password/{restriction.pk}/{post.pk}/",
            {"password": "secret", "return_url": post.url},
            follow=True,
        )
        assert "<h1" in opened.text
        assert "Words." in opened.text
        client.get(post.url)
        assert "Words." not in Client().get(post.url).text

    def test_not_found(self, client: Client) -> None:
        for _ in range(3):
            assert client.get("/blog/nothing/").templates

    def test_redirects(self, client: Client) -> None:
        for _ in range(3):
            assert client.get("/blog").status_code == 301

    def test_with_an_authorization_header(self, warm: Client) -> None:
        assert not is_hit(warm, "/", authorization="Basic x")


class TestHeaders:
    def test_personal_pages_are_for_no_other_cache(
        self, alice: User, browse: Callable[[User], Client]
    ) -> None:
        me = browse(alice)
        for _ in range(3):
            response = me.get(LIST)
            assert "private" in response.headers["Cache-Control"]
            assert "no-store" in response.headers["Cache-Control"]
            front = me.get("/")
            assert front.headers["Cache-Control"] == "private, no-store"
            assert "ETag" not in front.headers

    def test_a_visitor_need_not_fetch_again_what_is_the_same(self, warm: Client) -> None:
        etag = warm.get("/").headers["ETag"]
        answer = warm.get("/", headers={"If-None-Match": etag})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == etag
        assert {"Cookie", "Accept-Language"} <= set(answer.headers["Vary"].split(", "))
        HomePage.objects.update(seo_title="Changed", search_description="Changed")
        assert warm.get("/", headers={"If-None-Match": etag}).status_code == 200

    def test_languages_are_pages_of_their_own(self, warm: Client) -> None:
        russian = {"Accept-Language": "ru"}
        assert not is_hit(warm, "/", **russian)
        assert is_hit(warm, "/", **russian)
        assert 'lang="ru"' in warm.get("/", headers=russian).text
        assert 'lang="en"' in warm.get("/").text


class TestTokens:
    def test_two_browsers_of_one_person_have_their_own(
        self, alice: User, browse: Callable[[User], Client], settings: Settings
    ) -> None:
        first, second = browse(alice), browse(alice)
        for browser in (first, second, first, second):
            page = browser.get(LIST).text
            tokens = TOKEN.findall(page)
            secret = browser.cookies["csrftoken"].value
            assert secret in {csrf._unmask_cipher_token(token) for token in tokens}
        assert first.cookies["csrftoken"].value != second.cookies["csrftoken"].value
        assert is_hit(first, LIST)
        assert is_hit(second, LIST)


class TestBursts:
    def test_a_cold_page_is_rendered_once(
        self, warm: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        FRONT.drop()
        rendered: list[int] = []
        context = HomePage.get_context

        def slowly(page: HomePage, *args: Any) -> Any:
            rendered.append(1)
            time.sleep(0.3)
            return context(page, *args)

        monkeypatch.setattr(HomePage, "get_context", slowly)
        answers = self._at_once(8)
        assert len(rendered) == 1
        assert len({content for _status, content in answers}) == 1
        assert {status for status, _content in answers} == {200}

    def test_a_page_that_cannot_be_kept_lets_everybody_through(self, client: Client) -> None:
        post = hide(make_post())
        answers = self._at_once(4, post.url)
        assert {status for status, _content in answers} == {200}

    def test_an_error_lets_the_next_one_try(
        self, warm: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        FRONT.drop()

        def fail(*_args: Any) -> Any:
            raise ZeroDivisionError

        with monkeypatch.context() as patched:
            patched.setattr(HomePage, "get_context", fail)
            with pytest.raises(ZeroDivisionError):
                warm.get("/")
        started = time.monotonic()
        assert not is_hit(warm, "/")
        assert time.monotonic() - started < 2

    def _at_once(self, number: int, url: str = "/") -> list[tuple[int, bytes]]:
        answers: list[tuple[int, bytes]] = []
        ready = threading.Barrier(number)

        def ask() -> None:
            try:
                ready.wait(10)
                response = Client().get(url)
                answers.append((response.status_code, response.content))
            finally:
                connection.close()

        threads = [threading.Thread(target=ask) for _ in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(answers) == number
        return answers


class Broken(DummyCache):
    """A cache whose server is away."""

    def _fail(self, *_args: Any, **_kwargs: Any) -> Any:
        raise ConnectionError("away")

    get = add = set = delete = _fail


class Unreachable:
    """A group in a cache that is away for a while, and what happens while it is dropped."""

    def __init__(self) -> None:
        self.is_away = True
        self.asked = 0
        self.meanwhile: list[Callable[[], object]] = []

    def delete_token(self) -> None:
        self.asked += 1
        if self.is_away:
            raise ConnectionError("away")
        while self.meanwhile:
            self.meanwhile.pop()()


class TestABrokenCache:
    def away(self, settings: Settings) -> None:
        settings.CACHES = {
            **settings.CACHES,
            "pages": {"BACKEND": f"{Broken.__module__}.{Broken.__qualname__}"},
        }

    def test_without_one_pages_are_only_slower(self, client: Client, settings: Settings) -> None:
        self.away(settings)
        for _ in range(3):
            assert not is_hit(client, "/")

    def test_a_drop_that_failed_is_made_good(
        self, warm: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Until then nothing is served from what may be old."""
        monkeypatch.setattr(page_drops, "SECONDS", 0.3)

        def fail(_group: ManagedCache) -> None:
            raise ConnectionError("away")

        with monkeypatch.context() as patched:
            patched.setattr(ManagedCache, "delete_token", fail)
            Group.objects.create(name="a write that drops everything")
            assert not is_hit(warm, "/")
            assert not is_hit(warm, "/")
        time.sleep(1)
        assert not is_hit(warm, "/")
        assert is_hit(warm, "/")

    def test_what_is_written_while_it_is_made_good_is_dropped_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(page_drops, "SECONDS", 60.0)  # nobody but the test tries again
        drops = page_drops._Drops()
        group = Unreachable()
        drops.ask(group)
        drops.ask(group)
        assert drops.is_away()
        assert group.asked == 1  # until somebody tries again nobody waits for it
        group.is_away = False
        group.meanwhile.append(lambda: drops.ask(group))
        drops.flush()
        assert drops.is_away()
        drops.flush()
        assert not drops.is_away()
        assert group.asked == 3

    def test_damaged_files_are_no_page(self, warm: Client) -> None:
        folder = Path(getattr(caches["pages"], "_dir", ""))
        if not folder.name:
            pytest.skip("the cache is no folder")
        for file in folder.glob("*.djcache"):
            file.write_bytes(b"\x00damaged")
        for _ in range(3):
            assert warm.get("/").status_code == 200

    def test_an_emptied_cache_starts_anew(self, warm: Client) -> None:
        caches["pages"].clear()
        assert not is_hit(warm, "/")
        assert is_hit(warm, "/")


class TestGroupsByAddress:
    @pytest.mark.parametrize(
        ("path", "group"),
        [
            ("/", FRONT),
            ("/blog/", BLOG),
            ("/blog/anything/", BLOG),
            (LIST, MAILINGS),
            (f"{LIST}inspect/1/", MAILINGS),
            (f"{LIST}edit/1/", None),
            (f"{LIST}create/", None),
            ("/admin/mailing/message/", MESSAGES),
            ("/admin/mailing/client/", CLIENTS),
            ("/admin/", None),
            ("/accounts/login/", None),
            ("/" + "x" * 500 + "/", None),
        ],
    )
    def test_of_a_path(self, path: str, group: ManagedCache | None) -> None:
        assert page_cache.group_of(path) is group


def test_the_mixin_looks_for_itself_where_no_middleware_has(rf: RequestFactory) -> None:
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpResponse
    from django.views.generic import TemplateView

    from site_project.page_cache import ManagedCachedMixin

    rendered: list[int] = []

    class Page(ManagedCachedMixin, TemplateView):
        managed_cache = FRONT

        def render_to_response(self, context: Any, **kwargs: Any) -> HttpResponse:
            return super().render_to_response(context, **kwargs)

        def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
            rendered.append(1)
            return super().get_context_data(**kwargs)

        template_name = "components/logo.html"

    for _ in range(3):
        request = rf.get("/mixin/")
        request.user = AnonymousUser()
        response = Page.as_view()(request)
        response = response.render() if hasattr(response, "render") else response
        assert response.status_code == 200
    assert len(rendered) == 1
