"""The circuit breaker of a mail server: after a failure nobody knocks for a while.

While it is open no batch is leased, so nothing is counted against a client; the first sender after
the pause tries again, and the pause doubles each time the server is still away.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from mailing.models import ServerGate

logger = logging.getLogger(__name__)

_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(minutes=15)
_ALERT_AFTER = timedelta(minutes=5)


def is_open(server: str, now: datetime) -> bool:
    return ServerGate.objects.filter(server=server, open_until__gt=now).exists()


def open_circuit(server: str, reason: str, *, configuration: bool, now: datetime) -> None:
    """Note a failure and open the circuit: 30 s at first, 15 min at most.

    Wrong settings do not mend themselves, so those wait the longest pause at once (and a log-in
    that fails every half minute looks like an attack).
    """
    with transaction.atomic():
        ServerGate.objects.get_or_create(server=server)
        circuit = ServerGate.objects.select_for_update().get(server=server)
        pause = min(_FIRST_PAUSE * 2 ** min(circuit.failures, 10), _LONGEST_PAUSE)
        circuit.failures += 1
        circuit.open_until = now + (_LONGEST_PAUSE if configuration else pause)
        circuit.since = circuit.since or now
        circuit.reason = reason[:500]
        circuit.save()


def close_circuit(server: str) -> None:
    """The server took a letter: all is well again."""
    gate = ServerGate.objects.filter(server=server).exclude(failures=0)
    told = gate.filter(alerted=True).update(alerted=False)
    gate.update(failures=0, open_until=None, since=None, reason="")
    if told:
        logger.info("mail server %s is back", server)


def alert(now: datetime) -> None:
    """Log an error, once for each absence, when a mail server has been away for five minutes.

    Any number of processes may call this at each tick: one of them says it.
    """
    away = ServerGate.objects.filter(
        open_until__gt=now, since__lte=now - _ALERT_AFTER, alerted=False
    )
    for server, since, reason in list(away.values_list("server", "since", "reason")):
        if away.filter(server=server).update(alerted=True):
            logger.error("mail server %s has been away since %s: %s", server, since, reason)
