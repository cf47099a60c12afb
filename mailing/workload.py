"""Counts what people have, for the list of users."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count, Exists, OuterRef, Q

from accounts.models import User
from accounts.workload import Workload
from mailing.enums import ACTIVE_MAILINGS
from mailing.models import Client, Mailing

MOST_COUNTED = 10_000
"""Of one person's clients; counting on would take as long as there are clients."""


def workloads(people: Collection[int]) -> dict[int, Workload]:
    kept = Mailing.objects.kept().filter(owner__in=people).order_by()
    mailings = {
        owner: (number, active)
        for owner, number, active in kept.values_list("owner").annotate(
            number=Count("pk"), active=Count("pk", filter=Q(status__in=ACTIVE_MAILINGS))
        )
    }
    further = Client.objects.filter(owner=OuterRef("pk")).order_by()
    many = set(
        User.objects.filter(Exists(further[MOST_COUNTED : MOST_COUNTED + 1]), pk__in=people)
        .order_by()
        .values_list("pk", flat=True)
    )
    few = Client.objects.filter(owner__in=set(people) - many).order_by()
    clients = dict(few.values_list("owner").annotate(number=Count("pk")))
    return {
        number: Workload(
            *mailings.get(number, (0, 0)),
            clients=MOST_COUNTED if number in many else clients.get(number, 0),
            has_more_clients=number in many,
        )
        for number in people
    }
