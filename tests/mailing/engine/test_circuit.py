"""The circuit of a mail server: how long nobody knocks, and when the operator is told."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from mailing.engine import circuit
from tests.factories import NOW

pytestmark = pytest.mark.django_db

SERVER = "mail.x.test:25"


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def fail(after: timedelta, *, configuration: bool = False) -> None:
    circuit.open_circuit(SERVER, "No route", configuration=configuration, now=NOW + after)


def opened_for(after: timedelta) -> timedelta:
    """Return how long nobody knocks from `after` on, to the second."""
    seconds = 0
    while circuit.is_open(SERVER, NOW + after + timedelta(seconds=seconds)):
        seconds += 1
    return timedelta(seconds=seconds)


def test_the_pause_doubles_up_to_a_quarter_of_an_hour() -> None:
    pauses = []
    for _failure in range(7):
        fail(minutes(0))
        pauses.append(opened_for(minutes(0)))
    assert pauses == [minutes(m) for m in (0.5, 1, 2, 4, 8, 15, 15)]
    circuit.close_circuit(SERVER)
    fail(minutes(0))
    assert opened_for(minutes(0)) == minutes(0.5)


def test_wrong_settings_wait_the_longest_pause_at_once() -> None:
    fail(minutes(0), configuration=True)
    assert opened_for(minutes(0)) == minutes(15)


class TestAlert:
    @pytest.fixture(autouse=True)
    def record(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "mailing.engine.circuit")

    def tick(self, caplog: pytest.LogCaptureFixture, after: timedelta) -> list[tuple[str, str]]:
        """Return level and text of what a tick says."""
        caplog.clear()
        circuit.alert(NOW + after)
        return [(record.levelname, record.getMessage()) for record in caplog.records]

    def test_it_comes_once_when_the_server_has_been_away_for_five_minutes(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        for after in (0, 0.5, 1.5, 3.5):
            fail(minutes(after))
        assert self.tick(caplog, minutes(4.9)) == []
        ((level, text),) = self.tick(caplog, minutes(5))
        assert level == "ERROR"
        assert SERVER in text
        assert "No route" in text
        assert "09:00" in text, "since the first failure"
        fail(minutes(7.5))
        assert self.tick(caplog, minutes(8)) == []
        assert self.tick(caplog, minutes(60)) == []

    def test_of_a_server_that_nobody_has_tried_again_nothing_is_known(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """As when its only run was cancelled after the first failure."""
        fail(minutes(0))
        assert self.tick(caplog, minutes(6)) == []

    def test_when_the_server_is_back_that_is_said_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        fail(minutes(0), configuration=True)
        self.tick(caplog, minutes(6))
        caplog.clear()
        circuit.close_circuit(SERVER)
        circuit.close_circuit(SERVER)
        (record,) = caplog.records
        assert (record.levelname, record.getMessage()) == ("INFO", f"mail server {SERVER} is back")
        fail(minutes(20), configuration=True)
        assert len(self.tick(caplog, minutes(26))) == 1, "another absence, another alert"

    def test_of_a_short_absence_nothing_is_said(self, caplog: pytest.LogCaptureFixture) -> None:
        fail(minutes(0))
        circuit.close_circuit(SERVER)
        assert self.tick(caplog, minutes(6)) == []
        assert caplog.records == []
