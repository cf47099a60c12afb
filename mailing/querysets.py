"""Which rows, and whose."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.apps import apps
from django.db import connections, models
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    Func,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    Sum,
    When,
)

from accounts.matching import containing
from mailing import search
from mailing.enums import (
    ACTIVE_MAILINGS,
    OPEN_DELIVERIES,
    OPEN_RUNS,
    ImportState,
    MonthDay,
    RunStatus,
    SuppressionReason,
    Unit,
)
from mailing.permissions import sees_every_owner

if TYPE_CHECKING:
    from mailing.permissions import Person
    from mailing.span import Span


_LONGEST_NUMBER = 18


def is_number_of_a_row(text: str) -> bool:
    """Return whether `text` can be asked for as an id: both databases refuse longer numbers."""
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER


def in_window(now: datetime, run: str = "") -> Q:
    """Return the condition under which the letters of a run may leave; `run` leads to the run."""
    open_now = {f"{run}sends_from__lte": now, f"{run}sends_until__gt": now}
    return Q(**{f"{run}sends_from": None}) | Q(**open_now)


class OwnedQuerySet(models.QuerySet[Any]):
    """The owner rule as a query. `owner_path` leads from the model to its owner."""

    owner_path: ClassVar[str] = "owner"
    searched: ClassVar[tuple[str, ...]] = ()
    """The columns that `search` looks at."""

    def owned_by(self, user: Person) -> Self:
        return self.filter(**{self.owner_path: user})

    def visible_to(self, user: Person) -> Self:
        """Return what `user` may see: everything for managers, one's own for all others."""
        if not user.is_active:
            return self.none()
        return self.all() if sees_every_owner(user) else self.owned_by(user)

    def search(self, text: str, *, user: Person) -> Self:
        """Narrow to the rows with every word of `text`; `user` is whose eyes they are for.

        Has no say in who sees what: that is `visible_to`.
        """
        found: Self = containing(self, text, *self.searched)
        return found


CLIENT_STATUSES = ("active", "suppressed")
"""Whether a client gets letters; the reasons for `suppressed` narrow further."""


class ClientQuerySet(OwnedQuerySet):
    def search(self, text: str, *, user: Person) -> Self:
        owner_id = None if sees_every_owner(user) else user.pk
        found: Self = search.matching_clients(self, text, owner_id)
        return found

    def search_own(self, text: str, *, user: Person) -> Self:
        """Do the same among the person's own clients only, which is quicker for a manager."""
        own: Self = search.matching_clients(self.owned_by(user), text, user.pk)
        return own

    def with_suppression(self) -> Self:
        """Annotate `suppressed`: whether the owner must not mail this address."""
        suppressions = apps.get_model("mailing", "Suppression")._default_manager
        return self.annotate(
            suppressed=Exists(
                suppressions.filter(
                    owner=OuterRef("owner"), email_normalized=OuterRef("email_normalized")
                )
            )
        )

    def with_status(self, status: str) -> Self:
        """Narrow by one of `CLIENT_STATUSES` or a reason for suppression; by another to nobody."""
        rows = apps.get_model("mailing", "Suppression")._default_manager.order_by()
        if status in SuppressionReason.values:
            rows = rows.filter(reason=status)
        elif status not in CLIENT_STATUSES:
            return self.none()
        if status != "active" and _are_few(rows):
            return self._suppressed(status)
        same = rows.filter(owner=OuterRef("owner"), email_normalized=OuterRef("email_normalized"))
        return self.filter(~Exists(same) if status == "active" else Exists(same))

    def _suppressed(self, status: str) -> Self:
        # A join over two columns that are no key, which the ORM has not; both are unique together,
        # so no client is found twice. An IN makes SQLite look at each client.
        where = [
            "mailing_suppression.owner_id = mailing_client.owner_id",
            "mailing_suppression.email_normalized = mailing_client.email_normalized",
        ]
        params = []
        if status != "suppressed":
            where, params = [*where, "mailing_suppression.reason = %s"], [status]
        found: Self = self.extra(  # type: ignore[assignment] # noqa: S610
            tables=["mailing_suppression"], where=where, params=params
        )
        return found

    def in_list(self, list_id: int) -> Self:
        memberships = apps.get_model("mailing", "ClientList").clients.through.objects
        return self._among(memberships.filter(clientlist=list_id))

    def tagged(self, tag_id: int) -> Self:
        marks = apps.get_model("mailing", "Client").tags.through.objects
        return self._among(marks.filter(clienttag=tag_id))

    def _among(self, rows: models.QuerySet[Any]) -> Self:
        # Ids that are named leave no database a choice; both look-ups are made each time, so that
        # a list costs the same number of queries whatever its size.
        first = list(rows.values_list("client", flat=True)[: _VERY_FEW + 1])
        few = _are_few(rows)
        if len(first) <= _VERY_FEW:
            return self.filter(pk__in=first)
        if few:
            return self.filter(pk__in=rows.values("client"))
        return self.filter(Exists(rows.filter(client=OuterRef("pk"))))


