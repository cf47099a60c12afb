"""How much the page cache saves: the same pages with it, without it, and with wagtail-cache.

Each has web servers of its own on one installation, as production has them, and is asked in turn
by wrk; what counts is the ratio in a round. What is missing is fetched into bench/cache/ first.

    python -m bench.cached_pages                 SQLite and files, then PostgreSQL and Redis
    python -m bench.cached_pages sqlite [small]  one of them, with a tenth of the rows if small
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import installation, report
from bench.pages import browser
from bench.report import CACHE, Row, row

WRK = CACHE / "wrk"
WAGTAIL_CACHE = CACHE / "wagtail_cache"
REDIS = "redis://127.0.0.1:6379/8"
PORTS = {"uncached": 8471, "ours": 8472, "wagtail-cache": 8473}
SERVERS: dict[str, dict[str, str]] = {
    "uncached": {"PAGE_CACHE": "off"},
    "ours": {},
    "wagtail-cache": {
        "PAGE_CACHE": "off",
        "DJANGO_SETTINGS_MODULE": "bench.peers.wagtail_cache_settings",
        "PYTHONPATH": str(WAGTAIL_CACHE),
    },
}
HOST = "service.test"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ROUNDS = 3
SECONDS = {"uncached": 6, "ours": 2, "wagtail-cache": 2}
"""Of asking. Slow pages need longer, for wrk leaves out what is under way at the end."""
CONNECTIONS = 8
"""Each carries one request, as from nginx with its defaults. One that is kept stays with the worker
that took it, and often one of two workers had all of them, which halves a rate by chance."""
POSTS, MAILINGS, MESSAGES, CLIENTS = 200, 20, 60, 2_000
PUBLIC_BAR, ADMIN_BAR = 10, 5
PUBLIC_QUERIES, ADMIN_QUERIES = 0, 3


# --- What is needed -------------------------------------------------------------------------------


def set_up() -> None:
    """Fetch wrk and the peer by the ordinary package clients."""
    CACHE.mkdir(exist_ok=True)
    if not shutil.which("wrk") and not (WRK / "usr/bin/wrk").exists():
        folder = CACHE / "wrk.part"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        download = ["apt-get", "download", "-q", "wrk", "libluajit-5.1-2"]
        subprocess.run(download, cwd=folder, check=True, capture_output=True)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, folder], check=True)
            package.unlink()
        folder.rename(WRK)
    if not (WAGTAIL_CACHE / "wagtailcache").exists():
        # By itself: it says that it wants an older Wagtail, but works with this one.
        options = ["-q", "--disable-pip-version-check", "--no-deps", "--target", str(WAGTAIL_CACHE)]
        install = [sys.executable, "-m", "pip", "install", *options, "wagtail-cache==3.0.0"]
        subprocess.run(install, check=True)


def wrk(url: str, seconds: int, headers: dict[str, str]) -> float:
    """Return how many requests a second were answered. Raises if any was not answered well."""
    own = WRK / "usr/bin/wrk"
    command: list[str | Path] = [own if own.exists() else "wrk"]
    command += ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    libraries = ":".join(str(path.parent) for path in WRK.glob("usr/lib/*/libluajit-5.1.so.2"))
    out = subprocess.run(
        [*command, url],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"LD_LIBRARY_PATH": libraries},
    ).stdout
    found = re.search(r"^Requests/sec:\s+([\d.]+)", out, re.MULTILINE)
    if found is None or "Non-2xx" in out or "Socket errors" in out:
        raise RuntimeError(f"{url}:\n{out}")
    return float(found[1])


# --- The installation -----------------------------------------------------------------------------


@dataclass
class Page:
    """A page that is asked for. `cookie` is that of whoever asks; visitors have none."""

    what: str
    path: str
    cookie: str
    bar: float
    queries: int

    @property
    def is_public(self) -> bool:
        return self.bar == PUBLIC_BAR

    def headers(self) -> dict[str, str]:
        asked = {
            "Host": HOST,
            "User-Agent": AGENT,
            "Accept-Language": "en",
            "Connection": "close",
        }
        return asked | ({"Cookie": self.cookie} if self.cookie else {})


def populate(scale: int) -> Any:
    """Make the sample data of the demonstration, a long blog and an owner; return the owner."""
    from django.core.management import call_command

    with Path(os.devnull).open("w") as nowhere:
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("create_users", force=True, verbosity=0, stdout=nowhere)
        call_command("seed", verbosity=0)
    write_posts(POSTS // scale)
    return make_owner(CLIENTS // scale, MESSAGES // scale, MAILINGS // scale)


def write_posts(number: int) -> None:
    """Fill up the blog with copies of the sample posts, each a day older than the one before."""
    from blog.models import BlogIndexPage, BlogPage

    samples = list(BlogPage.objects.public_posts())
    first = min(post.date for post in samples)
    index = BlogIndexPage.objects.get()
    for n in range(number - len(samples)):
        sample = samples[n % len(samples)]
        post = BlogPage(
            title=f"{sample.title} ({n})",
            slug=f"copy-{n}",
            language=sample.language,
            intro=sample.intro,
            image=sample.image,
            body=sample.body,
            author=sample.author,
            owner=sample.owner,
            date=first - timedelta(days=n),
        )
        index.add_child(instance=post)
        post.tags.add(*sample.tags.names())
        post.save()


def make_owner(clients: int, messages: int, mailings: int) -> Any:
    from django.utils import timezone

    from accounts import roles
    from accounts.models import User
    from bench import population
    from mailing.models import ClientList, DatePeriod, Mailing, Message

    owner = User.objects.create_user(f"owner@{HOST}", first_name="Olga", last_name="Hale")
    roles.give(owner, roles.USERS)
    everybody = ClientList.objects.create(owner=owner, name="All")
    population.insert_clients(owner.pk, clients, everybody.pk)
    population.insert_suppressions(owner.pk)
    written = [
        Message.objects.create(owner=owner, subject=f"Notes {n}", body="[]")
        for n in range(messages)
    ]
    now = timezone.now()
    for n in range(mailings):
        mailing = Mailing.objects.create(
            owner=owner,
            name=f"Notes {n}",
            message=written[n],
            period=DatePeriod.objects.get(unit="week", count=1),
            starts_at=now,
            time_zone="Europe/London",
        )
        mailing.lists.add(everybody)
        population.insert_run(mailing.pk, owner.pk, now - timedelta(days=7, hours=n))
    population.insert_counts()
    population.analyse()
    return owner


def pages(owner: Any) -> list[Page]:
    from django.conf import settings
    from django.urls import reverse

    from blog.models import BlogIndexPage, BlogPage
    from mailing.models import Mailing

    session = browser(owner).cookies[settings.SESSION_COOKIE_NAME].value
    cookie = f"{settings.SESSION_COOKIE_NAME}={session}"
    post = BlogPage.objects.public_posts()[0]
    public = {"front page": "/", "blog": BlogIndexPage.objects.get().url, "post": post.url}
    mailing = Mailing.objects.filter(owner=owner)[0]
    admin = {
        f"list of {model}s": reverse(f"mailing_{model}_modeladmin_index")
        for model in ("mailing", "message", "client")
    }
    admin["page of a mailing"] = reverse("mailing_mailing_modeladmin_inspect", args=[mailing.pk])
    return [
        *(Page(what, url, "", PUBLIC_BAR, PUBLIC_QUERIES) for what, url in public.items()),
        *(Page(what, url, cookie, ADMIN_BAR, ADMIN_QUERIES) for what, url in admin.items()),
    ]


@contextmanager
def servers() -> Iterator[None]:
    """Let each run its web servers as the Procfile says."""
    with ExitStack() as stack:
        for name, env in SERVERS.items():
            port = PORTS[name]
            command: list[str | Path] = [
                *(sys.executable, "-m", "gunicorn", "site_project.wsgi"),
                *("--workers=2", "--threads=4", f"--bind=127.0.0.1:{port}", "--log-level=error"),
            ]

            def answers(port: int = port) -> bool:
                asked = urllib.request.Request(
                    f"http://127.0.0.1:{port}/healthz", headers={"Host": HOST}
                )
                try:
                    urllib.request.urlopen(asked, timeout=5).close()
                except OSError:
                    return False
                return True

            stack.enter_context(installation.running(command, answers, **env))
        yield


# --- Measuring ------------------------------------------------------------------------------------


def rates(page: Page, database: str) -> list[Row]:
    names = [name for name in SERVERS if page.is_public or name != "wagtail-cache"]
    measured: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        warm_up(page, name)
    for _ in range(ROUNDS):
        for name in names:
            url = f"http://127.0.0.1:{PORTS[name]}{page.path}"
            measured[name].append(wrk(url, SECONDS[name], page.headers()))
    told = ", ".join(f"{name} {sorted(runs)[1]:,.0f}/s" for name, runs in measured.items())
    print(f"  {page.what}: {told}", flush=True)

    def ratio(one: str, other: str) -> list[float]:
        return [a / b for a, b in zip(measured[one], measured[other], strict=True)]

    rows = [row(f"{page.what}: {n}", measured[n], "1/s", ">=", 0, database) for n in names]
    what = f"{page.what}: ours / uncached"
    rows.append(row(what, ratio("ours", "uncached"), "x", ">=", page.bar, database))
    if page.is_public:
        what = f"{page.what}: ours / wagtail-cache"
        rows.append(row(what, ratio("ours", "wagtail-cache"), "x", ">=", 0, database))
    return rows


def warm_up(page: Page, name: str) -> None:
    """Let both workers see the page, and make sure that the peer does keep it."""
    url = f"http://127.0.0.1:{PORTS[name]}{page.path}"
    wrk(url, 3, page.headers())
    if name == "wagtail-cache":
        asked = urllib.request.Request(url, headers=page.headers())
        with urllib.request.urlopen(asked, timeout=30) as response:
            if response.headers["X-Wagtail-Cache"] != "hit":
                raise RuntimeError(f"{page.path}: {response.headers['X-Wagtail-Cache']}")


def queries_of_a_hit(page: Page, owner: Any, database: str) -> Row:
    """Count the queries of this process, for which the page cache is as warm as for the servers."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    asker = browser(owner) if page.cookie else Client(HTTP_HOST=HOST)
    found = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as captured:
            response = asker.get(page.path, headers={"User-Agent": AGENT})
        if response.status_code != 200:
            raise RuntimeError(f"{page.path} answered {response.status_code}")
        found.append(float(len(captured)))
    what = f"{page.what}: queries of a hit"
    return Row(what, found[-1], "", page.queries, "<=", database, found[-1:])


def measure(database: str, scale: int) -> list[Row]:
    services = {"CACHE_URL": REDIS} if database == "postgresql" else {}
    folder = installation.prepare(database, 2526, STATIC_ROOT="", **services)
    os.environ["STATIC_ROOT"] = str(folder / "static")
    try:
        import django

        django.setup()
        from django.core.cache import caches
        from django.utils import timezone

        from mailing import heartbeat

        for cache in caches.all():
            cache.clear()
        print(f"{database}:", flush=True)
        owner = populate(scale)
        heartbeat.beat(timezone.now() + timedelta(hours=1))  # of a worker that is alive throughout
        asked = pages(owner)
        with servers():
            rows = [one for page in asked for one in rates(page, database)]
        return rows + [queries_of_a_hit(page, owner, database) for page in asked]
    finally:
        from django.db import connections

        connections.close_all()
        installation.remove(folder, database)


if __name__ == "__main__":
    set_up()
    sys.exit(report.measure_both("cached_pages", measure, small=10))
