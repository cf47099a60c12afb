"""Owners with their clients and a history of sending, made in SQL: a million rows in seconds.

The rows are what the engine would have left: attempts grow in the order of time, runs of all owners
are mixed, some letters need a second attempt, some fail, some addresses are suppressed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

_FIRST_NAMES = "Olga,Ольга,Ivan,Иван,Philippa,Ксения,Hugh,Пётр,Nils,Елизавета,Tamsin,Юрий,Ada"
_LAST_NAMES = "Hale,Ёлкина,Merrow,Соколов,Aker,Щукина,Orrell,Кузнецова,Lindqvist,Абрамов,Yates"
_TWICE, _FAILED, _FULL, _UNKNOWN, _LEFT = 41, 67, 331, 20_011, 33
"""One letter in so many needs a second attempt, fails, meets a full mailbox, …; one client left."""


def run_sql(statement: str, parameters: dict[str, Any] | None = None) -> int:
    """Execute a statement with %(named)s parameters and return how many rows it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def series(count: int) -> str:
    """Return a table `n` with one column `i` from 0 to count - 1."""
    if connection.vendor == "postgresql":
        return f"generate_series(0, {count - 1}) AS n(i)"
    return (
        "(WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL"
        f" SELECT i + 1 FROM s WHERE i < {count - 1}) SELECT i FROM s) AS n"
    )


def insert_clients(owner_id: int, count: int, list_id: int) -> None:
    """Give an owner so many clients, half of them with Russian names, all in one list."""
    address = "'client' || n.i || '@clients.test'"
    run_sql(
        f"""
        INSERT INTO mailing_client (owner_id, email, email_normalized, first_name,
               middle_name, last_name, comment, created_at, updated_at)
        SELECT %(owner)s, {address}, {address}, {_pick(_FIRST_NAMES, "n.i")}, '',
               {_pick(_LAST_NAMES, "n.i / 7")} || ' ' || n.i, '', %(now)s, %(now)s
          FROM {series(count)}
        """,
        {"owner": owner_id, "now": _time(timezone.now() - timedelta(days=100))},
    )
    run_sql(
        "INSERT INTO mailing_clientlist_clients (clientlist_id, client_id)"
        " SELECT %(list)s, id FROM mailing_client WHERE owner_id = %(owner)s",
        {"list": list_id, "owner": owner_id},
    )


def insert_half(list_id: int, half_id: int) -> None:
    """Put every second client of a list into another."""
    run_sql(
        "INSERT INTO mailing_clientlist_clients (clientlist_id, client_id)"
        " SELECT %(half)s, client_id FROM mailing_clientlist_clients"
        " WHERE clientlist_id = %(list)s AND client_id %% 2 = 0",
        {"half": half_id, "list": list_id},
    )


def insert_events(owner_id: int, count: int) -> None:
    """Write so many entries into the event log: clients that the owner has changed."""
    from django.contrib.contenttypes.models import ContentType

    from mailing.models import Client

    no_data, client = ("'{}'::jsonb", "text") if _is_postgresql() else ("'{}'", "TEXT")
    run_sql(
        f"""
        INSERT INTO wagtailcore_modellogentry (content_type_id, object_id, label, action, data,
               timestamp, user_id, content_changed, deleted)
        SELECT %(kind)s, CAST(c.id AS {client}), c.email, 'wagtail.edit', {no_data}, %(now)s,
               %(owner)s, %(yes)s, %(no)s
          FROM mailing_client c WHERE c.owner_id = %(owner)s ORDER BY c.id LIMIT {count}
        """,
        {
            "kind": ContentType.objects.get_for_model(Client).pk,
            "now": _time(timezone.now()),
            "owner": owner_id,
            "yes": True,
            "no": False,
        },
    )


def insert_suppressions(owner_id: int) -> None:
    run_sql(
        f"""
        INSERT INTO mailing_suppression (owner_id, email_normalized, reason, created_at)
        SELECT owner_id, email_normalized, 'unsubscribed', %(now)s
          FROM mailing_client WHERE owner_id = %(owner)s AND id %% {_LEFT} = 0
        """,
        {"owner": owner_id, "now": _time(timezone.now() - timedelta(days=10))},
    )


