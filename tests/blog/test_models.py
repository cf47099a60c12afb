"""The blog as everybody reads it: index, posts, and what is counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.db import connection
from django.test import Client as Browser
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from wagtail.models import ReferenceIndex

from accounts import roles
from accounts.models import User
from blog.models import BlogIndexPage, BlogPage
from home.models import HomePage
from tests.blog.posts import BLOG, hide, make_picture, make_post, titles
from tests.factories import body

pytestmark = pytest.mark.django_db

SAMPLE_INTRO = "Notes on sending letters people are glad to get."
DAYS = [date(2026, 11, day) for day in range(1, 31)]


class TestIndex:
    def test_its_first_title_is_in_the_language_of_the_reader(self, client: Browser) -> None:
        for language, heading in (("ru", "Блог"), ("en", "Blog")):
            page = BeautifulSoup(
                client.get(BLOG, headers={"accept-language": language}).text, "lxml"
            )
            assert page.h1 is not None
            assert page.h1.get_text() == heading

    def test_so_is_the_introduction_of_the_sample_data(self, client: Browser) -> None:
        BlogIndexPage.objects.update(intro=SAMPLE_INTRO)
        assert "которым рады" in client.get(BLOG, headers={"accept-language": "ru"}).text
        assert SAMPLE_INTRO in client.get(BLOG, headers={"accept-language": "en"}).text
        BlogIndexPage.objects.update(intro="Words of our own")
        assert "Words of our own" in client.get(BLOG, headers={"accept-language": "ru"}).text

    def test_everybody_may_read_it(self, client: Browser) -> None:
        make_post("First")
        page = client.get(BLOG)
        assert page.status_code == 200
        assert "About First" in page.text

    def test_without_posts_it_says_so(self, client: Browser) -> None:
        assert "No posts yet" in client.get(BLOG).text

    def test_the_newest_comes_first_and_of_one_day_the_last_written(self, client: Browser) -> None:
        make_post("Old", date=DAYS[0])
        make_post("New", date=DAYS[5])
        make_post("Also new", date=DAYS[5])
        assert titles(client.get(BLOG)) == ["Also new", "New", "Old"]

    def test_drafts_and_hidden_posts_are_not_there(self, client: Browser) -> None:
        make_post("Public")
        make_post("Draft", live=False)
        hide(make_post("Hidden"))
        page = client.get(BLOG)
        assert titles(page) == ["Public"]
        for words in ("Draft", "Hidden"):
            assert words not in page.text

    def test_a_page_holds_nine_posts(self, client: Browser) -> None:
        for number in range(1, 12):
            make_post(f"Post number {number}", date=DAYS[number])
        first, second = client.get(BLOG), client.get(BLOG + "?p=2")
        assert len(titles(first)) == 9
        assert titles(second) == ["Post number 2", "Post number 1"]
        assert titles(client.get(BLOG + "?p=99")) == titles(second)
        assert titles(client.get(BLOG + "?p=x")) == titles(first)

    def test_many_posts_take_as_many_queries_as_one(self, client: Browser, blogger: User) -> None:
        picture = make_picture(blogger)
        make_post(image=picture, owner=blogger, tags=("tag",))
        client.get(BLOG)  # makes the renditions
        with CaptureQueriesContext(connection) as few:
            client.get(BLOG)
        for _ in range(7):
            make_post(image=picture, owner=blogger, tags=("tag",))
        client.get(BLOG)
        with CaptureQueriesContext(connection) as many:
            assert len(titles(client.get(BLOG))) == 8
        assert len(many) == len(few)


class TestTags:
    def test_one_narrows_the_list(self, client: Browser) -> None:
        make_post("Roses", tags=("garden", "red"))
        make_post("Beans", tags=("garden",))
        make_post("News")
        assert set(titles(client.get(BLOG + "?tag=garden"))) == {"Roses", "Beans"}
        assert titles(client.get(BLOG + "?tag=red")) == ["Roses"]

    def test_a_tag_that_is_not_there_narrows_nothing(self, client: Browser) -> None:
        make_post("Roses", tags=("garden",))
        for tag in ("nonsense", "a\0b", ""):
            assert titles(client.get(BLOG, {"tag": tag})) == ["Roses"]

    def test_those_of_readable_posts_are_offered_each_once(self, client: Browser) -> None:
        make_post(tags=("garden", "red"))
        make_post(tags=("garden",))
        make_post(live=False, tags=("draft-tag",))
        hide(make_post(tags=("hidden-tag",)))
        page = client.get(BLOG)
        assert sorted(tag.name for tag in page.context["tags"]) == ["garden", "red"]
        for name in ("draft-tag", "hidden-tag"):
            assert name not in page.text


@pytest.mark.usefixtures("search")
class TestSearch:
    def test_it_finds_words_of_title_introduction_and_body(self, client: Browser) -> None:
        make_post("Dahlias")
        make_post("Second", intro="All about dahlias")
        make_post("Third", body=body(("text", "<p>Lift the dahlias.</p>")))
        make_post("Fourth")
        found = client.get(BLOG + "?q=dahlias")
        assert set(titles(found)) == {"Dahlias", "Second", "Third"}

    def test_drafts_and_hidden_posts_are_not_found(self, client: Browser) -> None:
        make_post("Dahlias draft", live=False)
        hide(make_post("Dahlias hidden"))
        assert titles(client.get(BLOG + "?q=dahlias")) == []

    def test_within_a_tag(self, client: Browser) -> None:
        make_post("Dahlias", tags=("garden",))
        make_post("More dahlias")
        assert titles(client.get(BLOG + "?q=dahlias&tag=garden")) == ["Dahlias"]

    def test_signs_of_the_index_language_are_no_error(self, rf: RequestFactory) -> None:
        make_post("Dahlias")
        index = BlogIndexPage.objects.get()
        for words in ("' OR 1=1", 'a"b', "'", "*", "(", "^x", "-x", "title:x", "{x", "NEAR(", "\\"):
            found = index.get_context(rf.get(BLOG, {"q": words}))
            assert list(found["page_of_posts"]) == [], words

    @pytest.mark.parametrize("words", ['"', "<b>", "x" * 5000, "a\0b"])
    def test_what_is_not_there_is_no_error(self, client: Browser, words: str) -> None:
        make_post("Dahlias")
        page = client.get(BLOG, {"q": words})
        assert page.status_code == 200
        assert titles(page) == []
        assert "<b>" not in page.text.partition("<main")[2]

    def test_words_in_quotation_marks_are_found(self, client: Browser) -> None:
        make_post("Red dahlias")
        assert titles(client.get(BLOG, {"q": '"dahlias'})) == ["Red dahlias"]

    def test_blanks_are_no_search(self, client: Browser) -> None:
        make_post("Dahlias")
        assert titles(client.get(BLOG + "?q=+++")) == ["Dahlias"]


class TestPost:
    def test_everybody_may_read_it(self, client: Browser, blogger: User) -> None:
        post = make_post(
            "Dahlias",
            author=blogger,
            date=DAYS[3],
            body=body(
                ("heading", "One & two"),
                ("text", "<p>Lift <b>them</b>.</p>"),
                ("quote", {"text": "Never dig\ntwice", "source": "Gran"}),
            ),
        )
        page = client.get(post.url)
        assert page.status_code == 200
        for words in ("Dahlias", "About Dahlias", "By Blogger", "<b>them</b>", "One &amp; two"):
            assert words in page.text
        assert "Never dig<br>twice" in page.text
        assert "Gran" in page.text

    def test_a_draft_is_not_there_for_anybody(
        self, client: Browser, alice: User, browse: Callable[..., Browser]
    ) -> None:
        url = make_post("Draft", live=False).url
        for browser in (client, browse(alice)):
            assert browser.get(url).status_code == 404

    def test_a_hidden_one_asks_for_its_password(self, client: Browser) -> None:
        page = client.get(hide(make_post("Hidden")).url)
        assert "About Hidden" not in page.text

    def test_the_author_is_the_one_named_or_else_the_one_who_wrote(
        self, blogger: User, manager: User
    ) -> None:
        assert make_post(author=manager, owner=blogger).author_name == "Manager"
        assert make_post(owner=blogger).author_name == "Blogger"
        assert make_post().author_name == settings.SITE_NAME

    def test_the_address_of_a_mailbox_is_not_for_everybody(
        self, client: Browser, make_user: Callable[..., User]
    ) -> None:
        nameless = make_user("nameless", roles.BLOGGERS)
        User.objects.filter(pk=nameless.pk).update(first_name="")
        post = make_post(owner=User.objects.get(pk=nameless.pk))
        assert post.author_name == settings.SITE_NAME
        for url in (post.url, BLOG):
            assert "nameless@" not in client.get(url).text

    def test_its_contents_are_listed_from_three_headings_on(self, client: Browser) -> None:
        headings = [("heading", f"Chapter {n}") for n in (1, 2, 3)]
        post = make_post(body=body(*headings))
        assert post.headings() == ["Chapter 1", "Chapter 2", "Chapter 3"]
        assert 'href="#h-chapter-1"' in client.get(post.url).text
        short = make_post(body=body(*headings[:2]))
        assert "On this page" not in client.get(short.url).text

    @pytest.mark.parametrize(("words", "minutes"), [(0, 1), (1, 1), (299, 1), (301, 2), (2000, 10)])
    def test_reading_takes_a_minute_for_200_words(self, words: int, minutes: int) -> None:
        text = "<p>" + "<b>word</b> " * words + "</p>"
        assert make_post(body=body(("text", text))).reading_minutes == minutes


class TestNeighbours:
    def walk(self, post: BlogPage, way: str) -> list[str]:
        """Follow the links to the earlier (or later) posts to the end."""
        walked = [post.title]
        while (found := post.get_context(RequestFactory().get("/"))[way]) is not None:
            assert found.title not in walked, "in a circle"
            walked.append(found.title)
            post = found
        return walked

    def test_the_links_lead_through_all_posts_in_order(self) -> None:
        first = make_post("First", date=DAYS[0])
        make_post("Second", date=DAYS[1])
        last = make_post("Third", date=DAYS[2])
        assert self.walk(last, "earlier") == ["Third", "Second", "First"]
        assert self.walk(first, "later") == ["First", "Second", "Third"]

    def test_a_page_shows_both(self, client: Browser) -> None:
        make_post("First", date=DAYS[0])
        middle = make_post("Second", date=DAYS[1])
        make_post("Third", date=DAYS[2])
        page = client.get(middle.url).text
        assert 'rel="prev" lang="en"><span lang="en">Earlier</span>First' in page
        assert 'rel="next" lang="en"><span lang="en">Later</span>Third' in page

    def test_also_through_those_of_one_day(self) -> None:
        first = make_post("First", date=DAYS[0])
        for title in ("Second", "Third", "Fourth"):
            make_post(title, date=DAYS[1])
        last = make_post("Fifth", date=DAYS[2])
        order = ["First", "Second", "Third", "Fourth", "Fifth"]
        assert self.walk(first, "later") == order
        assert self.walk(last, "earlier") == order[::-1]

    def test_drafts_and_hidden_posts_are_passed_over(self) -> None:
        first = make_post("First", date=DAYS[0])
        make_post("Draft", date=DAYS[1], live=False)
        hide(make_post("Hidden", date=DAYS[2]))
        make_post("Last", date=DAYS[3])
        assert self.walk(first, "later") == ["First", "Last"]

    def test_related_are_up_to_three_with_a_common_tag(self, client: Browser) -> None:
        post = make_post(tags=("garden", "red"))
        both = make_post("Both", tags=("garden", "red"))
        make_post("Other", tags=("blue",))
        make_post("Draft", tags=("garden",), live=False)
        assert list(client.get(post.url).context["related"]) == [both]
        for _ in range(4):
            make_post(tags=("red",))
        assert len(client.get(post.url).context["related"]) == 3

    def test_a_post_that_is_not_saved_yet_can_be_previewed(self, rf: RequestFactory) -> None:
        make_post("Earlier", date=DAYS[0])
        index = BlogIndexPage.objects.get()
        new = BlogPage(title="New", slug="new", date=DAYS[0], live=False)
        new.set_url_path(index)
        new.path, new.depth = index.path + "9999", index.depth + 1
        context = new.get_context(rf.get("/"))
        assert context["earlier"].title == "Earlier"
        assert context["later"] is None


class TestTree:
    def test_posts_are_below_the_blog_and_nowhere_else(self) -> None:
        assert BlogPage.allowed_parent_page_models() == [BlogIndexPage]
        assert BlogPage.allowed_subpage_models() == []
        assert BlogIndexPage.allowed_parent_page_models() == [HomePage]
        assert BlogIndexPage.allowed_subpage_models() == [BlogPage]

    def test_there_is_one_blog(self) -> None:
        assert not BlogIndexPage.can_create_at(HomePage.objects.get())

    def test_a_post_outlives_its_author_and_its_picture(
        self, make_user: Callable[..., User]
    ) -> None:
        author = make_user("gone")
        picture = make_picture(author)
        post = make_post(author=author, owner=author, image=picture)
        ReferenceIndex.objects.all().delete()  # else it would be kept
        picture.delete()
        author.delete()
        post.refresh_from_db()
        assert (post.author, post.image) == (None, None)
