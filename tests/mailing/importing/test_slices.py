"""What an import writes: each client once, whoever works on it and wherever it is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from wagtail.models import ModelLogEntry

from accounts.models import User
from mailing.clientele import tags_named
from mailing.enums import Existing, ImportState, SuppressionReason
from mailing.importing import jobs, slices, writing
from mailing.importing.refusals import Refusal
from mailing.importing.report import findings
from mailing.models import Client, ClientImport, ClientList, ClientTag, Suppression
from tests.factories import make_client, make_list
from tests.mailing.importing.files import NOW, carry_out, figures, make_import, xlsx_of

pytestmark = pytest.mark.django_db

HEADINGS = "E-mail,First name,Last name,Phone,Language,Client lists,Tags,Comment"


def clients_of(owner: User, *columns: str) -> list[tuple[Any, ...]]:
    return list(Client.objects.owned_by(owner).order_by("pk").values_list(*columns))


class TestWriting:
    def test_all_that_a_client_has(self, alice: User) -> None:
        line = 'Anna@X.test,Anna,Ёлкина,+44 20 7946 0118,ru,"Garden; Friends","vip, new",roses'
        row = carry_out(make_import(alice, [HEADINGS, line]))
        assert row.state == ImportState.COMPLETED
        assert figures(row) == {"new": 1}
        client = Client.objects.get()
        assert (client.email, client.email_normalized) == ("Anna@x.test", "anna@x.test")
        assert (client.first_name, client.last_name) == ("Anna", "Ёлкина")
        assert (str(client.phone), client.language) == ("+442079460118", "ru")
        assert client.comment == "roses"
        assert {str(x) for x in client.lists.all()} == {"Garden", "Friends"}
        assert {str(x) for x in client.tags.all()} == {"vip", "new"}
        assert client.last_import == row
        assert Client.objects.search("ёлк", user=alice).get() == client

    def test_nobody_gets_more_tags_than_a_form_could_hold(self, alice: User) -> None:
        anna = make_client(alice, "anna@x.test")
        anna.tags.set(tags_named([f"old {n}" for n in range(15)], owner=alice))
        new = [f"new {n}" for n in range(20)]
        carry_out(make_import(alice, ["email", "anna@x.test", "boris@x.test"], tags=new))
        assert (anna.tags.count(), anna.tags.filter(name__startswith="old").count()) == (20, 15)
        assert Client.objects.get(email="boris@x.test").tags.count() == 20

    def test_all_go_into_the_chosen_lists_and_get_the_chosen_tags(self, alice: User) -> None:
        make_client(alice, "ben@x.test")
        chosen, tagged = make_list(alice), ClientTag.objects.create(owner=alice, name="VIP")
        row = make_import(alice, ["email", "anna@x.test", "ben@x.test"], tags=["vip", "new"])
        row.lists.add(chosen)
        carry_out(row)
        assert chosen.clients.count() == 2
        assert tagged.clients.count() == 2, "whatever its case"
        assert ClientTag.objects.get(name="new").clients.count() == 2

    def test_a_workbook_is_as_good(self, alice: User) -> None:
        content = xlsx_of(("Почта", "ФИО"), ("anna@x.test", "Ёлкина Анна Петровна"), (None, "x"))
        row = carry_out(make_import(alice, content))
        assert figures(row) == {"new": 1, "faulty": 1}
        names = ("first_name", "middle_name", "last_name")
        assert clients_of(alice, *names) == [("Анна", "Петровна", "Ёлкина")]

    def test_without_headings_the_first_row_is_a_client(self, alice: User) -> None:
        carry_out(make_import(alice, ["anna@x.test", "ben@x.test"]))
        assert clients_of(alice, "email") == [("anna@x.test",), ("ben@x.test",)]

    def test_the_first_of_several_rows_with_an_address_counts(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(slices, "CHUNK", 3)
        lines = ["email,name", "a@x.test,One", "A@x.test,Two", "b@x.test,B", "a@X.TEST,Three"]
        row = carry_out(make_import(alice, lines))
        assert figures(row) == {"new": 2, "repeated": 2}
        assert clients_of(alice, "first_name") == [("One",), ("B",)]

    def test_who_gets_no_letters_stays_so(self, alice: User) -> None:
        Suppression.objects.create(
            owner=alice,
            email_normalized="anna@x.test",
            reason=SuppressionReason.UNSUBSCRIBED,
            created_at=NOW,
        )
        row = carry_out(make_import(alice, ["email", "Anna@x.test", "ben@x.test"]))
        assert figures(row) == {"new": 2, "suppressed": 1}
        assert Suppression.objects.count() == 1

    def test_what_another_owner_has_is_neither_touched_nor_counted(
        self, alice: User, bob: User
    ) -> None:
        his = make_client(bob, "anna@x.test", first_name="Secret")
        make_list(bob, name="Friends")
        Suppression.objects.create(
            owner=bob,
            email_normalized="anna@x.test",
            reason=SuppressionReason.UNSUBSCRIBED,
            created_at=NOW,
        )
        row = carry_out(make_import(alice, ["email,name,lists", "anna@x.test,Anna,Friends"]))
        assert figures(row) == {"new": 1}
        his.refresh_from_db()
        assert (his.first_name, his.last_import, his.lists.count()) == ("Secret", None, 0)
        assert ClientList.objects.owned_by(alice).get().clients.get().owner == alice

    def test_a_list_of_another_that_got_among_the_chosen_is_passed_by(
        self, alice: User, bob: User
    ) -> None:
        row = make_import(alice, ["email", "anna@x.test"])
        his = make_list(bob)
        row.lists.add(his)
        carry_out(row)
        assert his.clients.count() == 0
        assert Client.objects.count() == 1


class TestExisting:
    @pytest.mark.parametrize(
        ("existing", "name", "comment", "expected"),
        [
            (Existing.FILL, "Ann", "new", {"changed": 1}),
            (Existing.UPDATE, "Anna", "new", {"changed": 1}),
            (Existing.LEAVE, "Ann", "", {"unchanged": 1}),
        ],
    )
    def test_it_is_as_the_owner_chose(
        self, alice: User, existing: Existing, name: str, comment: str, expected: dict[str, int]
    ) -> None:
        client = make_client(
            alice, "Ann@x.test", first_name="Ann", last_name="Smith", phone="+442079460118"
        )
        lines = ["email,first name,last name,comment", "ann@X.test,Anna,,new"]
        row = carry_out(make_import(alice, lines, existing=existing))
        assert figures(row) == expected
        client.refresh_from_db()
        assert (client.first_name, client.comment) == (name, comment)
        assert (client.last_name, client.email) == ("Smith", "Ann@x.test"), "blank changes nothing"
        assert client.phone == "+442079460118"
        assert client.last_import == row

    def test_the_same_file_again_changes_nothing(self, alice: User) -> None:
        lines = [HEADINGS, "anna@x.test,Anna,Smith,+442079460118,en,Garden,vip,roses"]
        carry_out(make_import(alice, lines))
        before = clients_of(alice, "email", "comment", "updated_at")
        row = carry_out(make_import(alice, lines, existing=Existing.UPDATE))
        assert figures(row) == {"unchanged": 1}
        assert clients_of(alice, "email", "comment", "updated_at") == before

    def test_search_knows_what_has_changed(self, alice: User) -> None:
        make_client(alice, "ann@x.test")
        carry_out(make_import(alice, ["email,last name", "ann@x.test,Ёлкина"]))
        assert Client.objects.search("ёлкина", user=alice).count() == 1


class TestFaults:
    LINES = ("email,phone", "anna@x.test,", "nobody,", "ben@x.test,12", "cleo@x.test,")

    def test_each_is_named_and_the_others_are_written(self, alice: User) -> None:
        row = carry_out(make_import(alice, self.LINES))
        assert figures(row) == {"new": 2, "faulty": 2}
        assert [(f.line, f.column, f.value, f.cells) for f in findings(row)] == [
            (3, "E-mail address", "nobody", ["nobody", ""]),
            (4, "Phone", "12", ["ben@x.test", "12"]),
        ]

    def test_nothing_is_written_if_the_owner_says_so(self, alice: User) -> None:
        make_client(alice, "cleo@x.test")
        lines = [*self.LINES, "dan@x.test,"]
        row = carry_out(make_import(alice, lines, is_strict=True, tags=["new"]))
        assert (row.state, row.refusal) == (ImportState.FAILED, Refusal.FAULTY_LINES)
        assert figures(row) == {"faulty": 2}
        assert len(list(findings(row))) == 2
        assert clients_of(alice, "email", "last_import") == [("cleo@x.test", None)]
        assert not ClientTag.objects.exists()

    def test_a_strict_import_without_faults_is_written(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(slices, "CHUNK", 2)
        lines = ["email", *(f"c{n}@x.test" for n in range(5))]
        row = carry_out(make_import(alice, lines, is_strict=True))
        assert (row.state, row.rows_done) == (ImportState.COMPLETED, 6)
        assert figures(row) == {"new": 5}

    def test_a_report_names_no_more_than_it_can_hold(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "MOST_FAULTS_KEPT", 3)
        monkeypatch.setattr(slices, "CHUNK", 2)
        row = carry_out(make_import(alice, ["email", *["x"] * 7], columns=["email"]))
        assert row.faulty == 7
        assert row.faults.count() == 3

    def test_what_no_column_can_hold_is_kept_readable(self, alice: User) -> None:
        many = b"anna@x.test,A\n" * 20_000  # past what is looked at to tell texts from others
        content = b"email,name\n" + many + b"ben@x.test,a\x00b\n" + b"x" * 9_000 + b",\n"
        row = carry_out(make_import(alice, content))
        assert figures(row) == {"new": 1, "repeated": 19_999, "faulty": 2}
        assert [(f.value[:3], len(f.value) <= 200) for f in findings(row)] == [
            ("a\ufffdb", True),
            ("xxx", True),
        ]


class TestEnd:
    def test_the_log_has_it_and_the_file_is_gone(
        self, alice: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        row = make_import(alice, ["email", "anna@x.test"])
        name = row.file.name
        with django_capture_on_commit_callbacks(execute=True):
            row = carry_out(row)
        entry = ModelLogEntry.objects.get(action="client.import")
        assert (entry.user, entry.object_id, entry.data["new"]) == (alice, str(row.pk), 1)
        assert not row.file.storage.exists(name)
        assert row.file.name == ""

    def test_a_file_that_is_gone_ends_it(self, alice: User) -> None:
        row = make_import(alice, ["email", "anna@x.test"])
        row.file.storage.delete(row.file.name)
        row = carry_out(row)
        assert (row.state, row.refusal) == (ImportState.FAILED, Refusal.GONE)

    def test_a_fault_of_the_whole_file_found_late_keeps_what_was_written(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(slices, "CHUNK", 2)
        row = make_import(alice, ["email", *(f"c{n}@x.test" for n in range(6))])
        monkeypatch.setattr("mailing.importing.rows.MOST_ROWS", 5)
        row = carry_out(row)
        assert (row.state, row.refusal) == (ImportState.FAILED, Refusal.TOO_MANY_ROWS)
        assert row.new == Client.objects.count() == 3


def clock_at(now: datetime) -> Callable[[], datetime]:
    return lambda: now


class Killed(BaseException):
    """Not an Exception: what ends a process asks nobody."""


@contextmanager
def killed_at(number: int) -> Iterator[None]:
    """Let the worker die just before its n-th statement."""
    left = [number]

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield


class TestWorkers:
    LINES = ("email,lists,tags", *(f"c{n}@x.test,Garden,vip" for n in range(7)), "x,,")

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("is_strict", [False, True])
    def test_killed_at_any_statement_it_is_gone_on_with_and_nothing_is_doubled(
        self, alice: User, is_strict: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(slices, "CHUNK", 4)
        lines = self.LINES[:-1] if is_strict else self.LINES
        expected = {"new": 7} if is_strict else {"new": 7, "faulty": 1}
        for number in range(1, 200):
            Client.objects.all().delete()
            row = make_import(alice, lines, is_strict=is_strict)
            assert jobs.start(row, now=NOW)
            died, later = False, NOW
            try:
                with killed_at(number):
                    while slices.go_on(clock_at(later), seconds=0):
                        pass
            except Killed:
                died = True
            later = NOW + 2 * jobs.LEASE
            while slices.go_on(clock_at(later)):
                pass
            row.refresh_from_db()
            assert (row.state, figures(row)) == (ImportState.COMPLETED, expected), number
            assert Client.objects.count() == Client.objects.filter(last_import=row).count() == 7
            assert ClientList.objects.get().clients.count() == 7
            assert ModelLogEntry.objects.filter(object_id=str(row.pk)).count() == 1
            assert row.faults.count() == len(expected) - 1
            if not died:
                assert number > 30, "it was killed nowhere"
                return
        pytest.fail("it never came to an end")

    def test_two_do_not_work_on_one(self, alice: User) -> None:
        row = make_import(alice, ["email", "anna@x.test"])
        jobs.start(row, now=NOW)
        held = jobs.claim(NOW)
        assert held is not None
        assert jobs.claim(NOW) is None
        assert jobs.claim(NOW + jobs.LEASE) is not None, "its holder is dead"
        chunk = writing.Chunk(rows=1)
        assert not writing.write(held, chunk, now=NOW), "it is dead for the others"
        jobs.release(held)
        assert ClientImport.objects.get().lease_token is not None

    def test_the_one_that_has_waited_longest_is_next(self, alice: User, bob: User) -> None:
        rows = [make_import(owner, ["email", "a@x.test"]) for owner in (alice, bob)]
        for row in rows:
            jobs.start(row, now=NOW)
        order = []
        for minute in range(4):
            job = jobs.claim(NOW + timedelta(minutes=minute + 1))
            assert job is not None
            order.append(job.row.owner)
            jobs.release(job)
        assert order == [alice, bob, alice, bob]

    def test_what_fails_at_one_place_again_and_again_is_given_up(self, alice: User) -> None:
        row = make_import(alice, ["email", "anna@x.test"])
        jobs.start(row, now=NOW)
        for _n in range(jobs.MOST_ATTEMPTS):
            job = jobs.claim(NOW)
            assert job is not None
            jobs.release(job)
        assert jobs.claim(NOW) is None
        row.refresh_from_db()
        assert (row.state, row.refusal) == (ImportState.FAILED, Refusal.STUMBLED)

    def test_a_blocked_owner_imports_nothing(self, alice: User) -> None:
        row = make_import(alice, ["email", "anna@x.test"])
        alice.is_active = False
        alice.save()
        assert carry_out(row).state == ImportState.RUNNING
        assert not Client.objects.exists()

    def test_cancelled_in_the_middle_it_writes_no_more(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(slices, "CHUNK", 2)
        row = make_import(alice, ["email", *(f"c{n}@x.test" for n in range(6))])
        jobs.start(row, now=NOW)
        slices.go_on(lambda: NOW, interrupted=lambda: True)
        assert jobs.cancel(row, now=NOW)
        assert not slices.go_on(lambda: NOW)
        assert Client.objects.count() == 1
        assert not jobs.cancel(row, now=NOW)
        entry = ModelLogEntry.objects.get(action="client.import")
        assert (entry.user, entry.data["new"]) == (alice, 1), "what it had done is written down"

    def test_an_address_that_another_request_adds_at_that_moment_is_not_doubled(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = make_import(alice, ["email,comment", "anna@x.test,from the file", "ben@x.test,x"])
        real = writing._there
        looked: list[int] = []

        def race(owner_id: int, addresses: Any) -> Any:
            found = real(owner_id, addresses)
            if not looked:
                make_client(alice, "anna@x.test", first_name="Anna")
            looked.append(1)
            return found

        monkeypatch.setattr(writing, "_there", race)
        row = carry_out(row)
        assert figures(row) == {"new": 1, "changed": 1}
        assert sorted(clients_of(alice, "email", "first_name", "comment")) == [
            ("anna@x.test", "Anna", "from the file"),
            ("ben@x.test", "", "x"),
        ]


def test_started_twice_it_runs_once(alice: User) -> None:
    row = make_import(alice, ["email", "anna@x.test"])
    assert jobs.start(row, now=NOW)
    assert not jobs.start(row, now=NOW)
