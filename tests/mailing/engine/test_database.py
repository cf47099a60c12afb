from typing import Any

import pytest
from django.db import connection, transaction

from mailing.engine.database import start_over
from mailing.models import ServerGate


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_thrown_away_locks_nothing() -> None:
    """Though an error under way still knows a statement of it, and Django of no transaction."""
    ServerGate.objects.create(server="mail.example")
    raw: Any = connection.connection
    raw.execute("BEGIN IMMEDIATE" if connection.vendor == "sqlite" else "BEGIN")
    raw.execute("UPDATE mailing_servergate SET server = server")
    unfinished = raw.execute("SELECT * FROM mailing_servergate")

    start_over()

    with transaction.atomic():  # would wait for 20 s, then fail
        ServerGate.objects.all().delete()
    del unfinished
