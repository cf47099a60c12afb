"""The front page: figures, up to three random posts, and the way to the blog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from django.contrib.staticfiles import finders
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from PIL import Image as Picture
from wagtail.users.models import UserProfile

from accounts.models import User
from blog.models import BlogIndexPage
from home.blocks import PICTURES
from home.models import HomePage
from home.setup import ensure_front_texts
from mailing.enums import MailingStatus
from site_project.templatetags.ms import PRODUCT_PICTURE_SIZE
from tests.blog.posts import hide, make_picture, make_post
from tests.factories import make_clients, make_mailing

pytestmark = pytest.mark.django_db

FRONT = "/"


def titles(client: Browser) -> list[str]:
    return [post.title for post in client.get(FRONT).context["posts"]]


class TestPosts:
    @pytest.mark.parametrize(("number", "shown"), [(0, 0), (1, 1), (2, 2), (3, 3), (5, 3)])
    def test_up_to_three_are_shown_each_once(
        self, client: Browser, number: int, shown: int
    ) -> None:
        for _ in range(number):
            make_post()
        page = client.get(FRONT)
        assert page.status_code == 200
        found = [post.title for post in page.context["posts"]]
        assert len(found) == len(set(found)) == shown
        assert page.text.count('class="post-card') == shown
        assert ("From the blog" in page.text) == (shown > 0)

    def test_every_post_has_its_turn(self, rf: RequestFactory) -> None:
        everything = {make_post().title for _ in range(5)}
        home, seen = HomePage.objects.get(), set()
        for _ in range(60):
            seen |= {post.title for post in home.get_context(rf.get(FRONT))["posts"]}
            if seen == everything:
                break
        assert seen == everything

    def test_drafts_and_hidden_posts_are_never_shown(self, client: Browser) -> None:
        make_post("Public")
        make_post("Draft", live=False)
        hide(make_post("Hidden"))
        page = client.get(FRONT)
        assert [post.title for post in page.context["posts"]] == ["Public"]
        for words in ("About Draft", "About Hidden"):
            assert words not in page.text

    def test_three_posts_take_as_many_queries_as_one(self, client: Browser, blogger: User) -> None:
        picture = make_picture(blogger)
        make_post(image=picture, owner=blogger)
        client.get(FRONT)  # makes the renditions, counts the figures
        with CaptureQueriesContext(connection) as few:
            client.get(FRONT)
        for _ in range(2):
            make_post(image=picture, owner=blogger)
        client.get(FRONT)
        with CaptureQueriesContext(connection) as many:
            assert len(titles(client)) == 3
        assert len(many) == len(few)


class TestFigures:
    def figures(self, client: Browser) -> dict[str, str]:
        cache.clear()
        part = BeautifulSoup(client.get(FRONT).text, "lxml").find(class_="figures")
        assert part is not None
        labels = [label.get_text() for label in part.find_all("dt")]
        return dict(zip(labels, [n.get_text() for n in part.find_all("dd")], strict=True))

    def test_a_new_service_has_nothing_to_count(self, client: Browser) -> None:
        assert self.figures(client) == {
            "mailings set up": "0",
            "active right now": "0",
            "different clients": "< 20",
        }

    def test_mailings_active_ones_and_different_clients_of_all_owners(
        self, client: Browser, alice: User, bob: User
    ) -> None:
        make_mailing(alice, [], status=MailingStatus.SCHEDULED)
        make_mailing(bob, [], status=MailingStatus.CREATED)
        for owner in (alice, bob):
            make_clients(owner, [f"client{number}@x.test" for number in range(60)])
        figures = self.figures(client)
        assert figures.pop("different clients") in {"50+", "60+"}
        assert figures == {"mailings set up": "2", "active right now": "1"}


class TestTexts:
    def main(self, client: Browser, language: str) -> str:
        page = client.get(FRONT, headers={"accept-language": language})
        found = BeautifulSoup(page.text, "lxml").find("main")
        assert found is not None
        return str(found)

    def test_they_are_there_in_each_language(self, client: Browser) -> None:
        home = HomePage.objects.get()
        kinds = [block.block_type for block in home.texts_en]
        assert kinds == ["opening", "feature", "feature", "feature", "facts", "invitation"]
        assert [block.block_type for block in home.texts_ru] == kinds
        assert "A schedule you can check" in self.main(client, "en")
        assert "A schedule you can check" not in self.main(client, "ru")

    def test_a_reader_is_shown_what_somebody_wrote_in_that_language(self, client: Browser) -> None:
        home = HomePage.objects.get()
        picture = {"name": "dates", "description": "Dates & hours"}
        for language, title in (("en", "Post <office>"), ("ru", "Почта")):
            opening = {"title": title, "lead": "x", "note": "", "picture": picture}
            setattr(home, f"texts_{language}", [("opening", opening)])
        home.save()
        ensure_front_texts(HomePage.objects.get())
        english, russian = self.main(client, "en"), self.main(client, "ru")
        assert "Post &lt;office&gt;" in english
        assert "Почта" in russian
        assert 'alt="Dates &amp; hours"' in english
        assert "dates-en-light" in english
        assert "dates-ru-dark" in russian

    def test_an_administrator_rewrites_them(self, admin: User, browse: Callable) -> None:
        home = HomePage.objects.get()
        page = browse(admin).get(f"/admin/pages/{home.pk}/edit/")
        assert page.status_code == 200
        for words in ("texts_en", "texts_ru", "Letters that leave on time"):
            assert words in page.text

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_a_chosen_theme_decides_which_pictures_are_shown(
        self, alice: User, browse: Callable, theme: str
    ) -> None:
        UserProfile.objects.update_or_create(user=alice, defaults={"theme": theme})
        page = browse(alice).get(FRONT).text
        other = {"light": "dark", "dark": "light"}[theme]
        assert f"-{theme}.webp" in page
        assert f"-{other}.webp" not in page

    @pytest.mark.parametrize("name", [name for name, _label in PICTURES])
    @pytest.mark.parametrize("language", ["en", "ru"])
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_every_picture_is_there_and_small(self, name: str, language: str, theme: str) -> None:
        path = finders.find(f"img/shots/{name}-{language}-{theme}.webp")
        assert path is not None
        width, height = Picture.open(path).size
        assert width / height == pytest.approx(PRODUCT_PICTURE_SIZE[0] / PRODUCT_PICTURE_SIZE[1])
        assert Path(path).stat().st_size < 70_000


class TestPage:
    def test_it_leads_to_the_blog(self, client: Browser) -> None:
        make_post()
        page = BeautifulSoup(client.get(FRONT).text, "lxml").find("main")
        assert page is not None
        assert page.find("a", href=BlogIndexPage.objects.get().url) is not None

    def test_without_a_live_blog_it_still_opens(self, client: Browser) -> None:
        make_post()
        BlogIndexPage.objects.update(live=False)
        page = client.get(FRONT)
        assert page.status_code == 200
        assert page.context["blog"] is None

    def test_it_greets_everybody_with_the_next_step(
        self, client: Browser, alice: User, make_user: Callable[..., User], browse: Callable
    ) -> None:
        assert "Create an account" in client.get(FRONT).text
        assert "Open dashboard" in browse(alice).get(FRONT).text
        assert "Open my profile" in browse(make_user("norole")).get(FRONT).text

    def test_there_is_one_and_only_the_blog_goes_below_it(self) -> None:
        home = HomePage.objects.get()
        assert not HomePage.can_create_at(home.get_parent())
        assert HomePage.allowed_subpage_models() == [BlogIndexPage]
