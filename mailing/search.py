"""Finding clients by parts of a name, an address or a number, in an index of its own.

SQLite: a full-text table of three-character pieces (FTS5, `trigram`) without a content of its own,
filled by triggers, so that raw statements and imports are in it. Its row ids are the owner's id and
the client's in one number: the rows of an owner lie together, a search goes through these alone,
and comes out newest first without sorting. PostgreSQL: a GIN index of pg_trgm over owner and text.

Every word of a search must be found. One of one or two letters is looked for at the beginnings of
the address, the names and the number: two blanks stand before each, so these make three characters.
"""

# ruff: noqa: S608 - statements of constants; what is searched is always a parameter

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import connections, router
from django.db.models import F, Func, TextField

from accounts.matching import words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper

_COLUMNS = ("email", "first_name", "middle_name", "last_name", "phone")
_CLIENT_BITS = 40
_WORDS = "mailing_client_words"
_TRIGGERS = ("insert", "update", "delete")


def matching_clients(clients: Any, text: str, owner_id: int | None) -> Any:
    """Narrow a queryset of clients to those with all words of `text`.

    `owner_id` is whose clients `clients` holds, None if they are of several owners.
    """
    words = words_of(text)
    if not words:
        return clients
    if connections[clients.db].vendor == "postgresql":
        return _matching_on_postgresql(clients, words)
    return _matching_on_sqlite(clients, words, owner_id)


def newest_first(clients: Any) -> Any:
    """Return the matches in the order that the index gives without sorting, owner by owner."""
    if connections[clients.db].vendor == "postgresql" or _WORDS not in clients.query.extra_tables:
        return clients.order_by("-owner_id", "-pk")
    return clients.order_by().extra(order_by=[f"-{_WORDS}.rowid"])


# --- PostgreSQL -----------------------------------------------------------------------------------


def _matching_on_postgresql(clients: Any, words: list[str]) -> Any:
    # As text and in this very form, or the index, which is built over it, is not taken.
    searched = Func(
        *(F(column) for column in _COLUMNS),
        template="('  ' || %(expressions)s)",
        arg_joiner=" || '  ' || ",
        output_field=TextField(),
    )
    clients = clients.alias(searched=searched)
    for word in words:
        clients = clients.filter(searched__icontains=_with_blanks(word))
    return clients


def _with_blanks(word: str) -> str:
    return word if len(word) > 2 else f"  {word}"


_POSTGRESQL_TEXT = " || '  ' || ".join(_COLUMNS)


# --- SQLite ---------------------------------------------------------------------------------------


def _matching_on_sqlite(clients: Any, words: list[str], owner_id: int | None) -> Any:
    phrases = (_with_blanks(word).replace('"', '""') for word in words)
    where = [
        f"{_WORDS} MATCH %s",
        f"mailing_client.id = ({_WORDS}.rowid & {(1 << _CLIENT_BITS) - 1})",
    ]
    params: list[Any] = [" AND ".join(f'"{phrase}"' for phrase in phrases)]
    if owner_id is not None:
        where.append(f"{_WORDS}.rowid BETWEEN %s AND %s")
        params += [owner_id << _CLIENT_BITS, ((owner_id + 1) << _CLIENT_BITS) - 1]
    # The ORM has no join on an expression; all of this is constant, what is searched a parameter.
    return clients.extra(tables=[_WORDS], where=where, params=params)  # noqa: S610


def _sqlite_text(row: str) -> str:
    return " || ".join(f"'  ' || {row}.{column}" for column in _COLUMNS)


def _sqlite_id(row: str) -> str:
    return f"({row}.owner_id << {_CLIENT_BITS}) | {row}.id"


def _sqlite_triggers() -> dict[str, str]:
    new = f"""INSERT INTO {_WORDS} (rowid, words)
              VALUES ({_sqlite_id("new")}, {_sqlite_text("new")});"""
    old = f"""INSERT INTO {_WORDS} ({_WORDS}, rowid, words)
              VALUES ('delete', {_sqlite_id("old")}, {_sqlite_text("old")});"""
    columns = ", ".join(("id", "owner_id", *_COLUMNS))
    return {
        "insert": f"AFTER INSERT ON mailing_client BEGIN {new} END",
        "delete": f"AFTER DELETE ON mailing_client BEGIN {old} END",
        "update": f"AFTER UPDATE OF {columns} ON mailing_client BEGIN {old} {new} END",
    }


# --- Making the index -----------------------------------------------------------------------------


def before_migrate(using: str, plan: Sequence[tuple[Any, bool]], **_kwargs: Any) -> None:
    """Take the triggers away on SQLite: no column that one names could be removed."""
    connection = connections[using]
    if connection.vendor == "sqlite" and any(step.app_label == "mailing" for step, _back in plan):
        with connection.cursor() as cursor:
            for event in _TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {_WORDS}_{event}")


def after_migrate(using: str, **_kwargs: Any) -> None:
    """Make the index wherever the table of clients is."""
    if router.allow_migrate(using, "mailing", model_name="client"):
        ensure_index(connections[using])


def ensure_index(connection: BaseDatabaseWrapper) -> None:
    """Make what is missing of the index. Idempotent; called after each migrate.

    Not a migration: on SQLite a later change of the table makes it anew, without its triggers, and
    nobody would know.
    """
    columns = {f.column for f in apps.get_model("mailing", "Client")._meta.concrete_fields}
    with connection.cursor() as cursor:
        if "mailing_client" not in connection.introspection.table_names(cursor):
            return
        there = connection.introspection.get_table_description(cursor, "mailing_client")
        if not columns <= {column.name for column in there}:
            return  # migrated to an earlier state
        if connection.vendor == "postgresql":
            _ensure_on_postgresql(cursor)
        elif connection.vendor == "sqlite":
            _ensure_on_sqlite(cursor)


def _ensure_on_postgresql(cursor: Any) -> None:
    for extension in ("pg_trgm", "btree_gin"):
        cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    cursor.execute(
        f"""
        CREATE INDEX IF NOT EXISTS mailing_client_words ON mailing_client
         USING gin (owner_id, upper(('  ' || {_POSTGRESQL_TEXT})) gin_trgm_ops)
        """
    )


def _ensure_on_sqlite(cursor: Any) -> None:
    names = [f"{_WORDS}_{event}" for event in _TRIGGERS]
    cursor.execute(
        "SELECT count(*) FROM sqlite_master WHERE name IN (%s, %s, %s, %s)", [_WORDS, *names]
    )
    if cursor.fetchone()[0] == len(names) + 1:
        return
    cursor.execute(
        f"""
        CREATE VIRTUAL TABLE IF NOT EXISTS {_WORDS}
         USING fts5(words, content='', tokenize='trigram')
        """
    )
    for event, body in _sqlite_triggers().items():
        cursor.execute(f"DROP TRIGGER IF EXISTS {_WORDS}_{event}")
        cursor.execute(f"CREATE TRIGGER {_WORDS}_{event} {body}")
    cursor.execute(f"INSERT INTO {_WORDS} ({_WORDS}) VALUES ('delete-all')")
    cursor.execute(
        f"""
        INSERT INTO {_WORDS} (rowid, words)
        SELECT {_sqlite_id("c")}, {_sqlite_text("c")}
          FROM mailing_client c
         ORDER BY c.owner_id, c.id
        """
    )
