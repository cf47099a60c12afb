"""How fast letters leave: the whole path through a real cluster, beside those who do less.

    python -m bench.sending            all of it on SQLite, then on PostgreSQL
    python -m bench.sending sqlite     one of them

Peers and ours take turns in one run; a ratio says more than a rate on a machine that others use.
Everything is on loopback. What is missing is fetched into bench/cache/ first.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import installation, report
from bench.report import Row, row

HERE = Path(__file__).parent
CACHE = HERE / "cache"
POSTFIX = CACHE / "postfix"
LETTERS = 20_000
ROUNDS = 5  # single ones differ by a third on a machine that others use
BIG = 1_000_000
KILLS = 20
LETTERS_PER_KILL = 16_000
CONNECTIONS = 4
SMTP_SINK, C_SINK = 2525, 2526


# --- What the peers need --------------------------------------------------------------------------


def set_up() -> None:
    """Fetch the peers by the ordinary package clients; no daemon is started."""
    CACHE.mkdir(exist_ok=True)
    if not (POSTFIX / "usr/sbin/smtp-sink").exists():
        shutil.rmtree(POSTFIX, ignore_errors=True)
        download = ["apt-get", "download", "-q", "postfix"]
        subprocess.run(download, cwd=CACHE, check=True, capture_output=True)
        (package,) = CACHE.glob("postfix_*.deb")
        subprocess.run(["dpkg", "-x", package, POSTFIX], check=True)
        package.unlink()
    if not (CACHE / "sink").exists():
        subprocess.run(["cc", "-O2", "-o", CACHE / "sink", HERE / "sink.c"], check=True)
    if not (CACHE / "node/node_modules/nodemailer").exists():
        (CACHE / "node").mkdir(exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--silent", "nodemailer@10.6.1"]
        subprocess.run(install, cwd=CACHE / "node", check=True, capture_output=True)
    if not (CACHE / "post_office/done").exists():
        subprocess.run([sys.executable, "-m", "venv", CACHE / "post_office"], check=True)
        install = ["-q", "--disable-pip-version-check", "django-post_office==3.12.0"]
        pip = CACHE / "post_office/bin/pip"
        subprocess.run([pip, "install", *install, "Django>=5.2.19,<5.3"], check=True)
        (CACHE / "post_office/done").touch()


def postfix(program: str, *arguments: object) -> list[str | Path]:
    return [POSTFIX / "usr/sbin" / program, *(str(argument) for argument in arguments)]


LIBRARIES = {"LD_LIBRARY_PATH": str(POSTFIX / "usr/lib/postfix")}


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def smtp_sink() -> Any:
    command = postfix("smtp-sink", "-u", "nobody", f"127.0.0.1:{SMTP_SINK}", 512)
    return installation.running(command, lambda: listens(SMTP_SINK), **LIBRARIES)


def c_sink(delay_ms: int = 0, ledger: Path | None = None) -> Any:
    command: list[str | Path] = [CACHE / "sink", str(C_SINK), str(delay_ms)]
    command += [ledger] if ledger else []
    return installation.running(command, lambda: listens(C_SINK))


def write_back() -> None:
    """See that nobody pays for what the one before has left for the disk."""
    os.sync()


def smtp_source(size: int) -> float:
    """Return letters a second of Postfix's load generator: one content, no record of anything."""
    command = postfix(
        "smtp-source",
        *("-s", CONNECTIONS, "-m", LETTERS, "-l", size),
        *("-f", "letters@service.test", "-t", "client@clients.test", f"127.0.0.1:{SMTP_SINK}"),
    )
    write_back()
    started = time.monotonic()
    subprocess.run(command, check=True, env={**os.environ, **LIBRARIES}, timeout=300)
    return LETTERS / (time.monotonic() - started)


def seconds_of(command: list[str | Path], **env: str) -> float:
    write_back()
    result = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=900, env={**os.environ, **env}
    )
    return float(result.stdout.split()[-1])


def nodemailer() -> float:
    script = HERE / "peers/with_nodemailer.js"
    modules = str(CACHE / "node/node_modules")
    arguments = (str(SMTP_SINK), "5", str(LETTERS))
    return LETTERS / seconds_of(["node", script, *arguments], NODE_PATH=modules)


