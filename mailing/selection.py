"""Which clients somebody looks at: the words of a search, and filters.

It travels as a query string, never as ids: the list reads it from its address, an action on all the
clients that are found keeps it. What it names and nobody may see, or does not exist, finds nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.http import QueryDict
from django.utils.http import urlencode

from mailing.models import ClientImport, ClientList, ClientTag
from mailing.permissions import sees_every_owner
from mailing.querysets import is_number_of_a_row

if TYPE_CHECKING:
    from mailing.permissions import Person

CHOSEN = "chosen"
MOST_CHOSEN = 500
"""A page of the list has fewer."""

_FILTERS = ("owner", "list", "tag", "status", "language", "import")


@dataclass(frozen=True, slots=True)
class Selection:
    """`filters` are pairs of a filter's name and its value; `chosen` narrows to these ids."""

    words: str = ""
    filters: tuple[tuple[str, str], ...] = ()
    chosen: tuple[int, ...] | None = None

    @classmethod
    def read(cls, query: QueryDict) -> Self:
        """Read what a list of clients takes from its address."""
        chosen = None
        if CHOSEN in query:
            numbers = [n for value in query.getlist(CHOSEN) for n in value.split(",")]
            rows = sorted({int(n) for n in numbers if is_number_of_a_row(n)})
            chosen = tuple(rows[:MOST_CHOSEN])
        return cls(
            words=query.get("q", ""),
            filters=tuple((name, str(query[name])) for name in _FILTERS if query.get(name)),
            chosen=chosen,
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls.read(QueryDict(text))

    def __str__(self) -> str:
        pairs = [("q", self.words)] if self.words else []
        pairs += self.filters
        if self.chosen is not None:
            pairs.append((CHOSEN, ",".join(str(number) for number in self.chosen)))
        return urlencode(pairs)

    def of(self, clients: Any, user: Person) -> Any:
        """Narrow clients of `user` alone to those that are meant."""
        if self.chosen is not None:
            clients = clients.filter(pk__in=self.chosen)
        for name, value in self.filters:
            clients = narrowed(clients, name, value, user)
        return clients.search_own(self.words, user=user)


def narrowed(clients: Any, name: str, value: str, user: Person) -> Any:
    """Return what the filter `name` leaves of `clients`."""
    if name == "owner":
        if not sees_every_owner(user):
            return clients  # as the list takes it
        return clients.filter(owner=value) if is_number_of_a_row(value) else clients.none()
    if name == "status":
        return clients.with_status(value)
    if name == "language":
        known = value in dict(settings.LANGUAGES) or value == "none"
        return (
            clients.filter(language="" if value == "none" else value) if known else clients.none()
        )
    if name == "import":
        imports = ClientImport.objects.visible_to(user)
        if not is_number_of_a_row(value) or not imports.filter(pk=value).exists():
            return clients.none()
        return clients.filter(last_import=value)
    groups = (ClientList if name == "list" else ClientTag).objects.visible_to(user)
    if not is_number_of_a_row(value) or not groups.filter(pk=value).exists():
        return clients.none()
    return clients.in_list(int(value)) if name == "list" else clients.tagged(int(value))
