"""How fast the screens of the admin answer beside millions of rows.

One owner has a million clients and five million attempts, 49 have a thousand clients each; three
more have one client, twenty and ten thousand, to compare the number of queries. Each page is asked
for in this process with an empty cache, so that nothing is measured but what the server does: not
in Django's environment for tests, which copies what each template is given: half the time of some.

    python -m bench.pages                       both databases, written to bench/results/pages.json
    python -m bench.pages sqlite [small]        one, with a thousandth of the rows if small
"""

from __future__ import annotations

import statistics
import sys
import time
from datetime import timedelta
from typing import Any

from bench import installation, report
from bench.report import Row, row

MILLISECONDS = 300
REPEATS = 7
RUNS = 5
SMALL_OWNERS = 49
SIZES = {"one row": 1, "20 rows": 20, "10,000 rows": 10_000}
SEARCHES = ("кузнец", "ЁЛКИНА", "client77", "merrow hugh", "ks")
PORT = 2526  # nobody listens there: no page may need a mail server


class Population:
    """The owners of the benchmark, each with a browser that has signed in."""

    def __init__(self, scale: int) -> None:
        from accounts import roles
        from accounts.models import User
        from bench import population

        started = time.monotonic()
        self.mailings: dict[int, list[Any]] = {}
        self.big = self._owner("big", 1_000_000 // scale)
        self.small = [self._owner(f"small{n}", 1_000) for n in range(SMALL_OWNERS)]
        self.sized = {name: self._owner(name, size) for name, size in SIZES.items()}
        self.manager = User.objects.create_user("manager@service.test", first_name="Mary")
        roles.give(self.manager, roles.MANAGERS)
        self._history()
        population.insert_counts()
        population.analyse()
        print(f"  populated in {time.monotonic() - started:.0f} s", flush=True)

    def _owner(self, name: str, clients: int) -> Any:
        from django.utils import timezone

        from accounts import roles
        from accounts.models import User
        from bench import population
        from mailing.models import ClientList, DatePeriod, Mailing, Message

        owner = User.objects.create_user(
            f"{name.replace(' ', '').replace(',', '')}@service.test", first_name=name
        )
        roles.give(owner, roles.USERS)
        everybody = ClientList.objects.create(owner=owner, name="All")
        population.insert_clients(owner.pk, clients, everybody.pk)
        half = ClientList.objects.create(owner=owner, name="Half")
        population.insert_half(everybody.pk, half.pk)
        population.insert_events(owner.pk, clients // 2 or 1)
        population.insert_suppressions(owner.pk)
        week = DatePeriod.objects.get(unit="week", count=1)
        self.mailings[owner.pk] = []
        for number in range(3):
            message = Message.objects.create(owner=owner, subject=f"Notes {number}", body="[]")
            mailing = Mailing.objects.create(
                owner=owner,
                name=f"Notes {number}",
                message=message,
                period=week,
                starts_at=timezone.now(),
                time_zone="Europe/London",
            )
            mailing.lists.add(everybody)
            self.mailings[owner.pk].append(mailing)
        return owner

    def _history(self) -> None:
        """Let all owners send in turn, so that everybody's rows lie between the others'."""
        from django.utils import timezone

        from bench import population

        first = timezone.now() - timedelta(days=7 * RUNS)
        owners = [self.big, *self.small, *self.sized.values()]
        for number in range(RUNS):
            for minute, owner in enumerate(owners):
                at = first + timedelta(days=7 * number, minutes=minute)
                population.insert_run(self.mailings[owner.pk][number % 3].pk, owner.pk, at)


def browser(user: Any) -> Any:
    from django.test import Client

    found = Client(HTTP_HOST="service.test")
    found.force_login(user)
    return found


def addresses(owner: Any) -> dict[str, str]:
    """Return what both the owner and a manager ask for, by the words that the table has for it."""
    from django.urls import reverse
    from django.utils.http import urlencode

    from mailing.models import Client, ClientList, Delivery, Mailing, Message

    def index(model: str, **query: Any) -> str:
        url = reverse(f"mailing_{model}_modeladmin_index")
        return f"{url}?{urlencode(query)}" if query else url

    def page(model: str, row: Any) -> str:
        return reverse(f"mailing_{model}_modeladmin_inspect", args=[row.pk])

    lists = {
        name.lower(): pk
        for pk, name in ClientList.objects.filter(owner=owner).values_list("pk", "name")
    }
    run = Mailing.objects.filter(owner=owner).last().runs.first()  # type: ignore[union-attr]
    return {
        "home": reverse("wagtailadmin_home"),
        **{
            f"list of {model}": index(model)
            for model in ("client", "clientlist", "message", "mailing", "delivery", "attempt")
        },
        "second page of clients": index("client", p=2),
        "clients without letters": index("client", status="suppressed"),
        **{f"clients in {where}": index("client", list=pk) for where, pk in lists.items()},
        "deliveries of a run that failed": index("delivery", run=run.pk, state="failed"),
        "attempts that failed": index("attempt", outcome="permanent"),
        "attempts of unknown outcome": index("attempt", outcome="unknown"),
        "attempts of a cause": index("attempt", cause=3, period=365),
        "attempts with a code": index("attempt", code=552),
        "attempts of the last week": index("attempt", period=7),
        "attempts of days long ago": index("attempt", period=days_long_ago()),
        "attempts of a mailing": index("attempt", mailing=run.mailing_id),
        "attempts of a mailing that failed": index(
            "attempt", mailing=run.mailing_id, outcome="permanent", period=365
        ),
        "attempts at an address": index("attempt", q="client77@clients.test"),
        "the last page of attempts": index("attempt", p=200),
        "attempts of an owner": index("attempt", owner=owner.pk),
        "deliveries of a mailing": index("delivery", mailing=run.mailing_id),
        "deliveries in doubt": index("delivery", state="unknown"),
        "deliveries put off": index("delivery", state="deferred"),
        "deliveries at an address": index("delivery", q="client77@clients.test"),
        "attempts at clients with a word": index("attempt", q="кузнец"),
        "the last page of deliveries": index("delivery", p=200),
        "deliveries of an owner": index("delivery", owner=owner.pk),
        **{
            f"statistics of {days} days": f"{reverse('mailing_statistics')}?period={days}"
            for days in (7, 30, 90, 365)
        },
        "statistics of an owner": f"{reverse('mailing_statistics')}?period=90&owner={owner.pk}",
        **{f"clients with {words!r}": index("client", q=words) for words in SEARCHES},
        **{
            f"clients in {where} with a word": index("client", q="кузнец", list=pk)
            for where, pk in lists.items()
        },
        **{
            f"clients in {where} without letters": index("client", list=pk, status="suppressed")
            for where, pk in lists.items()
        },
        "clients with a word without letters": index("client", q="кузнец", status="suppressed"),
        "the last page of clients": index("client", p=200),
        "list of event": reverse("mailing_events_modeladmin_index"),
        "list of import": index("clientimport"),
        "the front page": "/",
        "choose among clients": reverse("mailing_client_choices") + "?q=%D0%BA%D1%83%D0%B7",
        "page of a client": page("client", Client.objects.filter(owner=owner)[0]),
        "page of a list of clients": page("clientlist", ClientList.objects.get(pk=lists["all"])),
        "page of a mailing": page("mailing", Mailing.objects.filter(owner=owner)[0]),
        "page of a message": page("message", Message.objects.filter(owner=owner)[0]),
        "page of a delivery": page("delivery", Delivery.objects.filter(run=run)[0]),
    }


def owners_addresses(owner: Any) -> dict[str, str]:
    """Return what only the owner asks for."""
    from django.urls import reverse

    from mailing.models import Client, ClientList, Mailing, Message

    mailing = Mailing.objects.filter(owner=owner)[0]
    everybody = ClientList.objects.get(owner=owner, name="All")
    bulk = reverse("mailing_client_modeladmin_bulk")
    return {
        "asking before all are tagged": f"{bulk}?do=tag&all=1",
        "asking before all with a word are excluded": f"{bulk}?do=exclude&all=1&q=client77",
        "asking before half are deleted": (
            f"{bulk}?do=delete&all=1&list={ClientList.objects.get(owner=owner, name='Half').pk}"
        ),
        **{
            f"form of a {what}": reverse(
                f"mailing_{model._meta.model_name}_modeladmin_edit",
                args=[model.objects.filter(owner=owner)[0].pk],
            )
            for what, model in (
                ("client", Client),
                ("message", Message),
                ("client list", ClientList),
            )
        },
        "form of a mailing": reverse("mailing_mailing_modeladmin_edit", args=[mailing.pk]),
        "start of a mailing": reverse("mailing_mailing_modeladmin_start", args=[mailing.pk]),
        "whom a choice reaches": (
            f"{reverse('mailing_mailing_modeladmin_reach')}?lists={everybody.pk}"
        ),
    }


def managers_addresses() -> dict[str, str]:
    """Return what only a manager asks for."""
    from django.urls import reverse

    return {"list of user": reverse("wagtailusers_users:index")}


def days_long_ago() -> str:
    """Return the days around the first run as the list takes them."""
    from django.utils import timezone

    first = timezone.localdate() - timedelta(days=7 * RUNS + 1)
    return f"{first}..{first + timedelta(days=2)}"


def forget() -> None:
    """Empty the cache of figures and that of whole pages."""
    from django.core.cache import caches

    for alias in caches:
        caches[alias].clear()


def ask(client: Any, url: str) -> float:
    """Return the milliseconds of one answer with an empty cache."""
    forget()
    started = time.perf_counter()
    response = client.get(url)
    response.getvalue()
    if response.status_code != 200:
        raise RuntimeError(f"{url} answered {response.status_code}")
    return 1000 * (time.perf_counter() - started)


def queries(client: Any, url: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(url)  # what a process learns once, like the kinds of things, is no query of the page
    forget()
    with CaptureQueriesContext(connection) as captured:
        client.get(url)
    return len(captured)


def times(people: Population, database: str) -> list[Row]:
    rows = []
    askers = {
        "owner of a million": (browser(people.big), people.big),
        "owner of a thousand": (browser(people.small[7]), people.small[7]),
        "manager": (browser(people.manager), people.big),
    }
    for who, (client, owner) in askers.items():
        own = managers_addresses() if who == "manager" else owners_addresses(owner)
        for what, url in {**addresses(owner), **own}.items():
            ask(client, url)
            runs = [ask(client, url) for _ in range(REPEATS)]
            print(f"  {who}: {what}: {statistics.median(runs):.0f} ms", flush=True)
            rows.append(row(f"{who}: {what}", runs, "ms", "<=", MILLISECONDS, database))
    return rows


def query_counts(people: Population, database: str) -> list[Row]:
    """The number of queries for lists of one row, of twenty and of ten thousand is the same."""
    found: dict[str, list[int]] = {}
    for owner in people.sized.values():
        client = browser(owner)
        for what, url in addresses(owner).items():
            if what.startswith("list of"):
                found.setdefault(what, []).append(queries(client, url))
    manager = browser(people.manager)
    for what, url in managers_addresses().items():
        # One person, eleven and all 49 of those.
        found[what] = [
            queries(manager, f"{url}?q={words}") for words in ("onerow", "small1", "small")
        ]
    return [
        Row(f"queries more: {what}", max(n) - min(n), "", 0, "==", database, [float(x) for x in n])
        for what, n in found.items()
    ]


def measure(database: str, scale: int) -> list[Row]:
    folder = installation.prepare(database, PORT)
    try:
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        print(f"{database}:", flush=True)
        people = Population(scale)
        return times(people, database) + query_counts(people, database)
    finally:
        from django.db import connections

        connections.close_all()
        installation.remove(folder, database)


if __name__ == "__main__":
    sys.exit(report.measure_both("pages", measure, small=1000))