def post_office() -> float:
    python = CACHE / "post_office/bin/python"
    script = HERE / "peers/with_post_office.py"
    env = {"DJANGO_SETTINGS_MODULE": "", "PYTHONPATH": ""}
    return LETTERS / seconds_of([python, script, str(SMTP_SINK), str(LETTERS)], **env)


# --- Ours -----------------------------------------------------------------------------------------


class Ours:
    """One database's installation. Each run has an owner of its own, within the daily limit."""

    def __init__(self, database: str) -> None:
        import django

        django.setup()
        from django.core.management import call_command

        self.database = database
        call_command("migrate", verbosity=0)
        self._owners = 0

    def make_owner(self, clients: int) -> Any:
        """Return a mailing of a new owner to so many clients, half of them with Russian names."""
        from django.utils import timezone

        from accounts.models import User
        from bench import population
        from mailing.models import ClientList, DatePeriod, Mailing, Message

        self._owners += 1
        owner = User.objects.create_user(f"owner{self._owners}@service.test", first_name="Olga")
        message = Message.objects.create(owner=owner, subject="Осенние заметки", body="[]")
        everybody = ClientList.objects.create(owner=owner, name="Everybody")
        population.insert_clients(owner.pk, clients, everybody.pk)
        if self.database == "postgresql":
            population.analyse()
        mailing = Mailing.objects.create(
            owner=owner,
            name="Autumn notes",
            message=message,
            period=DatePeriod.objects.get(unit="week", count=1),
            starts_at=timezone.now(),
            time_zone="Europe/London",
            status="scheduled",
        )
        mailing.lists.add(everybody)
        return mailing

    def open(self, mailing: Any) -> tuple[Any, float]:
        """Open a run with the letter that the peers send too; return it and the seconds it took."""
        import uuid

        from django.utils import timezone

        from mailing.engine import planner

        started = time.monotonic()
        run = planner.open_now(
            mailing, form_key=uuid.uuid4(), now=timezone.now(), freeze=lambda _mailing: content()
        )
        return run, time.monotonic() - started

    def wire_size(self) -> int:
        from mailing import dispatch
        from mailing.engine.letter import Letter, Recipient

        letter = Letter(content(), dispatch.service(), run_id=1, mailing_id=1, mailing_name="x")
        recipient = Recipient(12345, "client12345@clients.test", "Ольга 12345", "", "")
        return len(letter.render(recipient, 1_700_000_000))

    def cluster(self, **env: str) -> Any:
        from django.core.cache import cache
        from django.utils import timezone

        from mailing import heartbeat, tasks

        cache.clear()
        write_back()
        tasks.send_pulse()
        return installation.running(
            installation.cluster_command(), lambda: heartbeat.is_beating(timezone.now()), **env
        )

    def send(self, run: Any, senders: int = 1) -> float:
        """Have the cluster send a run; return letters a second, first lease to last record.

        `cpu` is then what the sender used, if there was one.
        """
        from django.db.models import Min

        from mailing import tasks
        from mailing.models import Batch, Delivery

        for _ in range(senders):
            tasks._enqueue_deliver()
        finished_at = self.wait(run)
        begun = Batch.objects.filter(run=run).aggregate(at=Min("leased_at"))["at"]
        sent = Delivery.objects.filter(run=run, state="sent").count()
        if sent != run.audience_size:
            raise RuntimeError(f"{sent} of {run.audience_size} were sent")
        return float(sent / (finished_at - begun).total_seconds())

    def wait(self, run: Any, seconds: float = 600) -> Any:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            run.refresh_from_db(fields=["status", "finished_at"])
            if run.finished_at is not None:
                return run.finished_at
            time.sleep(0.1)
        raise TimeoutError("the run did not end")


def content() -> Any:
    from mailing.engine.letter import Content

    parts = json.loads((HERE / "peers/letter.json").read_text())
    return Content(
        "Осенние заметки", parts["text"], parts["html"], "Garden school", "owner@service.test"
    )


# --- What is measured -----------------------------------------------------------------------------