_VERY_FEW, _FEW = 500, 50_000


def _are_few(rows: models.QuerySet[Any]) -> bool:
    """Return whether a filter had better begin with these rows than look for each client's.

    The databases do not see that: SQLite never begins with what is asked by EXISTS, and begins with
    what is asked by IN however much it is.
    """
    return rows[: _FEW + 1].count() <= _FEW


class ClientListQuerySet(OwnedQuerySet):
    searched = ("name", "description")

    def with_mailings(self) -> Self:
        """Annotate `mailings_count`: how many mailings go to the list."""
        mailings = Q(mailings__isnull=False, mailings__deleted_at=None)
        return self.annotate(mailings_count=Count("mailings", filter=mailings))


class ClientTagQuerySet(OwnedQuerySet):
    searched = ("name",)


class ClientImportQuerySet(OwnedQuerySet):
    searched = ("name",)

    def unfinished(self) -> Self:
        return self.filter(state__in=(ImportState.DRAFT, ImportState.RUNNING))

    def waiting(self, now: datetime) -> Self:
        """Return those that somebody should go on with: nobody does, or has not for long."""
        nobody = Q(lease_token=None) | Q(lease_until__lte=now)
        return self.filter(nobody, state=ImportState.RUNNING, owner__is_active=True)


class DatePeriodQuerySet(models.QuerySet[Any]):
    def shortest_first(self) -> Self:
        """Order by unit, as `Unit` lists them, then by number and day of the month."""
        return self.order_by(_rank("unit", Unit), "count", _rank("month_day", MonthDay))


def _rank(field: str, choices: type[models.TextChoices]) -> Case:
    return Case(*(When(**{field: value}, then=n) for n, value in enumerate(choices.values)))


class MessageQuerySet(OwnedQuerySet):
    searched = ("subject", "preheader")


class MailingQuerySet(OwnedQuerySet):
    searched = ("name", "message__subject")

    def kept(self) -> Self:
        """Leave out what its owner has deleted; the rows stay for the history."""
        return self.filter(deleted_at=None)

    def visible_to(self, user: Person) -> Self:
        return self.of_visible_owners(user).kept()

    def of_visible_owners(self, user: Person) -> Self:
        """Return the same with what is deleted, for what is left of it in the history."""
        return super().visible_to(user)

    def active(self) -> Self:
        return self.kept().filter(status__in=ACTIVE_MAILINGS)

    def due(self, now: datetime) -> Self:
        return self.active().filter(next_due_at__lte=now).order_by("next_due_at", "pk")

    def with_latest_run(self) -> Self:
        """Annotate `latest_run_id`: the run whose date is the last."""
        runs = apps.get_model("mailing", "Run")._default_manager
        latest = runs.filter(mailing=OuterRef("pk")).order_by("-due_at", "-pk").values("pk")[:1]
        return self.annotate(latest_run_id=Subquery(latest))


class RunQuerySet(OwnedQuerySet):
    owner_path = "mailing__owner"

    def unfinished(self) -> Self:
        return self.filter(status__in=OPEN_RUNS)

    def may_send(self, now: datetime) -> Self:
        """Leave out runs that wait for the hours of their mailing."""
        return self.filter(in_window(now))


class BatchQuerySet(models.QuerySet[Any]):
    def waiting(self, now: datetime) -> Self:
        """Return the batches that a sender may lease now."""
        return self.filter(
            done=False,
            due_at__lte=now,
            lease_token=None,
            run__status=RunStatus.SENDING,
            run__mailing__owner__is_active=True,
        ).filter(in_window(now, run="run__"))


def _hourly_counts(user: Person) -> Any:
    return apps.get_model("mailing", "HourlyCount")._default_manager.visible_to(user)


CLIENTS_WITH_LETTERS = 500
"""Of how many clients that a search finds the letters are shown."""


def _found_clients(text: str, user: Person) -> list[int]:
    clients = apps.get_model("mailing", "Client")._default_manager.visible_to(user)
    found = search.newest_first(clients.search(text, user=user))
    return list(found.values_list("pk", flat=True)[:CLIENTS_WITH_LETTERS])


def _letters_of(text: str, user: Person) -> Any:
    """Return the keys of the letters to the clients that are found, and to the very address.

    There is no index on the addresses of letters, which sending would have to keep: the index of
    clients leads to theirs, and a whole address is looked up in each run, where it is unique.
    """
    letters = apps.get_model("mailing", "Delivery")._default_manager.order_by().values("pk")
    found = letters.filter(client__in=_found_clients(text, user))
    if "@" in text:
        runs = apps.get_model("mailing", "Run")._default_manager.visible_to(user)
        address = text.strip().casefold()
        # Not OR: no database takes an index for each side of one that holds a query.
        in_runs = runs.order_by().values("pk")
        found = found.union(letters.filter(run__in=in_runs, email_normalized=address))
    return found


