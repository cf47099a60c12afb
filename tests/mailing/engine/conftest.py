"""A sender on a stage: a sink, a journal and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from mailing.composer.render import freeze
from mailing.engine import journal, planner, sweeper
from mailing.engine.budget import UNLIMITED, Rate
from mailing.engine.letter import Service
from mailing.engine.sender import Sender
from mailing.engine.transport.server import MailServer, Timeouts
from mailing.models import Run
from tests.factories import NOW
from tests.sink import Mood, Sink

QUICK = Timeouts(connect=2, greeting=1, command=1, data=1, dot=1.5, goodbye=1)


@dataclass
class Stage:
    """Plans, sends and sweeps at `now`, as the task queue does with the real clock."""

    sink: Sink
    folder: Path
    now: datetime = NOW
    connections: int = 2
    host: str = "here"
    random: Random = field(default_factory=lambda: Random(1))
    server_rate: Rate = UNLIMITED
    owner_rate: Rate = UNLIMITED
    timeouts: Timeouts = QUICK
    user: str = ""
    password: str = ""
    unsubscribe_url: Callable[[int], str] = "https://service.test/u/{}/".format
    """What a letter asks for while it is composed."""

    def clock(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def plan(self) -> list[Run]:
        return list(Run.objects.filter(pk__in=planner.open_due(self.now, freeze)))

    def send(self, *, seconds: float = 20, interrupted: Callable[[], bool] = lambda: False) -> bool:
        with journal.hold(self.folder, 1) as held:
            assert held is not None
            return self.sender(held, seconds=seconds, interrupted=interrupted).run()

    def sender(
        self,
        held: journal.Journal,
        *,
        seconds: float = 20,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> Sender:
        return Sender(
            server=MailServer(
                "127.0.0.1",
                self.sink.port,
                user=self.user,
                password=self.password,
                connections=self.connections,
                timeouts=self.timeouts,
            ),
            service=Service(
                sender_address="letters@service.test",
                host="service.test",
                unsubscribe_url=self.unsubscribe_url,
                secret=b"secret",
            ),
            journal=held,
            host=self.host,
            clock=self.clock,
            random=self.random,
            server_rate=self.server_rate,
            owner_rate=self.owner_rate,
            seconds=seconds,
            interrupted=interrupted,
        )

    def sweep(self) -> None:
        sweeper.sweep(self.now, host=self.host, random=self.random)

    @property
    def arrived(self) -> list[str]:
        return self.sink.ledger.recipients()


@pytest.fixture
def mood() -> Mood:
    return Mood()


@pytest.fixture
def stage(mood: Mood, tmp_path: Path) -> Iterator[Stage]:
    with Sink(mood) as sink:
        yield Stage(sink, tmp_path / "journal")