def rates(ours: Ours, database: str) -> list[Row]:
    """The same letters by ours and by the peers, in turns."""
    measured: dict[str, list[float]] = {}

    def note(what: str, value: float) -> float:
        measured.setdefault(what, []).append(value)
        print(f"  {what}: {value:,.4g}", flush=True)
        return value

    size = ours.wire_size()
    print(f"  a letter has {size:,} bytes on the wire", flush=True)
    mailings = [ours.make_owner(LETTERS) for _ in range(ROUNDS * (1 + (database != "sqlite")))]
    with smtp_sink():
        for number in range(ROUNDS):
            reference = note("smtp-source, letters/s", smtp_source(size))
            with ours.cluster() as cluster:
                run, _seconds = ours.open(mailings.pop())
                before = installation.cpu_seconds(cluster.pid)
                rate = note("ours, letters/s", ours.send(run))
                cpu = installation.cpu_seconds(cluster.pid) - before
            note("ours / smtp-source", rate / reference)
            note("CPU per letter, ms", 1000 * cpu / LETTERS)
            if database == "sqlite":
                note("ours / nodemailer", rate / note("nodemailer, letters/s", nodemailer()))
                note("ours / post_office", rate / note("post_office, letters/s", post_office()))
            else:
                with ours.cluster(Q_WORKERS="3"):
                    run, _seconds = ours.open(mailings.pop())
                    two = note("ours with two workers, letters/s", ours.send(run, senders=2))
                note("ours with two workers / smtp-source", two / reference)
            print(f"  round {number + 1} of {ROUNDS}", flush=True)
    bars = {
        "ours / smtp-source": (">=", 1.0 if database == "sqlite" else 0.6),
        "ours with two workers / smtp-source": (">=", 0.9),
        "ours / nodemailer": (">=", 12),
        "ours / post_office": (">=", 20),
        "CPU per letter, ms": ("<=", 0.08),
    }
    rows = []
    for what, runs in measured.items():
        unit = "ms" if what.endswith("ms") else "x" if " / " in what else "1/s"
        if what == "CPU per letter, ms" and database != "sqlite":
            continue  # there the database does a part of the work in processes of its own
        op, bar = bars.get(what, (">=", 0))
        rows.append(row(what, runs, unit, op, bar, database))
    return rows


