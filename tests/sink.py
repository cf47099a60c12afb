"""A scripted SMTP server that writes every letter it accepts into a ledger, fsynced.

What it does is said by the recipient's local part, up to the first "+" (`550+anna@x.test`), and by
the server's `Mood`. The ledger is the truth that tests compare the database with.

    ok            250
    550 551 …     that code at RCPT, with a fitting enhanced code
    4xx           451 4.7.1 at RCPT the first time, then 250
    full          452 4.2.2 at RCPT         policy   550 5.7.1 at RCPT
    off           550 5.2.1 at RCPT
    busy          452 4.3.1 at RCPT         big      552 5.3.4 after the dot
    dotNNN        that code after the dot (dot252 is an acceptance, dot451 a refusal)
    droprcpt      closes at RCPT            dropdata closes in the middle of the letter
    dropdot       accepts the letter, closes without an answer
    garbage       accepts the letter, answers nonsense
    slowN         answers the dot after N seconds
    bye           421 at RCPT, then closes
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

_ENHANCED = {"550": "5.1.1", "551": "5.1.6", "552": "5.2.2", "553": "5.1.3", "554": "5.7.1"}


@dataclass
class Mood:
    """How the server as a whole behaves."""

    banner: str = "220 sink ESMTP"
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SIZE 10485760", "SMTPUTF8")
    goodbye_after: int = 0  # 421 to the MAIL after so many letters on a connection
    ehlo_works: bool = True
    starttls: ssl.SSLContext | None = None
    speaks_on_after_starttls: bool = False
    tls: ssl.SSLContext | None = None
    user: str = ""
    password: str = ""
    mechanisms: str = "PLAIN LOGIN"
    most_connections: int = 0
    reply_bytes_per_second: float = 0
    dot_delay: float = 0.0


@dataclass
class Ledger:
    """Accepted letters in order; `path` gets a line for each before the server answers."""

    path: Path | None = None
    letters: list[dict[str, Any]] = field(default_factory=list)

    def accept(self, recipient: str, content: bytes) -> None:
        found = re.search(rb"^Message-ID: <(\d+)\.(\d+)\.", content, re.MULTILINE)
        entry = {"to": recipient, "delivery": int(found[2]) if found else None}
        self.letters.append({**entry, "content": content})
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(json.dumps(entry) + "\n")
                file.flush()
                os.fsync(file.fileno())

    def recipients(self) -> list[str]:
        return [letter["to"] for letter in self.letters]


class Sink:
    """Runs in a thread of its own: `with Sink() as sink: … sink.port`."""

    def __init__(self, mood: Mood | None = None, ledger: Path | None = None, port: int = 0) -> None:
        self.mood = mood or Mood()
        self.ledger = Ledger(ledger)
        self.port = port
        self.connections = 0
        self.open_connections = 0
        self.most_open = 0
        self.commands: list[str] = []
        self.strict_errors: list[str] = []
        self._deferred: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Sink:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the sink did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(
                self._serve, "127.0.0.1", self.port, ssl=self.mood.tls, limit=2**22
            )
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        self.most_open = max(self.most_open, self.open_connections)
        try:
            await _Conversation(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open_connections -= 1
            writer.close()

    def forget(self) -> None:
        """Greylist everybody anew."""
        self._deferred.clear()

    def first_time(self, address: str) -> bool:
        if address in self._deferred:
            return False
        self._deferred.add(address)
        return True


class _Conversation:
    def __init__(
        self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.sink, self.mood = sink, sink.mood
        self.reader, self.writer = reader, writer
        self.recipient = ""
        self.letters = 0
        self.logged_in = not self.mood.user

    async def run(self) -> None:
        mood = self.mood
        if mood.most_connections and self.sink.open_connections > mood.most_connections:
            await self.say("421 4.7.0 Too many connections")
            return
        if not mood.banner:
            await asyncio.sleep(3600)
        await self.say(mood.banner)
        while line := await self.reader.readline():
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            self.sink.commands.append(command)
            verb = command.split(" ")[0].upper()
            handler = getattr(self, f"do_{verb.lower()}", None)
            if handler is None:
                await self.say("500 5.5.2 What?")
            elif await handler(command):
                return

    async def say(self, *lines: str) -> None:
        text = "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")
        if self.mood.reply_bytes_per_second:
            for byte in text:
                self.writer.write(bytes([byte]))
                await self.writer.drain()
                await asyncio.sleep(1 / self.mood.reply_bytes_per_second)
            return
        self.writer.write(text)
        await self.writer.drain()

    # --- Commands; a true result ends the conversation --------------------------------------------

    async def do_ehlo(self, command: str) -> bool:
        if not self.mood.ehlo_works:
            await self.say("502 5.5.1 Not implemented")
            return False
        offers = ["sink", *self.mood.extensions]
        if self.mood.starttls is not None:
            offers.append("STARTTLS")
        if self.mood.user:
            offers.append(f"AUTH {self.mood.mechanisms}")
        await self.say(*(f"250-{o}" for o in offers[:-1]), f"250 {offers[-1]}")
        return False

    async def do_helo(self, command: str) -> bool:
        await self.say("250 sink")
        return False

    async def do_starttls(self, command: str) -> bool:
        if self.mood.speaks_on_after_starttls:
            await self.say("220 2.0.0 Ready", "250 injected")
            return False
        await self.say("220 2.0.0 Ready")
        assert self.mood.starttls is not None
        await self.writer.start_tls(self.mood.starttls)
        return False

    async def do_auth(self, command: str) -> bool:
        expected = f"\0{self.mood.user}\0{self.mood.password}"
        words = command.split(" ")
        if words[1].upper() == "PLAIN":
            given = base64.b64decode(words[2]).decode()
        else:
            await self.say("334 VXNlcm5hbWU6")
            user = base64.b64decode(await self.reader.readline()).decode()
            await self.say("334 UGFzc3dvcmQ6")
            given = f"\0{user}\0{base64.b64decode(await self.reader.readline()).decode()}"
        self.logged_in = given == expected
        await self.say("235 2.7.0 In" if self.logged_in else "535 5.7.8 Wrong")
        return False

    async def do_mail(self, command: str) -> bool:
        if not self.logged_in:
            await self.say("530 5.7.0 Log in first")
            return False
        if self.mood.goodbye_after and self.letters >= self.mood.goodbye_after:
            await self.say("421 4.3.2 Enough for now")
            return True
        self.recipient = ""
        await self.say("250 2.1.0 Ok")
        return False

    async def do_rcpt(self, command: str) -> bool:
        address = command[command.index("<") + 1 : command.index(">")]
        trick = address.split("@")[0].split("+")[0]
        if trick == "droprcpt":
            return True
        if trick == "bye":
            await self.say("421 4.3.2 Bye")
            return True
        answer = self._rcpt_answer(trick, address)
        if answer.startswith("250"):
            self.recipient = address
        await self.say(answer)
        return False

    def _rcpt_answer(self, trick: str, address: str) -> str:
        if trick in _ENHANCED:
            return f"{trick} {_ENHANCED[trick]} No"
        fixed = {
            "full": "452 4.2.2 Mailbox full",
            "policy": "550 5.7.1 Not from you",
            "busy": "452 4.3.1 Disk full",
            "bare550": "550 No",
            "off": "550 5.2.1 Mailbox disabled",
        }
        if trick in fixed:
            return fixed[trick]
        if trick == "4xx" and self.sink.first_time(address):
            return "451 4.7.1 Greylisted"
        return "250 2.1.5 Ok"

    async def do_data(self, command: str) -> bool:
        if not self.recipient:
            await self.say("503 5.5.1 No valid recipients")
            return False
        trick = self.recipient.split("@")[0].split("+")[0]
        await self.say("354 Go on")
        if trick == "dropdata":
            await self.reader.readexactly(100)
            return True
        content = await self._content()
        slow = re.fullmatch(r"slow([0-9.]+)", trick)
        if slow:
            await asyncio.sleep(float(slow[1]))
        elif self.mood.dot_delay:
            await asyncio.sleep(self.mood.dot_delay)
        refusal = re.fullmatch(r"dot([45]\d\d)", trick)
        if refusal or trick == "big":
            code = refusal[1] if refusal else "552"
            enhanced = "5.3.4" if trick == "big" else f"{code[0]}.6.0"
            await self.say(f"{code} {enhanced} No, thank you")
            return False
        self.sink.ledger.accept(self.recipient, content)
        self.letters += 1
        if trick == "dropdot":
            return True
        if trick == "garbage":
            await self.say("what a nice letter")
            return False
        await self.say("252 2.0.0 Maybe" if trick == "dot252" else "250 2.0.0 Ok: queued")
        return False

    async def _content(self) -> bytes:
        lines: list[bytes] = []
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                raise ConnectionError
            if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
                self.sink.strict_errors.append("bare CR or LF")
            if len(line) > 1000:
                self.sink.strict_errors.append("a line is too long")
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    async def do_rset(self, command: str) -> bool:
        self.recipient = ""
        await self.say("250 2.0.0 Ok")
        return False

    async def do_noop(self, command: str) -> bool:
        await self.say("250 2.0.0 Ok")
        return False

    async def do_quit(self, command: str) -> bool:
        await self.say("221 2.0.0 Bye")
        return True
