"""A new password: by a mailed link, or by knowing the old one."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import AccountMail, User
from tests.accounts.conftest import RESET, PostOffice, comparable, is_in, log_in, prove_again
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

NEW = "another-horse-battery"


def ask(browser: Client, post_office: PostOffice, email: str) -> str:
    """Ask for a reset and return the mailed link."""
    assert browser.post(RESET, {"email": email})["Location"] == "/accounts/password/reset/done/"
    (letter,) = post_office.deliver()
    assert letter.to == email
    return letter.link()


def choose(browser: Client, link: str, password: str = NEW, again: str | None = None) -> str:
    """Follow a link of a reset and send the form; return what the page says then."""
    form = browser.get(link, follow=True)
    action = form.redirect_chain[-1][0] if form.redirect_chain else link
    data = {"password1": password, "password2": password if again is None else again}
    return browser.post(action, data, follow=True).text


def test_the_mailed_link_works_once(client: Client, alice: User, post_office: PostOffice) -> None:
    link = ask(client, post_office, alice.email)
    form = client.get(link, follow=True)
    assert link.split("-")[-1].strip("/") not in form.text, "the key must not stay in the page"
    assert link not in form.redirect_chain[-1][0]
    changed = choose(client, link)
    assert "Your password is changed" in changed
    assert 'class="toast' not in changed, "the page has said it"
    assert not is_in(client)
    assert log_in(Client(), alice.email, NEW).status_code == 302
    assert log_in(Client(), alice.email).status_code == 200

    stranger = Client()
    assert "This link does not work" in stranger.get(link, follow=True).text
    choose(stranger, link, "third-horse-battery")
    alice.refresh_from_db()
    assert alice.check_password(NEW)


def test_a_reset_ends_other_sessions_and_is_told(
    client: Client, alice: User, post_office: PostOffice
) -> None:
    elsewhere = Client()
    log_in(elsewhere, alice.email)
    assert is_in(elsewhere)
    choose(client, ask(client, post_office, alice.email))
    assert not is_in(elsewhere)
    (notice,) = post_office.deliver()
    assert notice.to == alice.email
    assert notice.subject == "Your password for Mailing service was changed"


def test_an_older_link_is_dead_after_a_login(
    client: Client, alice: User, post_office: PostOffice
) -> None:
    link = ask(client, post_office, alice.email)
    log_in(Client(), alice.email)
    assert "This link does not work" in client.get(link, follow=True).text


def test_a_link_is_of_one_person(
    client: Client, alice: User, bob: User, post_office: PostOffice
) -> None:
    link = ask(client, post_office, alice.email)
    of_bob = ask(client, post_office, bob.email)
    head, _, key = link.rpartition("/key/")[2].partition("-")
    other = of_bob.rpartition("/key/")[2].partition("-")[0]
    assert head != other
    swapped = f"{RESET}key/{other}-{key}"
    assert "This link does not work" in client.get(swapped, follow=True).text


@pytest.mark.parametrize(
    ("password", "again"), [("short", "short"), (NEW, "different-battery"), ("", "")]
)
def test_a_bad_new_password_is_answered_beside_the_field(
    client: Client, alice: User, post_office: PostOffice, password: str, again: str
) -> None:
    page = choose(client, ask(client, post_office, alice.email), password, again)
    assert "_error" in page
    assert "Choose a new password" in page
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_the_summary_counts_what_it_lists(
    client: Client, alice: User, post_office: PostOffice
) -> None:
    page = choose(client, ask(client, post_office, alice.email), "1234")
    listed = page.count('<li><a href="#id_')
    assert listed > 1
    assert f"{listed} things to put right" in page


def test_a_known_address_is_answered_like_an_unknown_one(
    alice: User, post_office: PostOffice
) -> None:
    pages = {}
    for email in (alice.email, "nobody@people.test"):
        browser = Client()
        answer = browser.post(RESET, {"email": email})
        page = browser.get(answer["Location"])
        pages[email] = (
            answer.status_code,
            answer["Location"],
            sorted(browser.cookies),
            comparable(page.text, email),
        )
    assert pages[alice.email] == pages["nobody@people.test"]
    links = {letter.to: letter.link() for letter in post_office.deliver()}
    assert "/key/" in links[alice.email]
    assert links["nobody@people.test"] == "/accounts/signup/"


@pytest.mark.parametrize("email", ["", "nonsense", f"{'n' * 250}@people.test"])
def test_a_wrong_address_is_answered_beside_the_field(client: Client, email: str) -> None:
    answer = client.post(RESET, {"email": email})
    assert answer.status_code == 200
    assert 'id="id_email_error"' in answer.text
    assert not AccountMail.objects.exists()


def test_resets_have_a_limit_for_each_address(client: Client, alice: User) -> None:
    answers = [client.post(RESET, {"email": alice.email}).status_code for _ in range(6)]
    assert answers == [302] * 5 + [429]


class TestChange:
    URL = "/accounts/password/change/"

    @pytest.fixture
    def signed_in(self, client: Client, alice: User) -> Client:
        log_in(client, alice.email)
        return client

    def test_it_asks_for_the_old_one(self, signed_in: Client, alice: User) -> None:
        data = {"oldpassword": "wrong", "password1": NEW, "password2": NEW}
        answer = signed_in.post(self.URL, data)
        assert answer.status_code == 200
        assert "oldpassword" in answer.context["form"].errors
        alice.refresh_from_db()
        assert alice.check_password(PASSWORD)

    def test_it_keeps_this_session_and_ends_the_others(
        self, signed_in: Client, alice: User, post_office: PostOffice
    ) -> None:
        elsewhere = Client()
        log_in(elsewhere, alice.email)
        data = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
        assert signed_in.post(self.URL, data).status_code == 302
        assert is_in(signed_in)
        assert not is_in(elsewhere)
        (notice,) = post_office.deliver()
        assert notice.subject == "Your password for Mailing service was changed"

    def test_no_password_stays_in_a_session(self, signed_in: Client) -> None:
        signed_in.post(self.URL, {"oldpassword": "w", "password1": NEW, "password2": NEW})
        signed_in.post(self.URL, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
        prove_again(signed_in, NEW)
        stored = repr([session.get_decoded() for session in Session.objects.all()])
        assert PASSWORD not in stored
        assert NEW not in stored