def big_run(ours: Ours, database: str) -> list[Row]:
    """A run for a million: opening it, and the memory of its sender."""
    mailing = ours.make_owner(BIG)
    run, seconds = ours.open(mailing)
    print(f"  opened for {run.audience_size:,} clients in {seconds:.1f} s", flush=True)
    samples: list[float] = []
    from django.conf import settings

    journal = settings.JOURNAL_DIR / "sender-0.journal"
    with smtp_sink(), ours.cluster(OWNER_LETTERS_PER_DAY="0"):
        from mailing import tasks

        tasks.wake_senders()
        until = time.monotonic() + 90
        while time.monotonic() < until and run.finished_at is None:
            time.sleep(3)
            pid = installation.holder(journal)
            if pid is not None:
                samples.append(installation.resident_mib(pid))
            run.refresh_from_db(fields=["status", "finished_at"])
    settled = samples[1:] or samples  # the first is taken while it starts
    growth = max(settled[len(settled) // 2 :]) - max(settled[: max(1, len(settled) // 2)])
    bar = 30 if database == "sqlite" else 60
    return [
        row("open a run for 1,000,000 clients", [seconds], "s", "<=", bar, database),
        row("memory of a sender on that run", [max(settled)], "MiB", "<=", 150, database),
        row("growth of it over the run", [max(growth, 0.0)], "MiB", "<=", 5, database),
    ]


def slow_server(ours: Ours, database: str) -> list[Row]:
    """A server that answers each letter after 20 ms, over 50 connections."""
    runs = []
    with c_sink(delay_ms=20):
        for _ in range(ROUNDS):
            env = {"SMTP_CONNECTIONS": "50", "EMAIL_URL": f"smtp://127.0.0.1:{C_SINK}"}
            with ours.cluster(**env):
                run, _seconds = ours.open(ours.make_owner(LETTERS))
                runs.append(ours.send(run))
                print(f"  50 connections, 20 ms: {runs[-1]:,.0f} letters/s", flush=True)
    what = "rate at 20 ms an answer, 50 connections"
    return [row(what, runs, "1/s", ">=", 2000, database)]


def kills(ours: Ours, database: str) -> list[Row]:
    """Kill -9 the sender in the middle of a run, and ask the server's ledger afterwards."""
    from collections import Counter

    from django.conf import settings

    from mailing import tasks
    from mailing.models import Delivery

    lost, doubled, unknown = 0, 0, []
    journal = settings.JOURNAL_DIR / "sender-0.journal"
    for number in range(KILLS):
        ledger = settings.VAR_DIR / f"ledger-{number}"
        env = {"EMAIL_URL": f"smtp://127.0.0.1:{C_SINK}", "OWNER_LETTERS_PER_DAY": "0"}
        run, _seconds = ours.open(ours.make_owner(LETTERS_PER_KILL))
        with c_sink(ledger=ledger), ours.cluster(**env):
            tasks.wake_senders()
            wanted = LETTERS_PER_KILL * (number + 1) // (KILLS + 2)
            until = time.monotonic() + 60
            pid = None
            while pid is None and time.monotonic() < until:
                pid = installation.holder(journal)
            while _lines(ledger) < wanted and time.monotonic() < until:
                time.sleep(0.002)
            if pid is None or _lines(ledger) == LETTERS_PER_KILL:
                raise RuntimeError("nobody could be killed")
            os.kill(pid, signal.SIGKILL)
            until = time.monotonic() + 120
            while run.finished_at is None and time.monotonic() < until:
                time.sleep(1)
                tasks.wake_senders()
                run.refresh_from_db(fields=["status", "finished_at"])
        copies = Counter(
            int(found[1]) for found in re.finditer(r"<\d+\.(\d+)\.", ledger.read_text())
        )
        states = dict(Delivery.objects.filter(run=run).values_list("pk", "state"))
        doubled += sum(count - 1 for count in copies.values())
        lost += sum(state != "unknown" and pk not in copies for pk, state in states.items())
        unknown.append(sum(state == "unknown" for state in states.values()))
        print(
            f"  kill {number + 1}: {unknown[-1]} unknown, {doubled} doubled, {lost} lost",
            flush=True,
        )
    return [
        row(f"lost in {KILLS} kills", [float(lost)], "", "==", 0, database),
        row(f"doubled in {KILLS} kills", [float(doubled)], "", "==", 0, database),
        Row(
            "unknown after a kill, at most",
            max(unknown),
            "",
            CONNECTIONS,
            "<=",
            database,
            [float(n) for n in unknown],
        ),
    ]


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


PARTS = {"rates": rates, "kills": kills, "slow": slow_server, "big": big_run}


def measure(database: str, parts: list[str]) -> list[Row]:
    folder = installation.prepare(database, SMTP_SINK)
    try:
        ours = Ours(database)
        rows: list[Row] = []
        for name in parts:
            print(f"{database}: {name}", flush=True)
            rows += PARTS[name](ours, database)
        return rows
    finally:
        from django.db import connections

        connections.close_all()
        installation.remove(folder, database)


def main() -> int:
    databases = [a for a in sys.argv[1:] if a in {"sqlite", "postgresql"}]
    parts = [a for a in sys.argv[1:] if a in PARTS] or list(PARTS)
    set_up()
    if len(databases) == 1:
        rows = measure(databases[0], parts)
        (CACHE / f"{databases[0]}.json").write_text(json.dumps([vars(r) for r in rows]))
        report.show(rows)
        return 0
    rows = []
    for database in ("sqlite", "postgresql"):  # each in a process with settings of its own
        command = [sys.executable, "-m", "bench.sending", database, *parts]
        subprocess.run(command, check=True)
        rows += [Row(**r) for r in json.loads((CACHE / f"{database}.json").read_text())]
    print()
    report.show(rows)
    print(f"\n{report.machine()}")
    if parts == list(PARTS):
        print(f"written to {report.write('sending', rows)}")
    return 0 if all(r.holds for r in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
