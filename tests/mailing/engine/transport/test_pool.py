"""The transport against a real server on a real socket, well-behaved and otherwise."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from mailing.engine.classify import Reply
from mailing.engine.transport.pool import Pool, ServerDown
from mailing.engine.transport.server import MailServer, Security, Timeouts
from mailing.engine.transport.session import Outgoing, Withheld
from mailing.enums import Stage
from tests.certificates import Certificates
from tests.sink import Mood, Sink

QUICK = Timeouts(connect=2, greeting=1, command=1, data=1, dot=1.5, goodbye=1)
CONTENT = b"Subject: x\r\nMessage-ID: <1.%d.abc@x>\r\n\r\nHello.\r\n"


class Letters:
    """A handler that hands out letters and notes what becomes of each."""

    def __init__(self, recipients: Iterable[str], *, utf8: bool = False) -> None:
        self.waiting = deque(
            Outgoing(i, 1, b"from@x.test", to.encode(), CONTENT % i, needs_utf8=utf8)
            for i, to in enumerate(recipients, 1)
        )
        self.answers: dict[str, tuple[Stage, Reply]] = {}
        self.unsent: list[tuple[str, Stage]] = []
        self.dots: list[str] = []
        self.stopped = False
        self.withhold = False
        self.give_back = False
        self.owed_meanwhile: list[int] = []
        self.low_after = sys.maxsize
        self.owed_at_restock: list[int] = []

    def next_letter(self) -> Outgoing | None:
        return self.waiting.popleft() if self.waiting and not self.stopped else None

    def is_waiting(self) -> bool:
        return False

    def has_letters(self) -> bool:
        return bool(self.waiting) and not self.stopped

    def stop(self) -> None:
        self.stopped = True

    def about_to_dot(self, letter: Outgoing) -> None:
        self.dots.append(letter.recipient.decode())

    def about_to_send(self) -> None:
        if self.withhold and self.dots:
            raise Withheld

    def runs_low(self) -> bool:
        return len(self.dots) >= self.low_after and not self.owed_at_restock

    def restock(self) -> None:
        self.owed_at_restock.append(len(self.dots) - len(self.answers))

    def meanwhile(self, letters: int) -> None:
        self.owed_meanwhile.append(len(self.dots) - len(self.answers))

    def answered(self, letter: Outgoing, stage: Stage, reply: Reply) -> bool:
        assert letter.recipient.decode() not in self.answers
        self.answers[letter.recipient.decode()] = (stage, reply)
        return reply.code == 421

    def returned(self, letter: Outgoing, stage: Stage, reply: Reply) -> None:
        self.unsent.append((letter.recipient.decode(), stage))
        if self.give_back and len(self.unsent) < 10:
            self.waiting.appendleft(letter)

    def codes(self) -> dict[str, int]:
        return {to.split("@")[0]: reply.code for to, (_stage, reply) in self.answers.items()}


def send(sink: Sink, letters: Letters, **fields: Any) -> None:
    server = MailServer(host="127.0.0.1", port=sink.port, timeouts=QUICK, connections=2)
    server = replace(server, **fields)
    Pool(server, letters, lambda: None).run(server.connections)


def ok(count: int) -> list[str]:
    return [f"ok+{i}@x.test" for i in range(count)]


def test_every_letter_arrives_once_over_several_connections() -> None:
    letters = Letters(ok(200))
    with Sink() as sink:
        send(sink, letters)
    assert sorted(sink.ledger.recipients()) == sorted(ok(200))
    assert {reply.code for _stage, reply in letters.answers.values()} == {250}
    assert sink.connections == 2
    assert sink.strict_errors == []


def test_the_next_letters_are_composed_while_the_server_takes_others() -> None:
    letters = Letters(ok(20))
    with Sink() as sink:
        send(sink, letters, connections=1)
    assert letters.owed_meanwhile.count(1) == 20
    assert max(letters.owed_meanwhile) == 1


def test_stock_is_taken_in_when_all_connections_wait_for_the_server() -> None:
    letters = Letters(ok(20))
    letters.low_after = 3
    with Sink(Mood(dot_delay=0.05)) as sink:
        send(sink, letters)
    (owed,) = letters.owed_at_restock
    assert owed >= 1


def test_a_server_without_pipelining_gets_one_command_at_a_time() -> None:
    recipients = ["ok+1@x.test", "550+2@x.test", "ok+3@x.test", "dot451+4@x.test", "ok+5@x.test"]
    letters = Letters(recipients)
    with Sink(Mood(extensions=("8BITMIME",))) as sink:
        send(sink, letters, connections=1)
    assert letters.codes() == {"ok+1": 250, "550+2": 550, "ok+3": 250, "dot451+4": 451, "ok+5": 250}
    assert sink.ledger.recipients() == ["ok+1@x.test", "ok+3@x.test", "ok+5@x.test"]


def test_a_server_that_knows_only_helo() -> None:
    letters = Letters(ok(3))
    with Sink(Mood(ehlo_works=False)) as sink:
        send(sink, letters, connections=1)
    assert len(sink.ledger.letters) == 3


def test_refusals_are_told_apart_between_pipelined_letters() -> None:
    recipients = ["550+a@x.test", "ok+b@x.test", "full+c@x.test", "policy+d@x.test", "ok+e@x.test"]
    letters = Letters(recipients)
    with Sink() as sink:
        send(sink, letters, connections=1)
    assert letters.answers["550+a@x.test"] == (Stage.RCPT, Reply(550, "5.1.1", "No"))
    assert letters.answers["full+c@x.test"][1].enhanced == "4.2.2"
    assert letters.codes()["ok+e"] == 250
    assert sink.ledger.recipients() == ["ok+b@x.test", "ok+e@x.test"]


def test_a_refusal_after_the_dot_belongs_to_its_letter() -> None:
    letters = Letters(["ok+a@x.test", "dot554+b@x.test", "ok+c@x.test", "dot252+d@x.test"])
    with Sink() as sink:
        send(sink, letters, connections=1)
    assert letters.answers["dot554+b@x.test"][0] == Stage.DOT
    assert letters.codes() == {"ok+a": 250, "dot554+b": 554, "ok+c": 250, "dot252+d": 252}


@pytest.mark.parametrize("trick", ["dropdot", "garbage"])
def test_no_readable_answer_after_the_dot_is_unknown(trick: str) -> None:
    letters = Letters([f"{trick}+a@x.test", "ok+b@x.test"])
    letters.give_back = True
    with Sink() as sink:
        send(sink, letters, connections=1)
    assert letters.answers[f"{trick}+a@x.test"][0] == Stage.DOT
    assert letters.codes() == {f"{trick}+a": 0, "ok+b": 250}
    assert sink.ledger.recipients() == [f"{trick}+a@x.test", "ok+b@x.test"]


def test_a_connection_that_breaks_at_the_envelope_gives_the_letter_back() -> None:
    letters = Letters(["ok+a@x.test", "droprcpt+b@x.test", "ok+c@x.test"])
    with Sink() as sink:
        send(sink, letters, connections=1)
    assert [to for to, _stage in letters.unsent] == ["droprcpt+b@x.test"]
    assert letters.codes() == {"ok+a": 250, "ok+c": 250}


def test_a_connection_that_breaks_while_the_letter_is_still_here_gives_it_back() -> None:
    """More than the kernel buffers hold: the system call with the dot was never made."""
    letters = Letters(["dropdata+a@x.test"])
    letters.waiting[0] = letters.waiting[0]._replace(content=b"0123456789\r\n" * 3_000_000)
    with Sink() as sink:
        send(sink, letters, connections=1)
    assert letters.unsent == [("dropdata+a@x.test", Stage.DATA)]
    assert not letters.answers


def test_a_letter_that_has_left_this_process_whole_is_unknown_when_the_connection_breaks() -> None:
    """The server read only a part, but nobody on this side can know that."""
    letters = Letters(["dropdata+a@x.test"])
    with Sink() as sink:
        send(sink, letters, connections=1)
    assert letters.codes() == {"dropdata+a": 0}
    assert sink.ledger.letters == []


def test_a_server_that_says_421_after_some_letters_gets_a_new_connection() -> None:
    letters = Letters(ok(7))
    letters.give_back = True
    with Sink(Mood(goodbye_after=2)) as sink:
        send(sink, letters, connections=1)
    assert sorted(sink.ledger.recipients()) == sorted(ok(7))
    assert len(letters.answers) == 7
    assert sink.connections == 4


def test_a_connection_is_replaced_after_its_share_of_letters() -> None:
    letters = Letters(ok(10))
    with Sink() as sink:
        send(sink, letters, connections=1, messages_per_connection=3)
    assert len(sink.ledger.letters) == 10
    assert sink.connections == 4
    assert sink.commands.count("QUIT") == 4


def test_a_server_that_takes_two_connections_gets_two() -> None:
    letters = Letters(ok(50))
    with Sink(Mood(most_connections=2, dot_delay=0.01)) as sink:
        send(sink, letters, connections=5)
    assert len(sink.ledger.letters) == 50
    assert letters.unsent == []


def test_nobody_listens() -> None:
    with Sink() as sink:
        port = sink.port
    letters = Letters(ok(3))
    with pytest.raises(ServerDown) as down:
        Pool(MailServer("127.0.0.1", port, timeouts=QUICK), letters, lambda: None).run(2)
    assert not down.value.configuration
    assert len(letters.waiting) == 3


@pytest.mark.parametrize("banner", ["554 5.7.1 Not you", "421 4.3.2 Not now", ""])
def test_a_server_that_does_not_greet(banner: str) -> None:
    letters = Letters(ok(3))
    with Sink(Mood(banner=banner)) as sink, pytest.raises(ServerDown):
        send(sink, letters)
    assert len(letters.waiting) == 3
    assert not letters.answers


def test_three_lost_connections_in_a_row_are_a_server_that_is_down() -> None:
    letters = Letters([f"droprcpt+{i}@x.test" for i in range(9)])
    with Sink() as sink, pytest.raises(ServerDown):
        send(sink, letters, connections=1)
    assert sink.connections == 3
    assert len(letters.unsent) == 3
    assert not letters.answers


def test_what_is_owed_is_awaited_although_the_server_has_gone_away() -> None:
    """One connection waits for a slow dot while others fail: its letter must not become unknown."""
    tricks = ["slow1@x.test", *(f"droprcpt+{i}@x.test" for i in range(9))]
    letters = Letters(tricks)
    with Sink() as sink, pytest.raises(ServerDown):
        send(sink, letters)
    assert letters.codes() == {"slow1": 250}


def test_a_slow_answer_within_its_time_is_an_answer() -> None:
    letters = Letters(["slow1@x.test"])
    with Sink() as sink:
        send(sink, letters)
    assert letters.codes() == {"slow1": 250}


def test_an_answer_that_does_not_come_in_time_is_unknown() -> None:
    letters = Letters(["slow4@x.test"])
    with Sink() as sink:
        send(sink, letters)
    stage, reply = letters.answers["slow4@x.test"]
    assert (stage, reply.code) == (Stage.DOT, 0)
    assert "1.5 s" in reply.text


def test_a_server_that_drips_wins_no_time() -> None:
    letters = Letters(ok(1))
    with Sink(Mood(reply_bytes_per_second=5)) as sink, pytest.raises(ServerDown):
        send(sink, letters, connections=1)
    assert not letters.answers


def test_a_letter_that_may_not_leave_does_not_leave() -> None:
    letters = Letters(ok(3))
    letters.withhold = True
    with Sink() as sink:
        send(sink, letters, connections=1)
    assert sink.ledger.letters == []
    assert letters.stopped


def test_the_dot_is_announced_before_it_leaves() -> None:
    letters = Letters(["ok+a@x.test", "550+b@x.test", "droprcpt+c@x.test", "dropdot+d@x.test"])
    with Sink() as sink:
        send(sink, letters, connections=1)
    assert letters.dots == ["ok+a@x.test", "dropdot+d@x.test"]


def test_an_address_beyond_ascii_needs_a_server_that_can() -> None:
    able = Letters(["ok+jörg@x.test"], utf8=True)
    with Sink() as sink:
        send(sink, able)
    assert any("SMTPUTF8" in command for command in sink.commands)
    assert sink.ledger.recipients() == ["ok+jörg@x.test"]
    unable = Letters(["ok+jörg@x.test", "ok+jörg2@x.test"], utf8=True)
    with Sink(Mood(extensions=("PIPELINING",))) as sink:
        send(sink, unable)
    assert {reply.code for _stage, reply in unable.answers.values()} == {553}
    assert sink.ledger.letters == []


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_it_logs_in(mechanism: str) -> None:
    letters = Letters(ok(2))
    with Sink(Mood(user="u", password="пароль", mechanisms=mechanism)) as sink:
        send(sink, letters, user="u", password="пароль")
    assert len(sink.ledger.letters) == 2
    assert any(command.startswith(f"AUTH {mechanism}") for command in sink.commands)


def test_a_wrong_password_is_a_matter_of_configuration() -> None:
    letters = Letters(ok(2))
    with Sink(Mood(user="u", password="p")) as sink, pytest.raises(ServerDown) as down:
        send(sink, letters, user="u", password="wrong", connections=1)
    assert down.value.configuration
    assert "wrong" not in str(down.value)
    assert sink.connections == 1


def test_starttls_and_tls(certificates: Certificates) -> None:
    for mood, security in (
        (Mood(starttls=certificates.server_context()), Security.STARTTLS),
        (Mood(tls=certificates.server_context()), Security.TLS),
    ):
        letters = Letters(ok(20))
        with Sink(mood) as sink:
            send(
                sink,
                letters,
                host="localhost",
                security=security,
                ca_file=str(certificates.authority),
            )
        assert len(sink.ledger.letters) == 20, security


@pytest.mark.parametrize("wrong", ["name", "expired", "authority"])
def test_a_wrong_certificate_sends_nothing(certificates: Certificates, wrong: str) -> None:
    letters = Letters(ok(2))
    context = certificates.server_context(expired=wrong == "expired")
    host = "127.0.0.1" if wrong == "name" else "localhost"
    authority = None if wrong == "authority" else str(certificates.authority)
    with Sink(Mood(starttls=context)) as sink, pytest.raises(ServerDown) as down:
        send(sink, letters, host=host, security=Security.STARTTLS, ca_file=authority, connections=1)
    assert down.value.configuration
    assert not any(command.startswith("MAIL") for command in sink.commands)


def test_without_starttls_nothing_goes_in_clear() -> None:
    letters = Letters(ok(2))
    with Sink() as sink, pytest.raises(ServerDown) as down:
        send(sink, letters, security=Security.STARTTLS, user="u", password="secret", connections=1)
    assert down.value.configuration
    assert [c.split()[0] for c in sink.commands] == ["EHLO"]


def test_bytes_before_tls_cannot_pose_as_answers_inside(certificates: Certificates) -> None:
    letters = Letters(ok(2))
    mood = Mood(starttls=certificates.server_context(), speaks_on_after_starttls=True)
    with Sink(mood) as sink, pytest.raises(ServerDown):
        send(
            sink,
            letters,
            host="localhost",
            security=Security.STARTTLS,
            ca_file=str(certificates.authority),
            connections=1,
        )
    assert not any(command.startswith("MAIL") for command in sink.commands)
