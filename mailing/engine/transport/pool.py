"""Several SMTP connections in one thread: sockets, TLS, time-outs.

`Pool.run` works until the handler has no more letters and every answer that is owed has come. A
connection that fails is replaced while letters remain. A server that lets nobody in, or drops three
connections in a row without taking a letter, ends the run with ServerDown; what is under way on the
other connections is still awaited, so that nothing becomes unknown without need.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from mailing.engine import faults
from mailing.engine.classify import Reply
from mailing.engine.faults import Point
from mailing.engine.transport.server import MailServer, Security
from mailing.engine.transport.session import Handler, Session, Trouble, Withheld

_CHUNK = 65_536
_TLS_RECORD = 16_384
"""More at once could leave in part, and TLS would not say so."""
_TROUBLES_IN_A_ROW = 3
_WAITING_MS = 50
_TOGETHER = 4
"""So many connections are served before anything leaves: to wake a server that sleeps costs more
than a letter. While it takes these, the next ones are composed."""
_READ, _WRITE = select.POLLIN, select.POLLOUT
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class ServerDown(Exception):
    """The mail server cannot be used now. `configuration`: not before our settings change."""

    def __init__(self, reason: str, *, configuration: bool) -> None:
        super().__init__(reason)
        self.configuration = configuration


class _Phase(Enum):
    CONNECTING = "connecting"
    SHAKING_HANDS = "TLS handshake"
    OPEN = "open"


_OPEN, _AFTER_SEND = _Phase.OPEN, Point.AFTER_SEND  # names of their own as in `session`


class _Connection:
    """A socket with its session."""

    __slots__ = (
        "answers",
        "deadline",
        "interest",
        "patience",
        "phase",
        "portion",
        "session",
        "sock",
    )

    def __init__(self, sock: socket.socket, session: Session) -> None:
        self.sock = sock
        self.session = session
        self.phase = _Phase.CONNECTING
        self.interest = _WRITE
        self.portion: int | None = None  # as much as a system call takes
        self.answers = -1
        self.patience = 0.0
        self.deadline = 0.0

    def allow(self, seconds: float) -> None:
        self.patience = seconds
        self.deadline = time.monotonic() + seconds


class Pool:
    """`beat` is called about once a second while the pool works, also while it waits."""

    def __init__(self, server: MailServer, handler: Handler, beat: Callable[[], None]) -> None:
        self._server = server
        self._handler = handler
        self._beat = beat
        self._tls = server.tls_context() if server.security is not Security.NONE else None
        self._connections: dict[int, _Connection] = {}
        self._poll = select.poll()
        self._addresses: list[tuple[Any, ...]] = []
        self._troubles = 0
        self._down: ServerDown | None = None

    def run(self, connections: int) -> None:
        """Send all the handler's letters over up to `connections` connections at once.

        Raises ServerDown, after every letter under way has been answered or returned.
        """
        try:
            for _ in range(max(1, min(connections, self._server.connections))):
                self._connect()
            self._loop()
        finally:
            for connection in list(self._connections.values()):
                self._drop(connection, Reply(0, text="the sender was interrupted"))
        if self._down is not None:
            raise self._down

    def _loop(self) -> None:
        last_beat = time.monotonic()
        waiting = False
        while self._connections:
            # One round more than the wait lasts, for connections that are idle when it ends.
            was_waiting, waiting = waiting, self._handler.is_waiting()
            held_back = was_waiting or waiting
            ready = self._wait(_WAITING_MS if held_back else 1000)
            held_back = held_back or self._handler.is_waiting()
            for first in range(0, len(ready), _TOGETHER):
                self._serve(ready[first : first + _TOGETHER])
                self._handler.meanwhile(_TOGETHER)
            if held_back:
                self._go_on()
            now = time.monotonic()
            if now - last_beat >= 1.0:
                last_beat = now
                self._expire(now)
                self._beat()

    def _wait(self, milliseconds: int) -> list[tuple[int, int]]:
        """Return the connections that have something for us, with the events."""
        if self._handler.runs_low():
            ready = self._poll.poll(0)
            if ready:
                return ready
            self._handler.restock()
        return self._poll.poll(milliseconds)

    def _go_on(self) -> None:
        """Ask again for letters that a rate has held back, on the connections that are idle."""
        for connection in list(self._connections.values()):
            if connection.session.idle:
                connection.session.take()
                connection.allow(connection.session.patience)
                self._flush(connection)

    # --- One connection ---------------------------------------------------------------------------

    def _connect(self) -> None:
        if self._down is not None:
            return
        try:
            if not self._addresses:
                self._addresses = socket.getaddrinfo(
                    self._server.host, self._server.port, type=socket.SOCK_STREAM
                )
            family, kind, protocol, _name, address = self._addresses[0]
            sock = socket.socket(family, kind, protocol)
        except OSError as error:
            self._give_up(f"{self._server.host}: {error.strerror}")
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secure = self._server.security is Security.TLS
        connection = _Connection(sock, Session(self._server, self._handler, secure=secure))
        connection.allow(self._server.timeouts.connect)
        self._connections[sock.fileno()] = connection
        self._poll.register(sock, _WRITE)
        error_number = sock.connect_ex(address)
        if error_number not in {0, errno.EINPROGRESS}:
            self._failed(connection, Trouble(Reply(0, text=os.strerror(error_number))))

    def _serve(self, ready: Sequence[tuple[int, int]]) -> None:
        """Hear what some servers say, then answer each of them."""
        heard: list[_Connection] = []
        for descriptor, events in ready:
            connection = self._connections.get(descriptor)
            if connection is not None:
                self._hear(connection, events)
                heard.append(connection)
        try:
            self._handler.about_to_send()
        except Withheld:
            self._handler.stop()
            for connection in heard:
                if connection.sock.fileno() in self._connections:
                    self._drop(connection, Reply(0, text="the sender's journal cannot be written"))
            return
        for connection in heard:
            if connection.sock.fileno() in self._connections:
                self._flush(connection)

    def _hear(self, connection: _Connection, events: int) -> None:
        """Take what has come; whatever fails ends this connection alone."""
        try:
            if connection.phase is not _OPEN and not self._opens(connection, events):
                return
            if events & ~_WRITE:
                self._read(connection)
        except (Trouble, OSError) as error:
            self._failed(connection, _trouble(error))

    def _opens(self, connection: _Connection, events: int) -> bool:
        """Go on with connecting; return whether the connection is open."""
        if connection.phase is _Phase.CONNECTING:
            if events == _READ:
                return False  # meant for the connection that had this descriptor before
            self._connected(connection)
        if connection.phase is _Phase.SHAKING_HANDS:
            self._shake_hands(connection)
        return connection.phase is _OPEN

    def _connected(self, connection: _Connection) -> None:
        error = connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise Trouble(Reply(0, text=os.strerror(error)))
        connection.phase = _OPEN
        if self._server.security is Security.TLS:
            self._begin_tls(connection)

    def _begin_tls(self, connection: _Connection) -> None:
        assert self._tls is not None  # noqa: S101 - there is one whenever TLS is asked for
        connection.sock = self._tls.wrap_socket(
            connection.sock,
            server_hostname=self._server.host,
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,
        )
        connection.phase = _Phase.SHAKING_HANDS
        connection.portion = _TLS_RECORD

    def _shake_hands(self, connection: _Connection) -> None:
        assert isinstance(connection.sock, ssl.SSLSocket)  # noqa: S101 - set by _begin_tls
        try:
            connection.sock.do_handshake()
        except ssl.SSLWantReadError:
            self._watch(connection, _READ)
        except ssl.SSLWantWriteError:
            self._watch(connection, _WRITE)
        else:
            connection.phase = _OPEN
            if connection.session.wants_tls:
                connection.session.tls_started()

    def _read(self, connection: _Connection) -> None:
        session = connection.session
        while True:
            try:
                data = connection.sock.recv(_CHUNK)
            except _NOT_YET:
                return
            if not data:
                if session.leaving:
                    session.closed = True
                    return
                raise Trouble(Reply(0, text="the server closed the connection"))
            session.receive(data)
            session.take()
            # A TLS socket may hold bytes that are decrypted already and that poll does not see.
            pending = isinstance(connection.sock, ssl.SSLSocket) and connection.sock.pending()
            if len(data) < _CHUNK and not pending:
                return

    def _flush(self, connection: _Connection) -> None:
        """Send what the session has to say; whatever fails in it ends this connection alone."""
        if connection.phase is not _OPEN:
            return
        session = connection.session
        try:
            if session.outgoing:
                self._send(connection)
            if session.closed:
                self._drop(connection, Reply(0))
                self._replace()
            elif session.wants_tls and not session.outgoing:
                self._begin_tls(connection)
                self._shake_hands(connection)
                self._flush(connection)
            else:
                self._watch(connection, _READ | _WRITE if session.outgoing else _READ)
        except (Trouble, OSError) as error:
            self._failed(connection, _trouble(error))

    def _send(self, connection: _Connection) -> None:
        session = connection.session
        # A task's time-out may interrupt at any line; the bytes count as gone then.
        outgoing, session.outgoing = session.outgoing, b""
        try:
            sent = connection.sock.send(outgoing[: connection.portion])
        except OSError as error:
            session.outgoing = outgoing
            if not isinstance(error, _NOT_YET):
                raise
        else:
            faults.point(_AFTER_SEND)
            session.outgoing = outgoing[sent:]

    def _watch(self, connection: _Connection, interest: int) -> None:
        if interest != connection.interest:
            connection.interest = interest
            self._poll.modify(connection.sock, interest)

    # --- Time-outs and failures -------------------------------------------------------------------

    def _expire(self, now: float) -> None:
        """End what has waited too long. A stage counts from when this first sees it: a second."""
        for connection in list(self._connections.values()):
            session = connection.session
            if connection.phase is _OPEN and session.answers != connection.answers:
                # A new stage has begun. Within a stage, a server that drips bytes wins no time.
                connection.answers = session.answers
                connection.allow(session.patience)
            elif now > connection.deadline and not session.idle:
                text = f"no answer within {connection.patience:g} s"
                self._failed(connection, Trouble(Reply(0, text=text)))

    def _failed(self, connection: _Connection, trouble: Trouble) -> None:
        session = connection.session
        leaving, was_ready = session.leaving, session.ready
        self._drop(connection, trouble.reply)
        if leaving:
            self._replace()
            return
        if connection.phase is _Phase.CONNECTING and len(self._addresses) > 1:
            self._addresses.pop(0)
            self._connect()
            return
        self._troubles = 1 if session.accepted else self._troubles + 1
        if trouble.configuration:
            self._give_up(str(trouble), configuration=True)
        elif not was_ready:
            # Turned away while others are in: the server has enough of us, and those will do.
            if not self._connections:
                self._give_up(str(trouble))
        elif self._troubles >= _TROUBLES_IN_A_ROW:
            self._give_up(str(trouble))
        else:
            self._replace()

    def _give_up(self, reason: str, *, configuration: bool = False) -> None:
        self._down = self._down or ServerDown(reason, configuration=configuration)
        self._handler.stop()
        for connection in list(self._connections.values()):
            if not connection.session.ready:
                self._drop(connection, Reply(0))

    def _replace(self) -> None:
        if self._handler.has_letters():
            self._connect()

    def _drop(self, connection: _Connection, reply: Reply) -> None:
        if self._connections.pop(connection.sock.fileno(), None) is not None:
            self._poll.unregister(connection.sock)
        connection.sock.close()
        connection.session.lost(reply)


def _trouble(error: Trouble | OSError) -> Trouble:
    if isinstance(error, Trouble):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"the server's certificate is not valid: {error.verify_message}"
        return Trouble(Reply(0, text=text), configuration=True)
    return Trouble(Reply(0, text=error.strerror or type(error).__name__))
