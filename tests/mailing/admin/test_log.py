"""The lists of letters and of attempts: read only, one's own, filtered by what is offered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from mailing import querysets
from mailing.enums import DeliveryState, Outcome, Stage
from mailing.models import Attempt, Delivery, Run
from tests.factories import NOW, make_clients
from tests.mailing.admin.screens import text_of, url_of
from tests.mailing.admin.test_export import table
from tests.mailing.runs import attempt, open_run, put

pytestmark = pytest.mark.django_db


@pytest.fixture
def alices(alice: User, browse: Callable[..., Browser]) -> Browser:
    return browse(alice)


@pytest.fixture
def managers(manager: User, browse: Callable[..., Browser]) -> Browser:
    return browse(manager)


@pytest.fixture
def run(alice: User) -> Run:
    """Anna has got her letter at the second attempt, Ben's was refused, Cy's waits."""
    run = open_run(alice, make_clients(alice, ["anna@x.test", "ben@x.test", "cy@x.test"]))
    anna, ben, _cy = put(run, DeliveryState.SENT)
    put(run, DeliveryState.SENT, DeliveryState.FAILED, last_code=550, last_reply="5.1.1 No <such>")
    attempt(anna, Outcome.TRANSIENT, code=451, enhanced="4.7.1", reply="Later", stage=Stage.RCPT)
    attempt(anna, enhanced="2.0.0")
    attempt(ben, Outcome.PERMANENT, code=550, enhanced="5.1.1", reply="No <such>")
    return run


@pytest.fixture
def bobs(bob: User) -> Run:
    run = open_run(bob, make_clients(bob, ["secret@x.test"]), name="Secret news")
    attempt(put(run, DeliveryState.SENT)[0])
    return run


class TestDeliveries:
    def test_each_letter_shows_what_became_of_it(self, run: Run, alices: Browser) -> None:
        words = text_of(alices.get(url_of("delivery")))
        assert "anna@x.test" in words
        assert "550 5.1.1 No <such>" in words
        for state in ("Sent", "Failed", "Pending"):
            assert state in words
        assert str(run.mailing) in words

    def test_a_state_narrows_the_list(self, run: Run, alices: Browser) -> None:
        words = text_of(alices.get(url_of("delivery") + f"?run={run.pk}&state=failed"))
        assert "ben@x.test" in words
        assert "anna@x.test" not in words
        assert "cy@x.test" not in words

    def test_a_run_narrows_the_list(self, alice: User, run: Run, alices: Browser) -> None:
        other = open_run(alice, make_clients(alice, ["dee@x.test"]))
        words = text_of(alices.get(url_of("delivery") + f"?run={other.pk}"))
        assert "dee@x.test" in words
        assert "anna@x.test" not in words

    @pytest.mark.parametrize("value", ["987654321", "x", "-1", "9" * 30, "1 OR 1=1", ""])
    def test_a_run_that_is_not_there_has_no_letters(
        self, run: Run, alices: Browser, value: str
    ) -> None:
        page = alices.get(url_of("delivery"), {"run": value}, follow=True)
        assert page.status_code == 200
        assert "anna@x.test" not in text_of(page) or value == ""

    def test_what_is_others_is_not_there(self, run: Run, bobs: Run, alices: Browser) -> None:
        for query in ("", f"?run={bobs.pk}", "?q=secret", "?state=sent"):
            page = alices.get(url_of("delivery") + query)
            assert "secret@x.test" not in page.text
            assert "Secret news" not in page.text
        theirs = bobs.deliveries.get()
        assert alices.get(url_of("delivery", "inspect", theirs.pk)).status_code == 404

    def test_a_manager_sees_all(
        self, run: Run, bobs: Run, manager: User, browse: Callable[..., Browser]
    ) -> None:
        words = text_of(browse(manager).get(url_of("delivery")))
        assert "secret@x.test" in words
        assert "anna@x.test" in words

    def test_no_other_parameter_reaches_the_database(self, run: Run, alices: Browser) -> None:
        page = alices.get(
            url_of("delivery") + "?run__mailing__owner__password__startswith=x&q=anna"
        )
        assert page.status_code == 302
        assert page.headers["Location"] == url_of("delivery") + "?q=anna"

    def test_search_is_by_address(self, run: Run, alices: Browser) -> None:
        words = text_of(alices.get(url_of("delivery") + "?q=ben@"))
        assert "ben@x.test" in words
        assert "anna@x.test" not in words

    @pytest.mark.parametrize("name", ["create", "edit", "delete", "history"])
    def test_nobody_adds_edits_or_deletes(
        self, run: Run, admin: User, alices: Browser, browse: Callable[..., Browser], name: str
    ) -> None:
        pk = "" if name == "create" else f"{run.deliveries.all()[0].pk}/"
        for browser in (alices, browse(admin)):
            for method in (browser.get, browser.post):
                page = method(f"/admin/mailing/delivery/{name}/{pk}")
                assert page.status_code in {302, 403, 404}
        assert Delivery.objects.count() == 3

    def test_the_page_of_a_letter_tells_every_attempt_in_order(
        self, run: Run, alices: Browser
    ) -> None:
        anna = run.deliveries.get(email="anna@x.test")
        words = text_of(alices.get(url_of("delivery", "inspect", anna.pk)))
        first, second = words.index("451 4.7.1 Later"), words.index("250 2.0.0 Ok")
        assert first < second
        assert f"The letter “{run.subject}” to anna@x.test." in words
        assert "recipient address" in words, "the stage"

    def test_without_attempts_it_says_so(self, run: Run, alices: Browser) -> None:
        cy = run.deliveries.get(email="cy@x.test")
        assert "No attempt yet." in text_of(alices.get(url_of("delivery", "inspect", cy.pk)))

    def test_the_export_is_narrowed_like_the_list(self, run: Run, alices: Browser) -> None:
        page = alices.get(url_of("delivery") + f"?run={run.pk}&state=failed&export=csv")
        _headings, *rows = table(page)
        assert rows == [["ben@x.test", run.mailing.name, "failed", "0", "550", "5.1.1 No <such>"]]

    def test_many_letters_are_the_same_ones(
        self,
        alice: User,
        run: Run,
        bobs: Run,
        alices: Browser,
        managers: Browser,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for query in (
            "",
            f"?mailing={run.mailing_id}",
            "?state=failed",
            f"?mailing={bobs.mailing_id}",
        ):
            few = text_of(alices.get(url_of("delivery") + query))
            with monkeypatch.context() as patch:
                patch.setattr(querysets, "MANY_LETTERS", 1)
                assert text_of(alices.get(url_of("delivery") + query)) == few
                words = text_of(managers.get(url_of("delivery") + f"?owner={alice.pk}"))
        assert "anna@x.test" in words
        assert "secret@x.test" not in words


class TestAttempts:
    def test_each_shows_the_answer_word_for_word(self, run: Run, alices: Browser) -> None:
        words = text_of(alices.get(url_of("attempt")))
        for answer in ("451 4.7.1 Later", "250 2.0.0 Ok", "550 5.1.1 No <such>"):
            assert answer in words
        assert words.index("ben@x.test") < words.index("anna@x.test"), "the newest first"

    @pytest.mark.parametrize(
        ("outcome", "answer"),
        [
            (Outcome.TRANSIENT, "451 4.7.1 Later"),
            (Outcome.ACCEPTED, "250 2.0.0 Ok"),
            (Outcome.PERMANENT, "550 5.1.1 No <such>"),
            (Outcome.UNKNOWN, None),
        ],
    )
    def test_an_outcome_narrows_the_list(
        self, run: Run, alices: Browser, outcome: Outcome, answer: str | None
    ) -> None:
        words = text_of(alices.get(url_of("attempt") + f"?outcome={outcome.value}"))
        answers = {"451 4.7.1 Later", "250 2.0.0 Ok", "550 5.1.1 No <such>"}
        assert {found for found in answers if found in words} == ({answer} if answer else set())

    def test_what_is_others_is_not_there(self, run: Run, bobs: Run, alices: Browser) -> None:
        for query in ("", "?q=secret", "?outcome=accepted"):
            assert "secret@x.test" not in alices.get(url_of("attempt") + query).text

    def test_the_export_has_all_that_is_known(self, run: Run, alices: Browser) -> None:
        _headings, *rows = table(alices.get(url_of("attempt") + "?outcome=permanent&export=csv"))
        assert rows == [
            [
                f"{NOW:%Y-%m-%d %H:%M:%S}",
                run.mailing.name,
                "ben@x.test",
                "1",
                "dot",
                "permanent",
                "The mailbox does not exist",
                "550",
                "5.1.1",
                "No <such>",
            ]
        ]

    def test_an_erased_client_still_has_the_attempts(self, run: Run, alices: Browser) -> None:
        Delivery.objects.filter(email="ben@x.test").update(email="", client=None)
        page = alices.get(url_of("attempt"))
        assert "ben@x.test" not in page.text
        assert "550 5.1.1 No <such>" in text_of(page)


@pytest.mark.parametrize("model", ["delivery", "attempt"])
def test_twenty_rows_take_as_many_queries_as_one(alice: User, alices: Browser, model: str) -> None:
    run = open_run(alice, 20)
    first, *rest = put(run, *[DeliveryState.SENT] * 20)
    attempt(first)
    Delivery.objects.exclude(pk=first.pk).update(run=open_run(alice, 0))
    one = f"{url_of(model)}?q={first.email}"
    alices.get(one)  # fills what is cached for all requests
    with CaptureQueriesContext(
        connection,
    ) as few:
        assert first.email in alices.get(one).text
    for delivery in rest:
        attempt(delivery)
    with CaptureQueriesContext(connection) as many:
        page = alices.get(f"{url_of(model)}?q=test")
    assert all(delivery.email in page.text for delivery in rest)
    assert len(many) == len(few)
    assert Attempt.objects.count() == 20
