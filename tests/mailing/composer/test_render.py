from __future__ import annotations

import pytest
from django.core.files.images import ImageFile
from django.utils import translation
from PIL import Image as Picture
from wagtail.images.models import Image
from wagtail.models import ReferenceIndex

from accounts.models import User
from mailing.composer.render import freeze, render
from mailing.engine.planner import ContentError
from mailing.merge_fields import FIELD
from tests.factories import body, make_mailing, make_message

pytestmark = pytest.mark.django_db


def test_every_block_in_html_and_in_text(alice: User) -> None:
    message = make_message(
        alice,
        subject="Hello {{ first_name }}",
        preheader="And more",
        body=body(
            ("heading", "Lift the <dahlias>"),
            (
                "text",
                '<p>Dear <b>{{ first_name|friend }}</b>, see <a href="https://x.test/?a=1&amp;b=2">this</a></p><ul><li>one</li></ul>',
            ),
            ("button", {"text": "Go", "url": "https://go.test/"}),
            ("divider", None),
            ("heading", "Second"),
        ),
    )
    rendered = render(message, owner=alice, reason="Garden notes")
    assert "<h1" in rendered.html
    assert "Lift the &lt;dahlias&gt;" in rendered.html
    assert '<h2 style="' in rendered.html
    assert "And more" in rendered.html
    assert 'href="https://x.test/?a=1&amp;b=2"' in rendered.html
    assert 'href="https://go.test/"' in rendered.html
    assert "Lift the <dahlias>" in rendered.text
    assert "https://x.test/?a=1&b=2" in rendered.text
    assert "Go: https://go.test/" in rendered.text
    assert "one" in rendered.text
    for part in (rendered.html, rendered.text):
        assert "{{ first_name|friend }}" in part
        assert "{{ unsubscribe_url }}" in part
        assert "Alice" in part
        assert "Garden notes" in part


def test_the_letter_is_in_its_own_language(alice: User) -> None:
    message = make_message(alice, language="ru")
    with translation.override("en"):
        rendered = render(message, owner=alice)
    assert '<html lang="ru">' in rendered.html
    assert "Отписаться" in rendered.text


@pytest.mark.parametrize(
    "markup",
    [
        '<p><a href="javascript:alert(1)">x</a></p>',
        "<p><script>alert(1)</script></p>",
        '<p onclick="x()">y</p>',
        '<p style="position:fixed">y</p><iframe src="https://x.test"></iframe>',
        '<img src="https://track.test/x.png">',
    ],
)
def test_what_could_do_harm_is_taken_out(alice: User, markup: str) -> None:
    rendered = render(make_message(alice, body=body(("text", markup))), owner=alice).html
    for bad in (
        "javascript:",
        "<script>alert",
        "onclick",
        "position:fixed",
        "<iframe",
        "track.test",
    ):
        assert bad not in rendered


def test_a_field_in_a_default_is_escaped_once(alice: User) -> None:
    message = make_message(alice, body=body(("heading", 'Dear {{ first_name|"A" & B }}')))
    rendered = render(message, owner=alice)
    assert "{{ first_name|&quot;A&quot; &amp; B }}" in rendered.html
    assert '{{ first_name|"A" & B }}' in rendered.text


def test_a_picture_has_an_absolute_address_and_its_words(alice: User, tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "dahlia.png"
    Picture.new("RGB", (1600, 900), "white").save(path)
    with path.open("rb") as file:
        picture = Image.objects.create(title="Dahlia", file=ImageFile(file, name="dahlia.png"))
    message = make_message(
        alice,
        body=body(("picture", {"image": picture.pk, "alt_text": "A dahlia", "decorative": False})),
    )
    rendered = render(message, owner=alice)
    assert 'src="http://testserver/media/' in rendered.html
    assert 'alt="A dahlia"' in rendered.html
    assert "[A dahlia]" in rendered.text
    ReferenceIndex.objects.all().delete()  # else it would be kept
    picture.delete()
    message.refresh_from_db()
    assert "<img" not in render(message, owner=alice).html


def test_what_a_run_keeps(alice: User) -> None:
    content = freeze(make_mailing(alice))
    assert content.sender_name == "Alice via Mailing service"
    assert content.reply_to == alice.email
    assert {name for name, _default in FIELD.findall(content.html)} == {
        "first_name",
        "unsubscribe_url",
    }


@pytest.mark.parametrize(
    ("subject", "text"),
    [("Hi {{ frist_name }}", "x"), ("Hi", "{{ unknown }}"), ("  ", "x"), ("Hi {{", "x")],
)
def test_what_cannot_be_sent_says_why(alice: User, subject: str, text: str) -> None:
    message = make_message(alice, subject=subject, body=body(("heading", text)))
    with pytest.raises(ContentError) as error:
        freeze(make_mailing(alice, message=message))
    assert str(error.value)


@pytest.mark.parametrize(
    ("address", "header"),
    [
        ("olga@пример.рф", "olga@xn--e1afmkfd.xn--p1ai"),
        ("root@localhost", "root@localhost"),
        ("ольга@x.test", ""),
    ],
)
def test_the_reply_address_is_one_that_every_server_takes(
    alice: User, address: str, header: str
) -> None:
    User.objects.filter(pk=alice.pk).update(email=address)
    alice.refresh_from_db()
    assert freeze(make_mailing(alice)).reply_to == header
