"""How many clients are in lists, and how many would get a letter: bounded, or exactly.

Counting a million members takes longer than a page may. So pages show `sizes`, which count no
further than asked, and fetch `figures` a moment later; those of large lists are a minute old at
most. The form of a mailing asks `reach` while one chooses.
"""

# ruff: noqa: S608 - statements of constants; values are always parameters

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction

from mailing.engine.database import instant, is_postgresql
from mailing.enums import SuppressionReason

RECENT = timedelta(days=30)
LARGE = 100_000
"""Members from which on figures are copies."""
_SMALL = 20_000
_FIGURES_SECONDS = 60

# One look-up for each suppressed address; the bound keeps PostgreSQL from taking this apart and
# going through all clients instead.
_SUPPRESSED = """
    SELECT found.reason, found.client_id
      FROM (SELECT s.reason,
                   (SELECT c.id FROM mailing_client c
                     WHERE c.owner_id = s.owner_id
                       AND c.email_normalized = s.email_normalized) AS client_id
              FROM mailing_suppression s
             WHERE s.owner_id = %s
             LIMIT 1000000000) AS found
     WHERE found.client_id IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one list: its clients, how many of them get letters, how many are new."""

    clients: int
    mailed: int
    recent: int


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a choice of lists and clients reaches.

    `clients` is an upper bound unless `is_exact`: of several large lists nobody waits for how many
    clients are in more than one.
    """

    clients: int
    excluded: Mapping[SuppressionReason, int]
    is_exact: bool = True

    @property
    def mailed(self) -> int:
        return max(self.clients - self.without_letters, 0)

    @property
    def without_letters(self) -> int:
        return sum(self.excluded.values())


def sizes(list_ids: Collection[int], most: int) -> dict[int, int]:
    """Return how many clients each list has; `most` + 1 stands for more than `most`."""
    rows = _fetch(
        f"""
        SELECT l.id,
               (SELECT count(*)
                  FROM (SELECT 1 FROM mailing_clientlist_clients m
                         WHERE m.clientlist_id = l.id LIMIT {int(most) + 1}) AS members)
          FROM mailing_clientlist l
         WHERE l.id IN ({_marks(list_ids)})
        """,
        _some(list_ids),
    )
    return dict(rows)


def figures(list_ids: Collection[int], now: datetime) -> dict[int, Figures]:
    """Return the figures of each list, by as many queries however many lists they are."""
    keys = {f"mailing:list:{list_id}": list_id for list_id in list_ids}
    copies = cache.get_many(keys) if keys else {}
    found = {keys[key]: copy for key, copy in copies.items() if isinstance(copy, Figures)}
    with _not_compiled():
        missing = _count([pk for pk in list_ids if pk not in found], now)
    for list_id, counted in missing.items():
        found[list_id] = counted
        if counted.clients >= LARGE:
            cache.set(f"mailing:list:{list_id}", counted, _FIGURES_SECONDS)
    return found


def figures_of_small(list_ids: Collection[int], now: datetime) -> dict[int, Figures]:
    """Return the figures of lists that have few clients each, going through all of these.

    Each is looked up: joined, PostgreSQL goes through all clients of all owners instead.
    """
    rows = _fetch(
        f"""
        SELECT found.clientlist_id, count(*),
               sum(CASE WHEN found.state >= 2 THEN 1 ELSE 0 END), sum(found.state %% 2)
          FROM (SELECT m.clientlist_id,
                       (SELECT CASE WHEN s.id IS NULL THEN 0 ELSE 2 END
                             + CASE WHEN c.created_at >= %s THEN 1 ELSE 0 END
                          FROM mailing_client c
                          LEFT JOIN mailing_suppression s
                            ON s.owner_id = c.owner_id
                           AND s.email_normalized = c.email_normalized
                         WHERE c.id = m.client_id) AS state
                  FROM mailing_clientlist_clients m
                 WHERE m.clientlist_id IN ({_marks(list_ids)})
                 LIMIT 1000000000) AS found
         GROUP BY found.clientlist_id
        """,
        [instant(now - RECENT), *_some(list_ids)],
    )
    found = {pk: Figures(n, n - suppressed, recent) for pk, n, suppressed, recent in rows}
    return {pk: found.get(pk, Figures(0, 0, 0)) for pk in list_ids}


def reach(owner_id: int, list_ids: Collection[int], client_ids: Collection[int]) -> Reach:
    """Return whom these lists and single clients of an owner reach."""
    members = sum(sizes(list_ids, LARGE).values()) + len(client_ids)
    if members > LARGE and len(list_ids) > 1:
        return _copied(owner_id, list_ids, client_ids, is_exact=False)
    return _exactly(owner_id, list_ids, client_ids, members)


def exactly(owner_id: int, list_ids: Collection[int], client_ids: Collection[int]) -> Reach:
    """Return the same, however long it takes to find who is in several large lists."""
    members = sum(sizes(list_ids, _SMALL).values()) + len(client_ids)
    return _exactly(owner_id, list_ids, client_ids, members)


def _exactly(
    owner_id: int, list_ids: Collection[int], client_ids: Collection[int], members: int
) -> Reach:
    if not members:
        return Reach(0, {})
    if members <= _SMALL:
        return _reach_by_members(owner_id, list_ids, client_ids)
    return _copied(owner_id, list_ids, client_ids, is_exact=True)


def _copied(
    owner_id: int, list_ids: Collection[int], client_ids: Collection[int], *, is_exact: bool
) -> Reach:
    """Return what was counted within the last minute, or count."""
    choice = f"{is_exact} {sorted(list_ids)} {sorted(client_ids)}".encode()
    key = f"mailing:reach:{owner_id}:{hashlib.sha256(choice).hexdigest()}"
    copy = cache.get(key)
    if isinstance(copy, Reach):
        return copy
    count = _distinct if is_exact else _together
    with _not_compiled():
        found = Reach(
            clients=count(list_ids, client_ids),
            excluded=_excluded(owner_id, list_ids, client_ids),
            is_exact=is_exact,
        )
    cache.set(key, found, _FIGURES_SECONDS)
    return found


def _reach_by_members(
    owner_id: int, list_ids: Collection[int], client_ids: Collection[int]
) -> Reach:
    rows = _fetch(
        f"""
        SELECT s.reason, count(*)
          FROM ({_union(list_ids, client_ids)}) AS chosen
          JOIN mailing_client c ON c.id = chosen.client_id
          LEFT JOIN mailing_suppression s
            ON s.owner_id = c.owner_id AND s.email_normalized = c.email_normalized
         WHERE c.owner_id = %s
         GROUP BY s.reason
        """,
        [*_some(list_ids), *_some(client_ids), owner_id],
    )
    excluded = {SuppressionReason(reason): n for reason, n in rows if reason is not None}
    return Reach(sum(n for _reason, n in rows), excluded)


def _distinct(list_ids: Collection[int], client_ids: Collection[int]) -> int:
    if len(list_ids) == 1:
        # Who is in the list already is not counted among the single clients.
        outside = _fetch(
            f"""
            SELECT count(*) FROM mailing_client c
             WHERE c.id IN ({_marks(client_ids)})
               AND NOT EXISTS (SELECT 1 FROM mailing_clientlist_clients m
                                WHERE m.client_id = c.id
                                  AND m.clientlist_id IN ({_marks(list_ids)}))
            """,
            [*_some(client_ids), *_some(list_ids)],
        )
        return _together(list_ids, ()) + int(outside[0][0])
    rows = _fetch(
        f"SELECT count(*) FROM ({_union(list_ids, client_ids)}) AS chosen",
        [*_some(list_ids), *_some(client_ids)],
    )
    return int(rows[0][0])


def _together(list_ids: Collection[int], client_ids: Collection[int]) -> int:
    rows = _fetch(
        "SELECT count(*) FROM mailing_clientlist_clients"
        f" WHERE clientlist_id IN ({_marks(list_ids)})",
        _some(list_ids),
    )
    return int(rows[0][0]) + len(client_ids)


def _excluded(
    owner_id: int, list_ids: Collection[int], client_ids: Collection[int]
) -> dict[SuppressionReason, int]:
    rows = _fetch(
        f"""
        SELECT reason, count(*)
          FROM ({_SUPPRESSED}) AS suppressed
         WHERE (SELECT 1 FROM mailing_clientlist_clients m
                 WHERE m.client_id = suppressed.client_id
                   AND m.clientlist_id IN ({_marks(list_ids)}) LIMIT 1) = 1
            OR client_id IN ({_marks(client_ids)})
         GROUP BY reason
        """,
        [owner_id, *_some(list_ids), *_some(client_ids)],
    )
    return {SuppressionReason(reason): n for reason, n in rows}


def _count(list_ids: Collection[int], now: datetime) -> dict[int, Figures]:
    """Count large lists: members in their index, the others from the side of the fewer."""
    ids = _some(list_ids)
    clients = dict(
        _fetch(
            "SELECT clientlist_id, count(*) FROM mailing_clientlist_clients"
            f" WHERE clientlist_id IN ({_marks(list_ids)}) GROUP BY clientlist_id",
            ids,
        )
    )
    suppressed: Counter[int] = Counter()
    for (owner_id,) in _fetch(
        f"SELECT DISTINCT owner_id FROM mailing_clientlist WHERE id IN ({_marks(list_ids)})", ids
    ):
        suppressed.update(
            dict(
                _fetch(
                    f"""
                    SELECT m.clientlist_id, count(*)
                      FROM ({_SUPPRESSED}) AS suppressed
                     CROSS JOIN mailing_clientlist_clients m
                     WHERE m.client_id = suppressed.client_id
                       AND m.clientlist_id IN ({_marks(list_ids)})
                     GROUP BY m.clientlist_id
                    """,
                    [owner_id, *ids],
                )
            )
        )
    # Ids grow with time: the last old client of the owner parts the new ones from the rest.
    recent = dict(
        _fetch(
            f"""
            SELECT m.clientlist_id, count(*)
              FROM mailing_clientlist l
              JOIN mailing_clientlist_clients m ON m.clientlist_id = l.id
             WHERE l.id IN ({_marks(list_ids)})
               AND m.client_id > coalesce(
                     (SELECT c.id FROM mailing_client c
                       WHERE c.owner_id = l.owner_id AND c.created_at < %s
                       ORDER BY c.id DESC LIMIT 1), 0)
             GROUP BY m.clientlist_id
            """,
            [*ids, instant(now - RECENT)],
        )
    )
    return {
        pk: Figures(n := clients.get(pk, 0), n - suppressed[pk], recent.get(pk, 0))
        for pk in list_ids
    }


def _union(list_ids: Collection[int], client_ids: Collection[int]) -> str:
    return f"""SELECT client_id FROM mailing_clientlist_clients
                WHERE clientlist_id IN ({_marks(list_ids)})
                UNION
               SELECT id FROM mailing_client WHERE id IN ({_marks(client_ids)})"""


def _some(ids: Collection[int]) -> list[int]:
    """Return the ids, or one that no row has: an IN may not be empty."""
    return list(ids) or [0]


def _marks(ids: Collection[int]) -> str:
    return ", ".join(["%s"] * max(len(ids), 1))


@contextmanager
def _not_compiled() -> Iterator[None]:
    """Keep PostgreSQL from compiling statements, which takes longer than these run."""
    if not is_postgresql():
        yield
        return
    with transaction.atomic():
        _run("SET LOCAL jit = off")
        yield


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _fetch(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
