"""What a request brings along neither enters a kept page nor makes another one, and what says who
asks counts at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.cache import caches
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse
from wagtail.models import GroupPagePermission, Page, Site
from wagtail.users.models import UserProfile

from accounts import blocking, middleware, roles
from accounts.models import User
from blog.models import BlogPage
from site_project import page_cache, page_slots
from tests.blog.posts import hide, make_post
from tests.factories import make_client, make_mailing, make_message
from tests.pages.readers import (
    Answer,
    Browser,
    number_of_entries,
    renderings_are_noticed,
)

pytestmark = pytest.mark.django_db(transaction=True)

FRONT, BLOG = "/", "/blog/"
MAILINGS, MESSAGES, CLIENTS = (
    f"/admin/mailing/{name}/" for name in ("mailing", "message", "client")
)
LISTS = (MAILINGS, MESSAGES, CLIENTS)
POISON = "poison-9f3a"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Firefox/140.0"

Browse = Callable[..., Client]


@pytest.fixture(autouse=True)
def noticed() -> Iterator[None]:
    with renderings_are_noticed():
        yield


@pytest.fixture
def visitor() -> Browser:
    return Browser()


@pytest.fixture
def alices(browse: Browse, alice: User) -> Browser:
    return Browser.of(browse(alice))


def warm(browser: Browser, address: str) -> Answer:
    """Have a page kept, and return it as it comes from the cache."""
    browser.get(address)
    answer = browser.get(address)
    assert answer.hit, address
    assert answer.status == 200
    return answer


# --- Who asks, and how they want it, counts at the very next request ------------------------------


class TestChanges:
    @pytest.mark.parametrize("address", LISTS)
    def test_a_role_that_is_taken_and_given_back(
        self, alices: Browser, alice: User, address: str
    ) -> None:
        warm(alices, address)
        alice.groups.clear()
        assert alices.get(address).status == 302
        roles.give(alice, roles.USERS)
        assert alices.get(address).status == 200

    @pytest.mark.parametrize("address", LISTS)
    def test_a_permission_that_a_role_loses(self, alices: Browser, address: str) -> None:
        warm(alices, address)
        kind = address.split("/")[3]
        group = Group.objects.get(name=roles.USERS.name)
        group.permissions.remove(Permission.objects.get(codename=f"view_{kind}"))
        assert alices.get(address).status == 302

    def test_a_page_permission_shows_in_the_menu(self, alices: Browser) -> None:
        before = warm(alices, MAILINGS).text.count("/admin/pages/")
        GroupPagePermission.objects.create(
            group=Group.objects.get(name=roles.USERS.name),
            page=Page.objects.get(depth=2),
            permission=Permission.objects.get(codename="change_page"),
        )
        answer = alices.get(MAILINGS)
        assert not answer.hit
        assert answer.text.count("/admin/pages/") > before

    def test_a_block(self, alices: Browser, alice: User, manager: User) -> None:
        for address in (FRONT, MAILINGS):
            warm(alices, address)
        blocking.set_active(alice, active=False, by=manager)
        assert alices.get(MAILINGS).status == 302
        assert "/admin/" not in alices.get(FRONT).text

    def test_logging_out(self, alices: Browser) -> None:
        assert "/admin/" in warm(alices, FRONT).text
        warm(alices, MAILINGS)
        token = alices.get(MAILINGS).forms_tokens()[0]
        left = alices.post("/accounts/logout/", f"csrfmiddlewaretoken={token}")
        assert left.status == 302
        assert "/admin/" not in alices.get(FRONT).text
        assert alices.get(MAILINGS).status == 302

    def test_a_new_password_ends_other_sessions(self, alices: Browser, alice: User) -> None:
        warm(alices, MAILINGS)
        alice.set_password("another-horse-battery")
        alice.save(update_fields=["password"])
        assert alices.get(MAILINGS).status == 302
        assert "/admin/" not in alices.get(FRONT).text

    def test_the_language_of_a_person(self, alices: Browser, alice: User) -> None:
        profile = UserProfile.get_for_user(alice)
        for address in (FRONT, MAILINGS):
            warm(alices, address)
            for language in ("ru", "en"):
                profile.preferred_language = language
                profile.save()
                assert f'lang="{language}"' in alices.get(address).text.split("<head")[0]

    @pytest.mark.parametrize("address", [FRONT, BLOG])
    def test_the_language_of_a_visitor(self, visitor: Browser, address: str) -> None:
        warm(visitor, address)
        assert '<html lang="ru"' in visitor.get(address, headers={"accept_language": "ru"}).text
        assert '<html lang="en"' in visitor.get(address).text
        visitor.post(reverse("set_language"), "language=ru&next=/")
        assert visitor.cookies[settings.LANGUAGE_COOKIE_NAME] == "ru"
        assert '<html lang="ru"' in visitor.get(address).text
        assert '<html lang="en"' in Browser().get(address).text

    def test_the_theme(self, alices: Browser, alice: User) -> None:
        profile = UserProfile.get_for_user(alice)
        assert "data-theme" not in warm(alices, FRONT).text
        UserProfile.objects.filter(pk=profile.pk).update(theme="dark")
        assert 'data-theme="dark"' in alices.get(FRONT).text

    def test_a_name(self, alices: Browser, alice: User) -> None:
        assert "Alice" in warm(alices, MAILINGS).text
        User.objects.filter(pk=alice.pk).update(first_name="Eve")
        text = alices.get(MAILINGS).text
        assert "Eve" in text
        assert "Alice" not in text


# --- Two browsers of one person -------------------------------------------------------------------


class TestTwoBrowsers:
    def test_each_posts_with_the_token_of_its_own_page(self, browse: Browse, alice: User) -> None:
        one, other = Browser.of(browse(alice)), Browser.of(browse(alice))
        one.get(MAILINGS)
        other.get(MAILINGS)  # which gives it the cookie
        assert one.cookies["csrftoken"] != other.cookies["csrftoken"]
        for browser, stranger in ((one, other), (other, one)):
            page = browser.get(MAILINGS)
            assert page.hit
            token = page.forms_tokens()[0]
            assert browser.owns_tokens_of(page)
            assert not stranger.owns_tokens_of(page)
            assert stranger.post("/accounts/logout/", f"csrfmiddlewaretoken={token}").status == 403
        for browser in (one, other):
            token = browser.get(MAILINGS).forms_tokens()[0]
            assert browser.post("/accounts/logout/", f"csrfmiddlewaretoken={token}").status == 302

    def test_a_session_that_is_noted_anew_stays_with_its_browser(
        self, browse: Browse, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, other = Browser.of(browse(alice)), Browser.of(browse(alice))
        assert one.session != other.session
        monkeypatch.setattr(middleware, "SEEN_EVERY", 0)
        hits = 0
        for browser in (one, other, one):
            page = browser.get(MAILINGS)
            hits += page.hit
            assert "sessionid=" in page["Set-Cookie"]
            assert browser.owns_session_of(page)
            assert "sessionid=" not in page.text
        assert hits

    def test_a_browser_without_a_token_gets_one_with_a_page_of_the_cache(
        self, browse: Browse, alice: User
    ) -> None:
        usual, fresh = Browser.of(browse(alice)), Browser.of(browse(alice))
        warm(usual, MAILINGS)
        page = fresh.get(MAILINGS)
        assert page.hit
        assert page.forms_tokens()
        assert fresh.owns_tokens_of(page)

    @pytest.mark.parametrize("before", ["", "\\u0022", "%22", "x" * 70])
    def test_a_token_is_found_wherever_it_stands(self, rf: RequestFactory, before: str) -> None:
        one, other = rf.get(FRONT), rf.get(FRONT)
        token = get_token(one)
        page = page_slots.cut(f"<p>{before}{token}{before}</p>".encode(), one)
        assert token not in page.filled(other).decode()
        assert page.filled(other).startswith(f"<p>{before}".encode())
        assert len(page.slots) == 1
        assert not page_slots.holds_secret(page, one)

    def test_a_page_where_no_token_can_be_looked_for_is_not_kept(self, rf: RequestFactory) -> None:
        request = rf.get(FRONT)
        page = page_slots.cut(f"{'x' * 5000}{get_token(request)}".encode(), request)
        assert page_slots.holds_secret(page, request)

    def test_keys_are_named_as_on_the_keyboard_in_use(self, browse: Browse, alice: User) -> None:
        assert "⌘" not in warm(Browser.of(browse(alice)), MAILINGS).text
        mac = Browser.of(browse(alice), user_agent=MAC)
        assert "⌘" in mac.get(MAILINGS).text
        assert mac.get(MAILINGS).hit


# --- What a request brings along ------------------------------------------------------------------

HEADERS: list[dict[str, str]] = [
    {"x_forwarded_host": f"{POISON}.test"},
    {"x_forwarded_proto": "https"},
    {"x_forwarded_proto": POISON},
    {"x_forwarded_port": "4443"},
    {"x_forwarded_for": f"192.0.2.1, {POISON}"},
    {"forwarded": f"for={POISON};host={POISON}.test"},
    {"x_original_url": f"/{POISON}/"},
    {"x_rewrite_url": f"/{POISON}/"},
    {"host": "testserver:4443"},
    {"accept_encoding": f"gzip, {POISON}"},
    {"accept": f"application/{POISON}"},
    {"accept_language": f"xx-{POISON}, en"},
    {"vary": f"*, {POISON}"},
    {"cache_control": f"no-cache, {POISON}"},
    {"pragma": POISON},
    {"x_http_method_override": "POST"},
    {"x_method_override": "DELETE"},
    {"x_requested_with": "XMLHttpRequest"},
    {"user_agent": f"Mozilla/5.0 {POISON}"},
    {"referer": f"https://{POISON}.test/"},
    {"origin": f"https://{POISON}.test"},
    {"if_none_match": f'"{POISON}"'},
    {"range": "bytes=0-10"},
]
PARAMETERS = [
    f"utm_source={POISON}",
    f"utm_source=1&utm_source={POISON}",
    f"p[]={POISON}",
    f"{POISON}",
    f"{POISON}%00=%00{POISON}",
    "%FF%FE=%C0%80",
    f"_method=DELETE&x={POISON}",
    f"next=https://{POISON}.test/",
    f"format={POISON}",
    f"long={POISON * 500}",
    "&".join(f"{POISON}{number}=1" for number in range(200)),
    ";",
    f"locale={POISON}",
]
COOKIES = [
    "",
    ";;;",
    "=",
    POISON,
    f"sessionid={POISON}",
    f"csrftoken={POISON}",
    f"utm={POISON}; _ga={POISON}",
    f"messages={POISON}",
    f"django_language={POISON}",
    f"wagtail_sidebar_collapsed={POISON}",
    "\x01\x02=\x7f",
]
PAGES = [FRONT, BLOG, MAILINGS, MESSAGES, CLIENTS]


def mark_of(address: str) -> str:
    """Return what stands on a page only for somebody who is signed in, as Alice."""
    return "Alice" if address.startswith("/admin/") else "/accounts/profile/"


class TestNoise:
    """Each page is asked for with the noise while it is cold and while it is warm."""

    @pytest.fixture(params=PAGES)
    def address(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def reader(self, address: str, visitor: Browser, alices: Browser) -> Browser:
        return alices if address.startswith("/admin/") else visitor

    def ask(self, reader: Browser, address: str, **options: Any) -> None:
        before = number_of_entries()
        noisy = reader.get(address, **options)
        assert noisy.status < 500
        assert number_of_entries() <= before
        clean = reader.get(address.split("?")[0])
        assert clean.status == 200
        assert POISON not in clean.everything
        assert clean.hit

    def test_headers_of_a_warm_page(self, address: str, reader: Browser) -> None:
        warm(reader, address)
        for headers in HEADERS:
            self.ask(reader, address, headers=headers)

    def test_headers_of_a_cold_page(self, address: str, reader: Browser) -> None:
        usual = warm(reader, address)
        for headers in HEADERS:
            _drop_all()
            reader.get(address, headers=headers)
            answer = reader.get(address)
            assert POISON not in answer.everything, headers
            assert len(answer.body) == pytest.approx(len(usual.body), abs=200), headers

    def test_parameters_of_a_warm_page(self, address: str, reader: Browser) -> None:
        warm(reader, address)
        for parameters in PARAMETERS:
            self.ask(reader, f"{address}?{parameters}")

    def test_parameters_of_a_cold_page_are_not_kept(self, address: str, reader: Browser) -> None:
        for parameters in PARAMETERS:
            _drop_all()
            reader.get(f"{address}?{parameters}")
            answer = reader.get(address)
            assert POISON not in answer.everything, parameters

    @pytest.mark.parametrize("address", [FRONT, BLOG], indirect=True)
    def test_cookies_of_visitors(self, address: str, visitor: Browser) -> None:
        warm(visitor, address)
        for cookies in COOKIES:
            before = number_of_entries()
            answer = visitor.get(address, headers={"cookie": cookies})
            assert answer.status == 200
            assert answer.hit, cookies
            assert number_of_entries() == before
            assert POISON not in visitor.get(address).everything

    def test_authorization_goes_past_the_cache(self, address: str, reader: Browser) -> None:
        for value in ("", f"Basic {POISON}"):
            _drop_all()
            before = number_of_entries()
            answer = reader.get(address, headers={"authorization": value})
            assert answer.status == 200
            assert number_of_entries() == before
            warm(reader, address)
            assert not reader.get(address, headers={"authorization": value}).hit

    def test_a_host_that_is_not_ours(self, address: str, reader: Browser) -> None:
        warm(reader, address)
        before = number_of_entries()
        for host in (f"{POISON}.test", "testserver.evil.test", "", "a b", "testserver@evil.test"):
            answer = reader.get(address, headers={"host": host})
            assert answer.status == 400 or (host == "" and answer.status == 200)
        assert number_of_entries() == before
        assert reader.get(address).hit

    def test_another_host_of_ours(self, address: str, reader: Browser) -> None:
        with override_settings(ALLOWED_HOSTS=["testserver", f"{POISON}.test"]):
            reader.get(address, headers={"host": f"{POISON}.test"})
            before = number_of_entries()
            answer = reader.get(address)
            assert answer.hit
            assert POISON not in answer.everything
            assert number_of_entries() == before

    @pytest.mark.parametrize("address", [FRONT, BLOG, *LISTS], indirect=True)
    def test_a_host_that_is_not_ours_with_a_session(
        self, address: str, alices: Browser, visitor: Browser
    ) -> None:
        """Neither the true cookie of a session nor a forged one opens what is kept of a person."""
        assert mark_of(address) in warm(alices, address).text
        before = number_of_entries()
        session = alices.cookies["sessionid"]
        for cookie in (session, session[:-1], f"{session}x", session.swapcase(), POISON):
            for host in (f"{POISON}.test", "testserver.evil.test"):
                headers = {"host": host, "cookie": f"sessionid={cookie}"}
                answer = Browser().get(address, headers=headers)
                assert answer.status == 400
                assert mark_of(address) not in answer.everything
        assert number_of_entries() == before
        assert mark_of(address) in warm(alices, address).text
        assert mark_of(address) not in visitor.get(address).everything

    @pytest.mark.parametrize("address", [FRONT, BLOG, *LISTS], indirect=True)
    def test_a_forged_session_is_a_visitors(
        self, address: str, alices: Browser, visitor: Browser
    ) -> None:
        warm(alices, address)
        usual = visitor.get(address)
        before = number_of_entries()
        session = alices.cookies["sessionid"]
        for cookie in (session[:-1], f"{session}x", session.swapcase(), POISON):
            answer = Browser().get(address, headers={"cookie": f"sessionid={cookie}"})
            assert answer.status == usual.status
            assert mark_of(address) not in answer.everything
            assert POISON not in answer.text
        assert number_of_entries() == before
        assert alices.get(address).hit

    @pytest.mark.parametrize("address", [FRONT, BLOG, *LISTS], indirect=True)
    def test_another_host_of_ours_with_a_session(self, address: str, alices: Browser) -> None:
        """With one site both show the same, so they share what is kept: no host stands in it."""
        with override_settings(ALLOWED_HOSTS=["testserver", f"{POISON}.test"]):
            elsewhere = {"host": f"{POISON}.test"}
            first = alices.get(address, headers=elsewhere)
            assert mark_of(address) in first.text
            for headers in ({}, elsewhere):
                answer = (
                    warm(alices, address) if not headers else alices.get(address, headers=headers)
                )
                assert answer.hit
                assert POISON not in answer.everything

    def test_other_methods_keep_nothing(self, address: str, reader: Browser) -> None:
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
            reader.send(method, address)
            assert _number_of_pages() == 0

    def test_head_of_a_warm_page(self, address: str, reader: Browser) -> None:
        warm(reader, address)
        answer = reader.send("HEAD", address)
        assert answer.status == 200
        assert reader.get(address).hit


def _drop_all() -> None:
    for group in page_cache._groups:
        group.drop()


def _number_of_pages() -> int:
    """Return how many entries there are beside the tokens of the groups."""
    tokens = sum(
        caches["pages"].get(f"token:{group.name}") is not None for group in page_cache._groups
    )
    return number_of_entries() - tokens


# --- What is never kept ---------------------------------------------------------------------------


class TestNeverKept:
    def test_a_post_behind_a_password(self, visitor: Browser) -> None:
        post = hide(make_post("Secret post", intro="CANARY-hidden"))
        knows = Browser()
        form = knows.get(post.url)
        assert "CANARY" not in form.text
        restriction = post.get_view_restrictions().get()
        token = form.forms_tokens()[0]
        knows.post(
            f"/_util/authenticate_with_password/{restriction.pk}/{post.pk}/",
            f"password=secret&return_url={post.url}&csrfmiddlewaretoken={token}",
        )
        for _ in range(3):
            page = knows.get(post.url)
            assert "CANARY" in page.text
            assert not page.hit
            for other in (visitor, Browser()):
                assert "CANARY" not in other.get(post.url).text
        assert _number_of_pages() == 0

    def test_a_post_that_gets_a_password_is_shown_to_nobody_else(self, visitor: Browser) -> None:
        post = make_post("Open post", intro="CANARY-opened")
        assert "CANARY" in warm(visitor, post.url).text
        assert "CANARY" in warm(visitor, FRONT).text
        hide(post)
        for address in (post.url, FRONT, BLOG):
            assert "CANARY" not in visitor.get(address).text

    def test_a_draft(self, visitor: Browser, browse: Browse, blogger: User) -> None:
        post = make_post("Draft", live=False, owner=blogger)
        for browser in (Browser.of(browse(blogger)), visitor):
            assert browser.get(f"{BLOG}draft/").status == 404
        assert _number_of_pages() == 0
        BlogPage.objects.filter(pk=post.pk).update(live=True)
        assert warm(visitor, f"{BLOG}draft/").status == 200
        BlogPage.objects.filter(pk=post.pk).update(live=False)
        assert visitor.get(f"{BLOG}draft/").status == 404

    def test_a_preview_of_a_published_post(self, browse: Browse, admin: User) -> None:
        post = make_post("Published", owner=admin)
        browser = Browser.of(browse(admin))
        post.intro = "CANARY-changed"
        post.save_revision(user=admin)
        assert "About Published" in warm(browser, post.url).text
        draft = f"/admin/pages/{post.pk}/view_draft/"
        pages = _number_of_pages()
        assert "CANARY-changed" in browser.get(draft).text
        assert _number_of_pages() == pages
        answer = browser.get(post.url)
        assert answer.hit
        assert "CANARY" not in answer.text

    def test_a_preview_does_not_warm_the_page(self, browse: Browse, admin: User) -> None:
        post = make_post("Published", owner=admin)
        post.intro = "CANARY-changed"
        post.save_revision(user=admin)
        browser = Browser.of(browse(admin))
        assert "CANARY" in browser.get(f"/admin/pages/{post.pk}/view_draft/").text
        assert "CANARY" not in browser.get(post.url).text

    def test_messages(self, alices: Browser, alice: User) -> None:
        message = make_message(alice, subject="To go")
        warm(alices, MESSAGES)
        token = alices.get(MESSAGES).forms_tokens()[0]
        left = alices.post(f"{MESSAGES}delete/{message.pk}/", f"csrfmiddlewaretoken={token}")
        assert left.status == 302
        pages = _number_of_pages()
        told = alices.get(MESSAGES)
        assert "deleted" in told.text
        assert not told.hit
        assert _number_of_pages() == pages
        assert "deleted" not in alices.get(MESSAGES).text

    def test_other_answers(self, alices: Browser, alice: User) -> None:
        make_client(alice)
        for address in (
            "/blog/no-such-post/",
            "/blog",  # a redirect
            "/blog/?q=words",
            f"{MAILINGS}inspect/987654321/",
            f"{CLIENTS}?q=words",
            f"{CLIENTS}?export=csv",
            f"{CLIENTS}?count=1",
            f"{CLIENTS}create/",
            "/accounts/login/",
        ):
            for _ in range(2):
                assert not alices.get(address).hit, address
                assert _number_of_pages() == 0, address

    def test_a_page_that_fails(
        self, browse: Browse, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = Browser.of(browse(alice))
        mailing = make_mailing(alice)
        address = f"{MAILINGS}inspect/{mailing.pk}/"
        with monkeypatch.context() as broken:
            broken.setattr("mailing.admin.mailings.schedule_phrase", None)
            for _ in range(2):
                assert browser.get(address).status == 500
                assert _number_of_pages() == 0  # nor a lock
        assert warm(browser, address).status == 200


# --- What caches between us and the reader may do -------------------------------------------------


class TestHeaders:
    @pytest.mark.parametrize("address", [FRONT, *LISTS])
    def test_a_personal_page_may_not_be_stored(self, alices: Browser, address: str) -> None:
        for hit in (False, True):
            answer = alices.get(address)
            assert answer.hit is hit
            said = {word.strip() for word in answer["Cache-Control"].split(",")}
            assert said >= {"private", "no-store"}
            assert answer["ETag"] == ""

    @pytest.mark.parametrize("address", [FRONT, BLOG, *LISTS])
    def test_a_hit_has_the_headers_of_a_miss(self, alices: Browser, address: str) -> None:
        missed, hit = alices.get(address), alices.get(address)
        assert (missed.hit, hit.hit) == (False, True)
        assert missed.names() - hit.names() <= {"Expires"}
        assert hit.names() <= missed.names()

    @pytest.mark.parametrize("address", [FRONT, BLOG, f"{BLOG}sea/"])
    def test_a_visitors_page_is_asked_for_again(self, visitor: Browser, address: str) -> None:
        post = make_post("Sea")
        missed, hit = visitor.get(address), visitor.get(address)
        assert (missed.hit, hit.hit) == (False, True)
        for answer in (missed, hit):
            assert {name.strip() for name in answer["Vary"].split(",")} >= {
                "Cookie",
                "Accept-Language",
            }
            assert "private" in answer["Cache-Control"]
            assert answer["ETag"] == hit["ETag"] != ""
            assert answer["Set-Cookie"] == ""
        known = {"if_none_match": hit["ETag"]}
        again = visitor.get(address, headers=known)
        assert (again.status, again.body) == (304, b"")
        assert visitor.get(address, headers=known | {"accept_language": "ru"}).status == 200
        BlogPage.objects.filter(pk=post.pk).update(title="Changed")
        changed = visitor.get(address, headers=known)
        assert changed.status == 200
        assert "Changed" in changed.text


# --- Places ---------------------------------------------------------------------------------------


class TestSites:
    @pytest.mark.parametrize("who", ["visitor", "alices"])
    def test_with_two_sites_the_host_decides_and_nothing_is_kept(
        self, request: pytest.FixtureRequest, who: str
    ) -> None:
        browser = request.getfixturevalue(who)
        warm(browser, FRONT)
        Site.objects.create(hostname="blog.test", port=80, root_page=Page.objects.get(slug="blog"))
        with override_settings(ALLOWED_HOSTS=["testserver", "blog.test"]):
            for _ in range(2):
                front = browser.get(FRONT)
                blog = browser.get(FRONT, headers={"host": "blog.test"})
                assert not front.hit
                assert not blog.hit
                title = front.text.split("<title>")[1].split("</title>")[0]
                assert f"<title>{title}</title>" not in blog.text


class TestDamage:
    def test_files_that_are_damaged_make_pages_slower_once(self, visitor: Browser) -> None:
        kept: Any = caches["pages"]
        if not hasattr(kept, "_dir"):
            pytest.skip("the cache is not made of files")
        usual = warm(visitor, FRONT)
        for damage in (b"", b"\0", b"no pickle", None):
            for path in Path(kept._dir).glob("*.djcache"):
                path.write_bytes(path.read_bytes()[:-9] if damage is None else damage)
            answer = visitor.get(FRONT)
            assert answer.status == 200
            assert not answer.hit
            assert warm(visitor, FRONT)["Content-Type"] == usual["Content-Type"]
