"""What a mail server may do to us, each time against the nine points of the oracle."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from mailing.engine.classify import Reply, classify
from mailing.engine.transport.replies import ReplyError, ReplyReader, parse
from mailing.enums import DeliveryState, MailingStatus
from mailing.enums import Stage as SmtpStage
from mailing.models import Attempt, Delivery, Mailing, Run, ServerGate, Suppression
from tests.factories import NOW, make_clients, make_mailing
from tests.mailing.engine import oracle
from tests.mailing.engine.conftest import Stage

database = pytest.mark.django_db(transaction=True)


def open_run(owner: User, stage: Stage, addresses: list[str]) -> Run:
    make_mailing(
        owner, make_clients(owner, addresses), status=MailingStatus.SCHEDULED, next_due_at=NOW
    )
    (run,) = stage.plan()
    return run


def send_for_hours(stage: Stage, hours: int = 60) -> None:
    for _hour in range(hours):
        while stage.send():
            pass
        stage.sweep()
        stage.later(hours=1)
        if not Mailing.objects.active().exists():
            return


@database
@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["pipelining", "plain"])
def test_a_connection_that_breaks_at_each_stage(
    alice: User, stage: Stage, connections: int, extensions: tuple[str, ...]
) -> None:  # row 16
    stage.connections = connections
    stage.sink.mood.extensions = extensions
    tricks = ["droprcpt", "dropdata", "dropdot", "garbage", "bye", "dot451", "dot554", "dot252"]
    addresses = [f"{trick}+{n}@x.test" for n, trick in enumerate([*tricks, "ok", "ok"] * 3)]
    run = open_run(alice, stage, addresses)
    send_for_hours(stage)
    oracle.check(run, stage.arrived, unknown_at_most=9, drained=True)
    unknown = Delivery.objects.filter(run=run, state=DeliveryState.UNKNOWN)
    assert {delivery.email.split("+")[0] for delivery in unknown} == {
        "dropdata",  # ADR 4: the whole letter had left this process
        "dropdot",
        "garbage",
    }


@database
@pytest.mark.parametrize("letters", [1, 2, 3, 4, 5])
def test_a_goodbye_after_some_letters_costs_nothing(
    alice: User, stage: Stage, letters: int
) -> None:  # row 17
    stage.sink.mood.goodbye_after = letters
    run = open_run(alice, stage, [f"ok+{n}@x.test" for n in range(20)])
    while stage.send():
        pass
    oracle.check(run, stage.arrived, drained=True)
    assert Attempt.objects.count() == len(stage.arrived) == 20


@database
def test_among_many_each_refusal_is_told_apart(alice: User, stage: Stage) -> None:  # row 19
    kinds = ["550"] * 10 + ["full"] * 5 + ["policy"] * 5 + ["ok"] * 80
    run = open_run(alice, stage, [f"{kinds[n * 37 % 100]}+{n}@x.test" for n in range(100)])
    stage.send()
    oracle.check(run, stage.arrived)
    assert Delivery.objects.filter(run=run).count_by_state() == {
        "sent": 80,
        "failed": 15,
        "deferred": 5,
    }
    suppressed = Suppression.objects.values_list("email_normalized", flat=True)
    assert len(suppressed) == 10
    assert all(address.startswith("550+") for address in suppressed)


@database
def test_a_wrong_password_costs_nobody_an_attempt_and_stays_out_of_the_log(
    alice: User, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:  # rows 20, 23
    stage.sink.mood.user, stage.sink.mood.password = "letters", "the-right-one"
    run = open_run(alice, stage, [f"ok+{n}@x.test" for n in range(20)])
    stage.user, stage.password = "letters", "a-wrong-secret"
    with caplog.at_level(logging.DEBUG):
        for _minute in range(60):
            stage.send()
            stage.later(minutes=1)
    assert not Attempt.objects.exists()
    assert not Suppression.objects.exists()
    assert "535" in ServerGate.objects.get().reason
    tries = [command for command in stage.sink.commands if command.startswith("AUTH")]
    assert len(tries) <= 4 * stage.connections, "one in a quarter of an hour"
    assert "a-wrong-secret" not in caplog.text
    assert "YS13cm9uZy1zZWNyZXQ" not in caplog.text
    stage.password = "the-right-one"
    stage.later(minutes=16)
    stage.send()
    oracle.check(run, stage.arrived, drained=True)


@given(st.binary(max_size=300))
def test_whatever_a_server_says_is_a_reply_or_a_reply_error(said: bytes) -> None:  # row 21
    reader = ReplyReader()
    for byte in range(0, len(said), 7):
        for raw in reader.feed(said[byte : byte + 7]):
            try:
                reply = parse(raw)
            except ReplyError:
                continue
            assert reply.text.isprintable()
            for at in SmtpStage:
                classify(at, reply)


@given(
    code=st.integers(200, 599),
    lines=st.lists(st.text(max_size=60), min_size=1, max_size=150),
    end=st.sampled_from(["\r\n", "\n"]),
    cuts=st.integers(1, 50),
)
def test_a_reply_of_many_lines_in_pieces_keeps_its_code(
    code: int, lines: list[str], end: str, cuts: int
) -> None:  # row 21
    texts = ["".join(line.split()) for line in lines]
    said = "".join(f"{code}-{text}{end}" for text in texts[:-1]) + f"{code} {texts[-1]}{end}"
    data, reader, replies = said.encode(), ReplyReader(), list[bytes]()
    for start in range(0, len(data), cuts):
        replies += reader.feed(data[start : start + cuts])
    (raw,) = replies
    assert parse(raw).code == code


@pytest.mark.parametrize("said", [b"250\r", b"250", b"250 ", b"250-\r\n250 \r"])
def test_a_code_without_text_is_a_reply(said: bytes) -> None:  # row 21
    assert parse(said.replace(b"\r\n", b"\n")).code == 250
    assert classify(SmtpStage.DOT, Reply(250)).state == DeliveryState.SENT
