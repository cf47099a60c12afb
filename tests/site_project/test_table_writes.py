"""What statements write, and when that is told."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from mailing.models import Attempt
from site_project import table_writes
from site_project.table_writes import tables_written

GROUPS = "auth_group"


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ('INSERT INTO "auth_group" ("name") VALUES (%s)', {GROUPS}),
        ("insert into auth_group (name) values (1)", {GROUPS}),
        ("INSERT OR IGNORE INTO `auth_group` VALUES (1)", {GROUPS}),
        ('INSERT INTO public."auth_group" VALUES (1)', {GROUPS}),
        ('INSERT INTO "public"."auth_group" VALUES (1)', {GROUPS}),
        ("REPLACE INTO auth_group VALUES (1)", {GROUPS}),
        ('\n   UPDATE "auth_group" SET "name" = 1', {GROUPS}),
        ("UPDATE ONLY auth_group SET name = 1", {GROUPS}),
        ('DELETE FROM "auth_group" WHERE 1', {GROUPS}),
        ("WITH v AS (SELECT 1) UPDATE auth_group SET name = v.name FROM v", {GROUPS}),
        (
            "WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone",
            {"a", "b"},
        ),
        ("INSERT INTO a VALUES (1) ON CONFLICT DO UPDATE SET name = 'INSERT INTO b'", {"a"}),
        ('SELECT * FROM "auth_group" FOR UPDATE', set()),
        ("select 'DELETE FROM auth_group'", set()),
        ("SAVEPOINT x", set()),
        ("RELEASE SAVEPOINT x", set()),
        ("PRAGMA foreign_keys = ON", set()),
        ("SET LOCAL synchronous_commit = on", set()),
        ('TRUNCATE "auth_group"', None),
        ('ALTER TABLE "auth_group" ADD x', None),
        ("DROP TABLE auth_group", None),
        ("COPY auth_group FROM STDIN", None),
        ("DO $$ BEGIN DELETE FROM auth_group; END $$", None),
        ("CALL renumber()", None),
        ("/* of a page */ UPDATE auth_group SET name = 1", None),
        ("-- of a page\nDELETE FROM auth_group", None),
    ],
)
def test_tables_of_a_statement(sql: str, tables: set[str] | None) -> None:
    assert tables_written(sql) == tables


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is told of groups (g) and attempts (a), in order."""
    heard: list[str] = []
    monkeypatch.setattr(table_writes, "_wanted", {})
    table_writes.call_after_writes([GROUPS], lambda: heard.append("g"))
    table_writes.call_after_writes([Attempt._meta.db_table], lambda: heard.append("a"))
    return heard


@pytest.mark.django_db(transaction=True)
class TestTelling:
    def test_each_way_to_write(self, told: list[str]) -> None:
        group = Group.objects.create(name="one")
        Group.objects.filter(pk=group.pk).update(name="two")
        Group.objects.bulk_create([Group(name="three")])
        Group.objects.bulk_update([group], ["name"])
        with connection.cursor() as cursor:
            cursor.execute("UPDATE auth_group SET name = name")
            cursor.executemany("INSERT INTO auth_group (name) VALUES (%s)", [["four"], ["five"]])
        assert told == ["g"] * 6
        Group.objects.all().delete()
        assert set(told[6:]) == {"g"}

    def test_reading_tells_nothing(self, told: list[str]) -> None:
        list(Group.objects.all())
        with transaction.atomic():
            list(Group.objects.select_for_update())
        assert told == []

    def test_a_table_that_nobody_wants_is_not_told(self, told: list[str]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_session")
        assert told == []

    def test_what_may_write_anything_tells_everybody(self, told: list[str]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE told_of (id int)")
            cursor.execute("DROP TABLE told_of")
        assert sorted(told) == ["a", "g"]

    def test_a_transaction_tells_once_when_it_has_committed(self, told: list[str]) -> None:
        with transaction.atomic():
            for name in "abc":
                Group.objects.create(name=name)
            assert told == []
            assert len(connection.run_on_commit) == 1
        assert told == ["g"]

    def test_what_is_rolled_back_is_not_told(self, told: list[str]) -> None:
        self._fail_after_writing("a")
        assert told == []

    def test_a_savepoint_that_is_rolled_back_takes_only_its_own_along(
        self, told: list[str]
    ) -> None:
        with transaction.atomic():
            self._fail_after_writing("a")
            table_writes.note(Attempt)
        assert told == ["a"]
        with transaction.atomic():
            Group.objects.create(name="b")
            self._fail_after_writing("c")
        assert told == ["a", "g"]

    def _fail_after_writing(self, name: str) -> None:
        with suppress(ZeroDivisionError), transaction.atomic():
            Group.objects.create(name=name)
            raise ZeroDivisionError

    def test_a_statement_that_fails_is_not_told(self, told: list[str]) -> None:
        Group.objects.create(name="a")
        with pytest.raises(Exception, match=r"(?i)unique"):
            Group.objects.create(name="a")
        assert told == ["g"]

    def test_a_callback_that_fails_harms_neither_the_write_nor_the_others(
        self, told: list[str]
    ) -> None:
        def fail() -> None:
            raise OSError

        table_writes.call_after_writes([Attempt._meta.db_table], fail)
        with transaction.atomic():
            table_writes.note(Attempt)
            transaction.on_commit(lambda: told.append("later"))
        assert told == ["a", "later"]

    def test_a_block_with_a_wrapper_of_its_own_leaves_ours_alone(self, told: list[str]) -> None:
        connection.close()

        def passes(execute, sql, params, many, context):
            return execute(sql, params, many, context)

        with connection.execute_wrapper(passes):
            Group.objects.create(name="a")  # the connection is opened in here
        Group.objects.create(name="b")
        assert told == ["g", "g"]
