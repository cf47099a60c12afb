"""How often posts are read, and by whom that is not counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from blog import readership
from blog.models import BlogPage, Readership
from tests.blog.posts import make_post

pytestmark = pytest.mark.django_db

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
BLOG = "/blog/"


def written(post: BlogPage) -> int:
    """Return what is in the table once everything that was counted is there."""
    readership.write_down()
    readership.write_down()
    rows = Readership.objects.filter(post=post)
    return rows.get().readers if rows else 0


class TestWhoIsCounted:
    def test_each_visit_of_a_person(self, client: Browser) -> None:
        post, other = make_post(), make_post()
        for number in (1, 2, 3):
            client.get(post.url, headers=BROWSER)
            assert readership.shown(post.pk) == number
        assert (written(post), written(other)) == (3, 0)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
            {**BROWSER, "Sec-Purpose": "prefetch;prerender"},
        ],
    )
    def test_no_crawler_and_no_prefetch(self, client: Browser, headers: dict[str, str]) -> None:
        post = make_post()
        assert client.get(post.url, headers=headers).status_code == 200
        assert client.head(post.url, headers=BROWSER).status_code == 200
        assert readership.shown(post.pk) == written(post) == 0

    def test_no_preview(self, manager: User, browse: Callable[..., Browser]) -> None:
        post = make_post(owner=manager)
        post.save_revision(user=manager)
        url = f"/admin/pages/{post.pk}/view_draft/"
        assert browse(manager).get(url, headers=BROWSER).status_code == 200
        assert written(post) == 0

    def test_no_list(self, client: Browser) -> None:
        post = make_post()
        client.get(BLOG, headers=BROWSER)
        assert written(post) == 0


class TestPlaces:
    def test_no_two_processes_count_into_one(self, client: Browser) -> None:
        """Also where their numbers would lead them to the same."""
        post = make_post()
        client.get(post.url, headers=BROWSER)
        first = readership._own["place"]
        readership._own.clear()  # as a forked process does
        client.get(post.url, headers=BROWSER)
        assert readership._own["place"] != first
        assert written(post) == 2

    def test_with_too_many_processes_some_share(self, client: Browser) -> None:
        name = readership._round()
        for number in range(readership._PLACES):
            cache.add(readership._place(name, number), Counter(), 60)
        post = make_post()
        client.get(post.url, headers=BROWSER)
        assert written(post) == 1


class TestWritingDown:
    def test_what_is_counted_now_waits_for_the_next_time(self, client: Browser) -> None:
        """Another process may be about to add to it."""
        post = make_post()
        client.get(post.url, headers=BROWSER)
        readership.write_down()
        assert not Readership.objects.exists()
        client.get(post.url, headers=BROWSER)
        readership.write_down()
        assert Readership.objects.get().readers == 1
        assert readership.shown(post.pk) == 2
        readership.write_down()
        assert Readership.objects.get().readers == 2

    def test_several_times_add_up(self, client: Browser) -> None:
        post = make_post()
        for number in (1, 2):
            client.get(post.url, headers=BROWSER)
            assert written(post) == number

    def test_nothing_is_written_twice(self, client: Browser) -> None:
        post = make_post()
        client.get(post.url, headers=BROWSER)
        assert [written(post) for _ in range(3)] == [1, 1, 1]

    def test_two_at_once_are_one(
        self, client: Browser, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        post = make_post()
        client.get(post.url, headers=BROWSER)
        readership.write_down()
        cache.add(readership._FLUSHING, 1, 30)
        with django_assert_num_queries(0):
            readership.write_down()
        cache.delete(readership._FLUSHING)
        assert written(post) == 1

    def test_a_post_that_is_gone_takes_its_number_along(self, client: Browser) -> None:
        post, other = make_post(), make_post()
        for page in (post, other):
            client.get(page.url, headers=BROWSER)
        post.delete()
        assert written(other) == 1
        assert Readership.objects.count() == 1

    def test_an_older_revision_does_not_bring_its_number_back(
        self, client: Browser, manager: User
    ) -> None:
        post = make_post(owner=manager)
        revision = post.save_revision(user=manager)
        client.get(post.url, headers=BROWSER)
        assert written(post) == 1
        revision.publish()
        assert Readership.objects.get().readers == 1

    def test_a_lost_cache_costs_only_what_was_not_written(self, client: Browser) -> None:
        post = make_post()
        client.get(post.url, headers=BROWSER)
        assert written(post) == 1
        client.get(post.url, headers=BROWSER)
        cache.clear()
        assert readership.shown(post.pk) == written(post) == 1


def test_the_page_says_it(client: Browser) -> None:
    post = make_post()
    assert not re.search(r"\d views?<", client.get(post.url).text)
    Readership.objects.create(post=post, readers=1234)
    cache.clear()
    assert "1,234 views" in client.get(post.url).text.replace("\N{NO-BREAK SPACE}", ",")
