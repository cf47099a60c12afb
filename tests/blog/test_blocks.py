"""How the parts of a post look: escaped, with the ids that its contents link to."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.test import Client as Browser
from wagtail.models import ReferenceIndex

from accounts.models import User
from tests.blog.posts import make_picture, make_post
from tests.factories import body

pytestmark = pytest.mark.django_db


def shown(client: Browser, *blocks: tuple[str, object]) -> BeautifulSoup:
    page = client.get(make_post(body=body(*blocks)).url)
    assert page.status_code == 200
    prose = BeautifulSoup(page.text, "lxml").find(class_="prose")
    assert prose is not None
    return BeautifulSoup(str(prose), "lxml")


def test_a_heading_can_be_linked_to(client: Browser) -> None:
    heading = shown(client, ("heading", "Когда <копать>?")).find("h2")
    assert heading is not None
    assert heading.get_text() == "Когда <копать>?"
    assert heading["id"] == "h-когда-копать"


def test_a_quotation_names_its_source_if_it_has_one(client: Browser) -> None:
    quotes = shown(
        client,
        ("quote", {"text": "One <i>line</i>\nanother", "source": "Gran & co"}),
        ("quote", {"text": "Nobody's", "source": ""}),
    ).find_all("blockquote")
    assert quotes[0].p is not None
    assert quotes[0].p.get_text() == "One <i>line</i>another"
    assert quotes[0].footer is not None
    assert quotes[0].footer.get_text() == "Gran & co"
    assert quotes[1].find("footer") is None


def test_a_picture_is_described_and_not_larger_than_needed(client: Browser, blogger: User) -> None:
    image = {"image": make_picture(blogger).pk, "alt_text": "A <calm> sea", "decorative": False}
    figure = shown(client, ("picture", {"picture": image, "caption": "The sea"})).find("figure")
    assert figure is not None
    img = figure.find("img")
    assert img is not None
    assert img["alt"] == "A <calm> sea"
    assert img["loading"] == "lazy"
    assert figure.find("source", type="image/webp") is not None
    assert figure.figcaption is not None
    assert figure.figcaption.get_text() == "The sea"


def test_a_picture_that_was_deleted_does_not_break_the_post(client: Browser, blogger: User) -> None:
    picture = make_picture(blogger)
    image = {"image": picture.pk, "alt_text": "Sea", "decorative": False}
    post = make_post(body=body(("picture", {"picture": image, "caption": ""})))
    ReferenceIndex.objects.all().delete()  # else it would be kept
    picture.delete()
    assert client.get(post.url).status_code == 200