COMMON_STATES = ("sent", "pending", "suppressed")
"""States of many letters. Those of few have an index of their own (`Delivery.Meta`)."""
_UNSENT = " AND ".join(f"NOT (state = '{state}')" for state in COMMON_STATES)
MANY_LETTERS = 50_000
"""From so many on letters are read newest first until a page is full, instead of being sorted."""


_MANY_RUNS = 10_000


def _without_index(column: str) -> Func:
    """Return an expression for a column of numbers that SQLite takes no index for."""
    return Func(F(column), template="+%(expressions)s", output_field=models.BigIntegerField())


class DeliveryQuerySet(OwnedQuerySet):
    owner_path = "run__mailing__owner"

    def owned_by(self, user: Person) -> Self:
        runs = apps.get_model("mailing", "Run")._default_manager
        return self.of_runs(runs.filter(mailing__owner=user.pk))

    def of_runs(self, runs: Any) -> Self:
        """Return the letters of these runs.

        A database that knows the runs first sorts all their letters to show the newest fifty. That
        is right for few and takes seconds for a million, of which any fifty are found at once.
        """
        runs = runs.order_by()
        letters = runs.aggregate(n=Sum("audience_size"))["n"] or 0
        ids = list(runs.values_list("pk", flat=True)[: _MANY_RUNS + 1])
        if letters < MANY_LETTERS:
            return self.filter(run__in=runs.values("pk") if len(ids) > _MANY_RUNS else ids)
        if len(ids) > _MANY_RUNS:
            return self.filter(Exists(runs.filter(pk=OuterRef("run"))))
        if connections[self.db].vendor == "postgresql":
            # It weighs one way against the other, and cannot where it does not know which runs.
            return self.filter(run__in=ids)
        return self.alias(run_key=_without_index("run_id")).filter(run_key__in=ids)

    def unsent(self) -> Self:
        """Narrow to the letters in none of `COMMON_STATES`.

        SQLite takes a partial index only where its condition stands word for word.
        """
        found: Self = self.extra(where=[_UNSENT])  # type: ignore[assignment] # noqa: S610 - a constant
        return found

    def in_state(self, state: str, *, user: Person, run_id: int | None = None) -> Self:
        """Narrow to the letters in a state; `user` is whose eyes they are for.

        `run_id` is that of the only run whose letters `self` holds, None if there are several.
        """
        found = self.filter(state=state)
        runs = apps.get_model("mailing", "Run")._default_manager
        if state in OPEN_DELIVERIES:
            found = found.of_runs(runs.visible_to(user).unfinished())
        if state in COMMON_STATES:
            return found
        unsent: Any = self.model._default_manager.filter(state=state).order_by().unsent()
        if run_id is not None:
            unsent = unsent.filter(run=run_id)
        elif not sees_every_owner(user):
            own = runs.visible_to(user).order_by()
            unsent = unsent.filter(run__in=list(own.values_list("pk", flat=True)))
        return found.filter(pk__in=unsent.values("pk")) if _are_few(unsent.values("pk")) else found

    def search(self, text: str, *, user: Person) -> Self:
        return self.filter(pk__in=_letters_of(text, user)) if text.strip() else self

    def count_by_state(self) -> dict[str, int]:
        """Return how many deliveries are in each stored state; states without any are left out."""
        rows = self.order_by().values_list("state").annotate(n=Count("pk"))
        return dict(rows)


class AttemptQuerySet(OwnedQuerySet):
    """Read by the key, newest first: it grows in the order of time, give or take a run.

    There is no index on time or mailing, which sending would have to keep. The counts know between
    which keys the attempts of an hour and a mailing lie, and the columns say which these are.
    """

    def within(self, span: Span, *, user: Person) -> Self:
        """Return the attempts of a span; `user` is whose eyes they are for."""
        counts = _hourly_counts(user).filter(hour__gte=span.hours.start, hour__lt=span.hours.stop)
        return self._between_keys_of(counts).filter(at__gte=span.start, at__lt=span.end)

    def of_mailing(self, mailing_id: int, *, user: Person) -> Self:
        counts = _hourly_counts(user).filter(mailing=mailing_id)
        runs = apps.get_model("mailing", "Run")._default_manager.filter(mailing=mailing_id)
        found = self._between_keys_of(counts)
        if connections[self.db].vendor == "postgresql":
            return found.filter(delivery__run__in=runs.order_by().values("pk"))
        # SQLite would begin with all letters of the runs, and sort their attempts.
        run_key = _without_index("delivery__run_id")
        return found.alias(run_key=run_key).filter(run_key__in=runs.order_by().values("pk"))

    def refused(self) -> Self:
        """Return those that were not accepted: few, with indexes of their own."""
        return self.filter(cause__isnull=False)

    def _between_keys_of(self, counts: Any) -> Self:
        keys = counts.aggregate(first=Min("first_id"), last=Max("last_id"))
        if keys["first"] is None:
            return self.none()
        return self.filter(pk__gte=keys["first"], pk__lte=keys["last"])

    def search(self, text: str, *, user: Person) -> Self:
        if not text.strip():
            return self
        return self.filter(delivery__in=_letters_of(text, user))
