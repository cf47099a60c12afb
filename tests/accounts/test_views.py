"""The profile, and the switch of the language."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from wagtail.users.models import UserProfile

from accounts.models import User
from tests.accounts.test_avatars import REFUSED, picture

pytestmark = pytest.mark.django_db

PROFILE = "/accounts/profile/"
LANGUAGE = "/accounts/language/"

Browse = Callable[..., Client]


@pytest.fixture
def signed_in(browse: Browse, alice: User) -> Client:
    return browse(alice)


def save_details(browser: Client, **fields: object) -> str:
    """Save the card and return the page that follows."""
    return browser.post(PROFILE, {"card": "personal", **fields}, follow=True).text


def post_preferences(browser: Client, **fields: object) -> HttpResponse:
    data = {
        "card": "preferences",
        "preferred_language": "en",
        "current_time_zone": "UTC",
        "theme": "system",
        **fields,
    }
    return browser.post(PROFILE, data, follow=True)


def save_preferences(browser: Client, **fields: object) -> str:
    return post_preferences(browser, **fields).text


def upload(content: bytes, name: str = "me.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "image/png")


def test_it_is_for_people_with_an_account(client: Client) -> None:
    for answer in (client.get(PROFILE), client.post(PROFILE, {"card": "personal"})):
        assert answer["Location"] == f"/accounts/login/?next={PROFILE}"


class TestPersonal:
    def test_all_of_it_is_saved(self, signed_in: Client, alice: User) -> None:
        page = save_details(
            signed_in,
            first_name="Алиса",
            middle_name="Ивановна",
            last_name="O'Ash <b>",
            phone="+44 20 7946 0118",
            country="NZ",
        )
        assert "Personal details saved" in page
        assert "O&#x27;Ash &lt;b&gt;" in page
        assert "<b>" not in page.split("<main")[1]
        alice.refresh_from_db()
        assert alice.get_full_name() == "Алиса O'Ash <b>"
        assert alice.middle_name == "Ивановна"
        assert alice.phone.as_e164 == "+442079460118"
        assert alice.country.name == "New Zealand"

    def test_nothing_of_it_is_needed(self, signed_in: Client, alice: User) -> None:
        assert "Personal details saved" in save_details(signed_in)
        alice.refresh_from_db()
        assert str(alice) == alice.email

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("phone", "12345"),
            ("phone", "nonsense"),
            ("phone", "020 7946 0118"),
            ("phone", "+1" * 100),
            ("country", "XX"),
            ("country", "New Zealand"),
            ("first_name", "N" * 151),
            ("middle_name", "two\r\nlines"),
            ("last_name", "hsA\u202e"),
            ("last_name", "A\x00sh"),
        ],
    )
    def test_wrong_data_is_answered_beside_the_field(
        self, signed_in: Client, alice: User, field: str, value: str
    ) -> None:
        answer = signed_in.post(PROFILE, {"card": "personal", "first_name": "Typed", field: value})
        assert answer.status_code == 200
        assert set(answer.context["forms"]["personal"].errors) == {field}
        assert f'id="id_{field}_error"' in answer.text
        assert field == "first_name" or 'value="Typed"' in answer.text
        alice.refresh_from_db()
        assert alice.first_name == "Alice"

    def test_forged_fields_change_nothing(self, signed_in: Client, alice: User, bob: User) -> None:
        before = User.objects.filter(pk=bob.pk).values().get()
        save_details(
            signed_in,
            id=bob.pk,
            pk=bob.pk,
            user=bob.pk,
            email="taken@people.test",
            is_staff="on",
            is_superuser="on",
            is_active="",
            groups="1",
            password="x",
            first_name="Changed",
        )
        alice.refresh_from_db()
        assert alice.first_name == "Changed"
        assert alice.email == "alice@people.test"
        assert alice.is_active
        assert not alice.is_staff
        assert not alice.is_superuser
        assert User.objects.filter(pk=bob.pk).values().get() == before

    @pytest.mark.parametrize("card", ["", "nonsense", "security"])
    def test_a_post_of_no_known_card_is_a_bad_request(
        self, signed_in: Client, alice: User, card: str
    ) -> None:
        answer = signed_in.post(PROFILE, {"card": card, "first_name": "Changed"})
        assert answer.status_code == 400
        alice.refresh_from_db()
        assert alice.first_name == "Alice"

    def test_a_form_from_elsewhere_is_refused(self, alice: User) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
        assert browser.post(PROFILE, {"card": "personal"}).status_code == 403


class TestAvatar:
    def test_it_is_kept_under_a_random_name_and_shown(self, signed_in: Client, alice: User) -> None:
        page = save_details(signed_in, avatar=upload(picture(), "../../evil.php.png"))
        alice.refresh_from_db()
        assert re.fullmatch(r"avatars/[0-9a-f]{32}\.webp", str(alice.avatar.name))
        assert alice.avatar.url in page
        assert default_storage.open(alice.avatar.name).read(4) == b"RIFF"

    def test_a_new_one_replaces_the_old_file(self, signed_in: Client, alice: User) -> None:
        save_details(signed_in, avatar=upload(picture()))
        alice.refresh_from_db()
        old = alice.avatar.name
        save_details(signed_in, avatar=upload(picture("JPEG"), "me.jpg"))
        alice.refresh_from_db()
        assert alice.avatar.name != old
        assert default_storage.exists(alice.avatar.name)
        assert not default_storage.exists(old)

    def test_saving_other_fields_keeps_it(self, signed_in: Client, alice: User) -> None:
        save_details(signed_in, avatar=upload(picture()))
        alice.refresh_from_db()
        name = alice.avatar.name
        save_details(signed_in, first_name="Changed")
        alice.refresh_from_db()
        assert alice.avatar.name == name
        assert default_storage.exists(name)

    def test_it_can_be_removed(self, signed_in: Client, alice: User) -> None:
        save_details(signed_in, avatar=upload(picture()))
        alice.refresh_from_db()
        name = alice.avatar.name
        save_details(signed_in, remove_avatar="on")
        alice.refresh_from_db()
        assert not alice.avatar
        assert not default_storage.exists(name)

    @pytest.mark.parametrize("name", ["svg", "html", "bmp", "a bomb", "too many pixels", "nothing"])
    @pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
    def test_anything_else_is_refused_beside_the_field(
        self, signed_in: Client, alice: User, name: str
    ) -> None:
        save_details(signed_in, avatar=upload(picture()))
        alice.refresh_from_db()
        old = alice.avatar.name
        answer = signed_in.post(
            PROFILE, {"card": "personal", "first_name": "Typed", "avatar": upload(REFUSED[name])}
        )
        assert answer.status_code == 200
        assert set(answer.context["forms"]["personal"].errors) == {"avatar"}
        assert 'id="id_avatar_error"' in answer.text
        assert 'value="Typed"' in answer.text
        alice.refresh_from_db()
        assert alice.avatar.name == old
        assert default_storage.exists(old)


class TestPreferences:
    def test_the_language_is_that_of_the_next_page_and_of_the_admin(
        self, signed_in: Client, alice: User
    ) -> None:
        page = save_preferences(signed_in, preferred_language="ru")
        assert '<html lang="ru"' in page
        assert signed_in.cookies["django_language"].value == "ru"
        assert '<html lang="ru"' in signed_in.get("/").text
        assert 'lang="ru"' in signed_in.get("/admin/").text
        assert User.objects.get(pk=alice.pk).preferred_language == "ru"

    def test_it_counts_more_than_cookie_and_browser(self, alice: User, browse: Browse) -> None:
        save_preferences(browse(alice), preferred_language="ru")
        elsewhere = browse(alice)
        elsewhere.cookies["django_language"] = "en"
        page = elsewhere.get("/", headers={"accept-language": "en"})
        assert '<html lang="ru"' in page.text
        assert page["Content-Language"] == "ru"

    def test_it_does_not_reach_the_next_visitor(self, signed_in: Client, client: Client) -> None:
        save_preferences(signed_in, preferred_language="ru", current_time_zone="Asia/Tokyo")
        signed_in.get("/")
        assert '<html lang="en"' in client.get("/").text

    def test_the_time_zone_is_applied(self, signed_in: Client, alice: User) -> None:
        zone = ZoneInfo("Pacific/Kiritimati")
        before = datetime.now(zone)
        page = save_preferences(signed_in, current_time_zone=zone.key)
        shown = [f"It is {now:%H:%M} there now" for now in (before, datetime.now(zone))]
        assert any(text in page for text in shown)
        assert User.objects.get(pk=alice.pk).time_zone == zone

    @pytest.mark.parametrize(
        ("theme", "mark"), [("light", 'data-theme="light"'), ("dark", 'data-theme="dark"')]
    )
    def test_the_theme_is_applied(self, signed_in: Client, theme: str, mark: str) -> None:
        assert mark in save_preferences(signed_in, theme=theme)
        assert mark in signed_in.get("/").text
        assert "w-theme-" + theme in signed_in.get("/admin/").text

    def test_the_theme_of_the_system_is_no_mark(self, signed_in: Client) -> None:
        save_preferences(signed_in, theme="dark")
        assert "data-theme" not in save_preferences(signed_in, theme="system")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("preferred_language", "de"),
            ("preferred_language", ""),
            ("current_time_zone", "Middle/Earth"),
            ("current_time_zone", "../../etc/passwd"),
            ("theme", "pink"),
        ],
    )
    def test_wrong_data_is_answered_beside_the_field(
        self, signed_in: Client, alice: User, field: str, value: str
    ) -> None:
        answer = post_preferences(signed_in, **{field: value})
        assert set(answer.context["forms"]["preferences"].errors) == {field}
        assert f'id="id_{field}_error"' in answer.text
        assert not UserProfile.objects.exclude(
            preferred_language__in=("", "en"), current_time_zone__in=("", "UTC"), theme="system"
        ).exists()

    def test_the_profile_of_another_stays(self, signed_in: Client, bob: User) -> None:
        theirs = UserProfile.get_for_user(bob)
        before = UserProfile.objects.filter(pk=theirs.pk).values().get()
        save_preferences(signed_in, preferred_language="ru", id=theirs.pk, user=bob.pk)
        assert UserProfile.objects.filter(pk=theirs.pk).values().get() == before

    def test_saving_one_card_keeps_the_other(self, signed_in: Client, alice: User) -> None:
        save_preferences(signed_in, preferred_language="ru", first_name="Changed")
        save_details(signed_in, last_name="Ash", preferred_language="en")
        alice.refresh_from_db()
        assert (alice.first_name, alice.last_name) == ("", "Ash")
        assert User.objects.get(pk=alice.pk).preferred_language == "ru"


class TestSetLanguage:
    def test_a_visitor_gets_a_cookie(self, client: Client) -> None:
        answer = client.post(LANGUAGE, {"language": "ru", "next": "/blog/?q=mail"})
        assert answer["Location"] == "/blog/?q=mail"
        cookie = answer.cookies["django_language"]
        assert (cookie.value, cookie["samesite"]) == ("ru", "Lax")
        assert '<html lang="ru"' in client.get("/").text

    def test_a_person_gets_it_in_the_profile(self, signed_in: Client, alice: User) -> None:
        save_preferences(signed_in, current_time_zone="Asia/Tokyo", theme="dark")
        signed_in.post(LANGUAGE, {"language": "ru", "next": "/"})
        user = User.objects.get(pk=alice.pk)
        assert user.preferred_language == "ru"
        assert user.time_zone == ZoneInfo("Asia/Tokyo")
        assert user.wagtail_userprofile.theme == "dark"

    @pytest.mark.parametrize("language", ["", "de", "../ru", "ru\r\nSet-Cookie: a=b", "x" * 1000])
    def test_a_language_that_is_not_offered_is_ignored(
        self, signed_in: Client, language: str
    ) -> None:
        answer = signed_in.post(LANGUAGE, {"language": language, "next": "/blog/"})
        assert answer["Location"] == "/blog/"
        assert "django_language" not in answer.cookies
        assert '<html lang="en"' in signed_in.get("/").text

    @pytest.mark.parametrize(
        "target",
        [
            "",
            "https://evil.test/",
            "//evil.test",
            "///evil.test/",
            "////evil.test",
            "http:///evil.test",
            "/\\evil.test",
            "\\\\evil.test",
            "http:\\\\evil.test",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "http://testserver@evil.test/",
            "http:evil.test",
            "\x08//evil.test",
            "\t//evil.test",
            "ftp://testserver/",
        ],
    )
    def test_nobody_is_sent_to_another_site(self, client: Client, target: str) -> None:
        answer = client.post(LANGUAGE, {"language": "ru", "next": target})
        assert answer["Location"] == "/"

    def test_only_a_post_changes_it(self, client: Client) -> None:
        answer = client.get(LANGUAGE, {"language": "ru"})
        assert answer.status_code == 405
        assert not answer.cookies

    def test_the_form_on_every_page_works_as_it_is(self) -> None:
        """It stands on pages without any cookie, so it cannot hold a token."""
        browser = Client(enforce_csrf_checks=True)
        page = browser.get("/")
        assert f'action="{LANGUAGE}"' in page.text
        assert not page.cookies
        assert browser.post(LANGUAGE, {"language": "ru", "next": "/"}).status_code == 302
        assert '<html lang="ru"' in browser.get("/").text


def test_saving_the_time_zone_does_not_turn_the_language_round(signed_in: Client) -> None:
    page = signed_in.get(PROFILE, headers={"accept-language": "ru"})
    assert page.context["forms"]["preferences"]["preferred_language"].value() == "ru"