def insert_run(mailing_id: int, owner_id: int, at: datetime) -> int:
    """Add a completed run to all clients of an owner with its attempts; return its id."""
    from mailing.models import Run

    clients = "SELECT count(*) FROM mailing_client WHERE owner_id = %s"
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(clients, [owner_id])
            audience = cursor.fetchone()[0]
        run = Run.objects.create(
            mailing_id=mailing_id,
            due_at=at,
            status="completed",
            opened_at=at,
            expires_at=at + timedelta(days=2),
            finished_at=at + timedelta(hours=2),
            audience_size=audience,
            subject="Autumn notes",
        )
        names = {"run": run.pk, "owner": owner_id}
        run_sql(
            f"""
            INSERT INTO mailing_delivery (run_id, client_id, email, email_normalized, state,
                   attempts, next_attempt_at, last_code, last_reply)
            SELECT %(run)s, id, email, email_normalized,
                   CASE WHEN id %% {_LEFT} = 0 THEN 'suppressed'
                        WHEN id %% {_FAILED} = 0 OR id %% {_FULL} = 0 THEN 'failed'
                        WHEN id %% {_UNKNOWN} = 0 THEN 'unknown' ELSE 'sent' END,
                   CASE WHEN id %% {_LEFT} = 0 THEN 0 WHEN id %% {_TWICE} = 0 THEN 2 ELSE 1 END,
                   NULL,
                   CASE WHEN id %% {_FAILED} = 0 THEN 550 WHEN id %% {_FULL} = 0 THEN 552
                        ELSE 250 END,
                   CASE WHEN id %% {_FAILED} = 0 THEN 'no such user' ELSE 'queued' END
              FROM mailing_client WHERE owner_id = %(owner)s ORDER BY id
            """,
            names,
        )
        for number in (1, 2):
            _insert_attempts(owner_id, run.pk, number, at + timedelta(minutes=20 * (number - 1)))
    return int(run.pk)


def _insert_attempts(owner_id: int, run_id: int, number: int, at: datetime) -> None:
    """Write the first or second attempts of a run, spread over a quarter of an hour."""
    # The first attempt at a letter that needs two is refused for now.
    outcome = (
        "CASE WHEN d.attempts > %(number)s THEN 'transient' WHEN d.state = 'sent' THEN 'accepted'"
        " WHEN d.state = 'failed' THEN 'permanent' ELSE 'unknown' END"
    )
    code = "CASE WHEN d.attempts > %(number)s THEN 451 ELSE d.last_code END"
    enhanced = (
        "CASE WHEN d.attempts > %(number)s THEN '4.7.1' WHEN d.last_code = 550 THEN '5.1.1'"
        " WHEN d.last_code = 552 THEN '5.2.2' ELSE '2.0.0' END"
    )
    cause = (
        "CASE WHEN d.attempts > %(number)s THEN 6 WHEN d.state = 'sent' THEN NULL"
        " WHEN d.last_code = 550 THEN 1 WHEN d.last_code = 552 THEN 3 ELSE 7 END"
    )
    second = "(d.id %% 900)"
    if connection.vendor == "postgresql":
        moment = f"%(at)s::timestamptz + {second} * interval '1 second'"
    else:
        moment = f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', %(at)s, {second} || ' seconds')"
    run_sql(
        f"""
        INSERT INTO mailing_attempt (owner_id, delivery_id, number, at, outcome, stage, code,
               enhanced, reply, cause)
        SELECT %(owner)s, d.id, %(number)s, {moment}, {outcome}, 'dot', {code}, {enhanced},
               d.last_reply, {cause}
          FROM mailing_delivery d
         WHERE d.run_id = %(run)s AND d.attempts >= %(number)s ORDER BY d.id
        """,
        {"owner": owner_id, "run": run_id, "number": number, "at": _time(at)},
    )


def insert_counts() -> None:
    """Count attempts and clients, as the migration that brought the counts has done."""
    migration = import_module("mailing.migrations.0012_statistics")
    for statement in migration.COUNTS[connection.vendor]:
        with connection.cursor() as cursor:
            cursor.execute(statement)


def analyse() -> None:
    """Tell the database how its tables look, as autovacuum and `PRAGMA optimize` do in time."""
    run_sql("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _is_postgresql() -> bool:
    return bool(connection.vendor == "postgresql")


def _pick(names: str, number: str) -> str:
    """Return an SQL expression for one of some names by a number."""
    words = names.split(",")
    cases = " ".join(f"WHEN {i} THEN '{word}'" for i, word in enumerate(words))
    return f"CASE ({number}) %% {len(words)} {cases} END"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") + (
        "+00" if connection.vendor == "postgresql" else ""
    )
