"""Account mails: queued, sent by a worker, tried again, and never a place for a secret."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from itertools import pairwise

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import mail
from accounts.models import AccountMail, User
from tests.accounts.conftest import (
    ADDRESS,
    RESET,
    PostOffice,
    log_in,
    prove_again,
    sign_up,
    use_server,
)
from tests.conftest import PASSWORD
from tests.factories import NOW
from tests.sink import Mood, Sink

pytestmark = pytest.mark.django_db


def queue(email: str, **fields: object) -> AccountMail:
    """Queue the notice that needs no account."""
    return AccountMail.objects.create(
        **{
            "template": "account/email/unknown_account",
            "email": email,
            "language": "en",
            "created_at": NOW,
            "next_attempt_at": NOW,
            **fields,
        }
    )


def test_sign_up_outlives_a_dead_mail_server(
    client: Client, dead_server: None, settings: Settings
) -> None:
    assert sign_up(client, "nora@people.test").status_code == 302
    assert client.get("/accounts/confirm-email/").status_code == 200
    waiting = AccountMail.objects.get()
    for _ in range(3):
        assert mail.send_due(timezone.now()) == 0
    unchanged = AccountMail.objects.get()
    assert (unchanged.attempts, unchanged.next_attempt_at) == (0, waiting.next_attempt_at)

    with Sink() as sink:
        use_server(settings, sink.port)
        (letter,) = PostOffice(sink).deliver()
    assert not AccountMail.objects.exists()
    assert Client().post(letter.link()).status_code == 302
    assert EmailAddress.objects.get().verified


@pytest.mark.parametrize("mood", [Mood(banner="554 5.3.2 Closed")])
def test_a_server_that_takes_nobody_is_a_dead_one(post_office: PostOffice) -> None:
    queue("anna@x.test")
    assert post_office.deliver(NOW) == []
    assert AccountMail.objects.get().attempts == 0


def test_a_refused_address_is_dropped_and_does_not_stand_in_the_way(
    post_office: PostOffice,
) -> None:
    for email in ("550+a@x.test", "anna@x.test", "4xx+b@x.test", "boris@x.test"):
        queue(email)
    letters = post_office.deliver(NOW)
    assert [letter.to for letter in letters] == ["anna@x.test", "boris@x.test"]
    assert AccountMail.objects.get().email == "4xx+b@x.test"
    assert post_office.deliver(NOW) == [], "it must wait"
    assert [letter.to for letter in post_office.deliver(NOW + timedelta(minutes=1))] == [
        "4xx+b@x.test"
    ]
    assert not AccountMail.objects.exists()


@pytest.mark.parametrize("trick", ["droprcpt", "bye", "dropdata", "dot451", "dot554", "garbage"])
def test_a_mail_that_always_fails_does_not_hold_up_others(
    post_office: PostOffice, trick: str
) -> None:
    queue(f"{trick}@x.test")
    for number in range(3):
        queue(f"client{number}@x.test")
    post_office.deliver(NOW)
    arrived = [to for to in post_office.sink.ledger.recipients() if to.startswith("client")]
    assert arrived == [f"client{number}@x.test" for number in range(3)]
    assert AccountMail.objects.get().attempts == 1


def test_the_number_is_of_mails_that_the_server_took(post_office: PostOffice) -> None:
    queue("anna@x.test")
    queue("550+a@x.test")
    queue("4xx+b@x.test")
    queue("late@x.test", created_at=NOW - mail.KEEP_TRYING - timedelta(seconds=1))
    assert mail.send_due(NOW) == 1
    assert post_office.sink.ledger.recipients() == ["anna@x.test"]


def test_waits_grow_to_half_an_hour_and_end_after_two_days(post_office: PostOffice) -> None:
    queue("full@x.test")
    now, times = NOW, [NOW]
    while AccountMail.objects.exists():
        post_office.deliver(now)
        row = AccountMail.objects.first()
        if row is not None:
            assert row.next_attempt_at > now
            assert len(row.last_error) <= 200
            now = row.next_attempt_at
            times.append(now)
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(minutes=30)
    assert now - NOW <= mail.KEEP_TRYING + timedelta(minutes=30)
    assert len(times) < 120


def test_a_mail_that_is_too_old_is_dropped_unsent(post_office: PostOffice) -> None:
    queue("anna@x.test", created_at=NOW - mail.KEEP_TRYING)
    queue("late@x.test", created_at=NOW - mail.KEEP_TRYING - timedelta(seconds=1))
    assert [letter.to for letter in post_office.deliver(NOW)] == ["anna@x.test"]
    assert not AccountMail.objects.exists()


def test_a_mail_without_a_reason_left_is_dropped_unsent(
    post_office: PostOffice, alice: User
) -> None:
    for template in ("email_confirmation_signup", "password_reset_key"):
        queue("gone@x.test", template=f"account/email/{template}", user=None)
    queue(alice.email, template="account/email/email_confirmation", user=alice)
    assert post_office.deliver(NOW) == []
    assert not AccountMail.objects.exists()


def test_mails_of_a_deleted_account_go_with_it(post_office: PostOffice, client: Client) -> None:
    sign_up(client, "nora@people.test")
    User.objects.get().delete()
    assert post_office.deliver() == []
    assert not AccountMail.objects.exists()


@pytest.mark.parametrize("mood", [Mood(user="post", password="right")])
@pytest.mark.parametrize("password", ["right", "wrong"])
def test_a_server_that_wants_a_log_in(
    post_office: PostOffice, settings: Settings, password: str
) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "post", password
    queue("anna@x.test")
    letters = post_office.deliver(NOW)
    assert [letter.to for letter in letters] == (["anna@x.test"] if password == "right" else [])
    assert AccountMail.objects.exists() is (password == "wrong")


def test_a_slow_server_gets_a_slice_at_a_time(
    post_office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "_SLICE_SECONDS", 0)
    for number in range(3):
        queue(f"client{number}@x.test")
    assert len(post_office.deliver(NOW)) == 1
    assert AccountMail.objects.due(NOW).count() == 2


def test_told_to_stop_it_finishes_the_mail_under_way(post_office: PostOffice) -> None:
    for number in range(3):
        queue(f"client{number}@x.test")
    assert mail.send_due(NOW, interrupted=lambda: True) == 1
    assert AccountMail.objects.due(NOW).count() == 2


def test_many_mails_share_a_connection(post_office: PostOffice) -> None:
    for number in range(5):
        queue(f"client{number}@x.test")
    assert len(post_office.deliver(NOW)) == 5
    assert post_office.sink.connections == 1


def test_links_lead_to_the_address_of_the_site_whatever_the_request_says(
    client: Client, post_office: PostOffice, settings: Settings, alice: User
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    for headers in ({"host": "evil.test"}, {"x-forwarded-host": "evil.test"}):
        client.post(RESET, {"email": alice.email}, headers=headers)
        (letter,) = post_office.deliver()
        assert "evil.test" not in letter.message.as_string()
        assert letter.link().startswith("/accounts/password/reset/key/")


@pytest.mark.parametrize(
    "template",
    [
        "account_already_exists",
        "email_changed",
        "email_confirm",
        "email_deleted",
        "password_changed",
        "password_reset",
        "password_set",
        "unknown_account",
    ],
)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_notice_can_be_sent(
    post_office: PostOffice, alice: User, template: str, language: str
) -> None:
    queue(
        alice.email,
        user=alice,
        template=f"account/email/{template}",
        language=language,
        context={
            "ip": "192.0.2.7",
            "user_agent": "<b>Mozilla/5.0 (X11; Linux x86_64) Firefox/131.0",
            "timestamp": NOW.isoformat(),
            "from_email": "from@x.test",
            "to_email": "to@x.test",
            "deleted_email": "deleted@x.test",
        },
    )
    (letter,) = post_office.deliver(NOW)
    assert letter.subject
    assert "\n" not in letter.subject
    assert f'<html lang="{language}">' in letter.body("html")
    assert "Mozilla" not in letter.text + letter.body("html")
    assert "http://testserver/accounts/" in letter.text


@pytest.mark.parametrize(
    ("contact", "whom"), [("", "the managers of this server"), ("help@x.test", "help@x.test")]
)
def test_a_notice_names_the_browser_and_whom_to_write_to(
    post_office: PostOffice, alice: User, settings: Settings, contact: str, whom: str
) -> None:
    settings.CONTACT_EMAIL = contact
    context = {
        "ip": "192.0.2.7",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/131.0",
        "timestamp": NOW.isoformat(),
    }
    queue(alice.email, user=alice, template="account/email/password_changed", context=context)
    (letter,) = post_office.deliver(NOW)
    for part in (letter.text, letter.body("html")):
        assert "Firefox on Linux" in part
        assert f"write to {whom}." in part


# --- Secrets --------------------------------------------------------------------------------------

# A signed value (the key of a verification link) and a token of a password reset.
_SECRETS = re.compile(r"[\w-]+:\w{6}:[\w-]{20,}|\b[0-9a-z]{6,7}-[0-9a-f]{32}\b")


def every_row() -> str:
    """Return all tables as text, tasks of the queue unpacked, without sessions: they are keys."""
    tables = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in {"django_session", OrmQ._meta.db_table}:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our tables
                tables.append((table, [list(map(str, row)) for row in cursor.fetchall()]))
    tasks = [repr(task.task) for task in OrmQ.objects.all()]
    return repr(tables) + repr(tasks)


def test_no_secret_rests_in_the_database(
    client: Client,
    settings: Settings,
    dead_server: None,
    alice: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sign_up(client, "nora@people.test")
        Client().post(RESET, {"email": alice.email})
        browser = Client()
        log_in(browser, alice.email)
        prove_again(browser)
        browser.post(ADDRESS, {"action_add": "", "email": "new@people.test"})
    mail.send_due(timezone.now())
    waiting = every_row()
    assert AccountMail.objects.count() == 3
    assert "send_account_mails" in waiting
    with Sink() as sink:
        use_server(settings, sink.port)
        letters = PostOffice(sink).deliver()
    assert len(letters) == 3
    links = [letter.link() for letter in letters]
    assert all(_SECRETS.search(link) for link in links), "the search must know such secrets"
    for rows in (waiting, every_row()):
        assert not _SECRETS.findall(rows)
        assert PASSWORD not in rows
        assert not any(link.split("/")[-2] in rows for link in links)


def test_the_queue_is_woken_after_the_commit(
    client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sign_up(client, "nora@people.test")
    (task,) = OrmQ.objects.all()
    assert task.func() == "site_project.schedules.send_account_mails"
    assert task.task["args"] == ()


def test_a_broken_queue_does_not_break_sign_up(
    client: Client,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> None:
        raise ConnectionError("the queue is away")

    monkeypatch.setattr(mail, "_wake", broken)
    with django_capture_on_commit_callbacks(execute=True):
        assert sign_up(client, "nora@people.test").status_code == 302
    assert AccountMail.objects.count() == 1


# --- Several at once ------------------------------------------------------------------------------


def test_a_mail_is_sent_once_although_two_workers_saw_it(post_office: PostOffice) -> None:
    """The second sees the row before the first has claimed it, and comes to it afterwards."""
    queue("anna@x.test")
    seen_by_the_second = AccountMail.objects.get()
    assert len(post_office.deliver(NOW)) == 1
    assert not mail._claim(seen_by_the_second, NOW)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mood", [Mood(dot_delay=0.02)])
def test_two_workers_at_once_send_each_mail_once(post_office: PostOffice) -> None:
    addresses = [f"client{number}@x.test" for number in range(10)]
    for address in addresses:
        queue(address)
    together = threading.Barrier(2)
    sent: list[int] = []

    def work() -> None:
        together.wait(10)
        try:
            sent.append(mail.send_due(NOW))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert sorted(post_office.sink.ledger.recipients()) == addresses
    assert sum(sent) == len(addresses)
    assert not AccountMail.objects.exists()


def test_a_claim_of_a_killed_worker_runs_out(post_office: PostOffice) -> None:
    claimed = queue("anna@x.test")
    assert mail._claim(claimed, NOW)
    assert post_office.deliver(NOW + mail.CLAIM - timedelta(seconds=1)) == []
    assert len(post_office.deliver(NOW + mail.CLAIM)) == 1


class TestAtOnce:
    """A mail that a person waits for."""

    @staticmethod
    def send(address: str) -> mail.Verdict:
        return mail.send_at_once(EmailMessage("Subject", "Text", to=[address]))

    def test_what_the_server_takes(self, post_office: PostOffice) -> None:
        assert self.send("anna@x.test") == mail.Verdict(True)
        assert post_office.sink.ledger.recipients() == ["anna@x.test"]

    @pytest.mark.parametrize("behaviour", ["550", "full", "policy"])
    def test_what_it_refuses_comes_with_its_words(
        self, post_office: PostOffice, behaviour: str
    ) -> None:
        verdict = self.send(f"{behaviour}+anna@x.test")
        assert not verdict.accepted
        assert re.match(r"[45]\d\d [45]\.\d\.\d ", verdict.reply)

    def test_what_it_refuses_after_the_letter(self, post_office: PostOffice) -> None:
        assert self.send("big+anna@x.test").reply.startswith("552 5.3.4")

    @pytest.mark.parametrize("behaviour", ["droprcpt", "garbage", "bye"])
    def test_whatever_it_does_there_is_an_answer(
        self, post_office: PostOffice, behaviour: str
    ) -> None:
        assert not self.send(f"{behaviour}+anna@x.test").accepted

    def test_nobody_listens(self, dead_server: None) -> None:
        assert self.send("anna@x.test") == mail.Verdict(False)
