"""One slice of sending: leases batches, arms a few deliveries at a time, hands them to the server.

    lease a batch ─ arm (one durable transaction: outcomes so far, gate, watermark) ─ render ─ SMTP
                     └──────────────── again for each step ────────────────────────────────┘

No more is armed than what leaves in about a tenth of a second, so a pause, a block or an
unsubscription takes effect within that. The next step is taken a little before the last is through,
in a moment in which all connections wait for the server, if there is one: so none of them waits for
the database.
After the slice nothing new is armed, but every answer that is owed is awaited.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import NamedTuple

from django.db import DatabaseError, transaction

from mailing.addresses import wire_address
from mailing.engine import circuit, faults, leases, ledger, runs, suppressions, sweeper
from mailing.engine.allowance import STEPS_A_SECOND, Allowance
from mailing.engine.budget import UNLIMITED, Rate
from mailing.engine.classify import ACCEPTED, Fault, Reply, Verdict
from mailing.engine.database import durable, keep_little, start_over
from mailing.engine.faults import Point
from mailing.engine.journal import Journal, JournalError, boot_id
from mailing.engine.leases import Holder, Lease, Row
from mailing.engine.ledger import Finding
from mailing.engine.letter import Content, Letter, Recipient, RenderError, Service
from mailing.engine.transport.pool import Pool, ServerDown
from mailing.engine.transport.server import MailServer
from mailing.engine.transport.session import Outgoing, Withheld
from mailing.enums import DeliveryState, Outcome, Stage
from mailing.models import Run, ServerGate

logger = logging.getLogger(__name__)

SLICE_SECONDS = 20.0
_STEP_SECONDS = 1 / STEPS_A_SECOND
_RENEW_SECONDS = 15.0
_TURN_SECONDS = 1.0
"""After so long on one batch the next run in turn is served, however slow the server is."""
_MOMENT_SECONDS = 0.005
_WRITE_AGAIN_SECONDS = (0.2, 0.5, 1, 2, 5, 10, 20)
_FIRST_STEP = 8
"""As many letters of a run are tried at first, until the server has taken one."""
_REFUSALS_IN_A_ROW = {Fault.POLICY: 10, Fault.PROTOCOL: 10, Fault.MESSAGE: 3}
"""After so many the rest of a run would fare no better: it is paused, and its owner decides."""
_RENDERED, _AFTER_REPLY = Point.RENDERED, Point.AFTER_REPLY  # as in `transport.session`
_new = tuple.__new__  # a NamedTuple's own constructor goes through a function in Python
_UNFIT = Verdict(Outcome.PERMANENT, DeliveryState.FAILED, Fault.MESSAGE)


@dataclass(slots=True, eq=False)
class _Batch:
    """A leased batch while its letters are under way."""

    lease: Lease
    letter: Letter
    revision: int
    rows: deque[Row]  # not armed yet
    armed_to: int = 0
    owed: int = 0  # armed, without an outcome
    is_withdrawn: bool = False  # nothing more of it leaves, not even what comes back

    @property
    def is_through(self) -> bool:
        return not self.rows and not self.owed


class _Step(NamedTuple):
    """The next few letters of a batch."""

    at: float  # monotonic
    pace: int  # letters that leave in a tenth of a second
    size: int  # of them, what may be armed now


class Sender:
    """Sends for one slice. Implements the transport's `Handler`."""

    def __init__(
        self,
        *,
        server: MailServer,
        service: Service,
        journal: Journal,
        host: str,
        clock: Callable[[], datetime],
        random: Random,
        server_rate: Rate = UNLIMITED,
        owner_rate: Rate = UNLIMITED,
        seconds: float = SLICE_SECONDS,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._server = server
        self._service = service
        self._journal = journal
        self._host = host
        self._clock = clock
        self._random = random
        self._owner_rate = owner_rate
        self._allowance = Allowance(server.name, server_rate, owner_rate, clock)
        self._throttled = False
        self._until = time.monotonic() + seconds
        self._interrupted = interrupted
        self._letters: dict[int, Letter] = {}
        self._batches: list[_Batch] = []
        self._current: _Batch | None = None
        self._released: set[int] = set()  # runs of batches given back, not settled yet
        self._window: deque[tuple[_Batch, Row]] = deque()  # armed, not composed
        self._composed: deque[tuple[_Batch, Row, Outgoing]] = deque()  # not handed over
        self._under_way: dict[int, tuple[_Batch, Row]] = {}  # handed over, not answered
        self._findings: list[Finding] = []  # not recorded yet
        self._second_chances: set[int] = set()
        self._proven: set[int] = set()  # runs of which the server has taken a letter
        self._refusals: dict[int, int] = {}  # in a row, by run
        self._hopeless: dict[int, tuple[int, Reply]] = {}  # runs to be paused: refusals, the last
        self._stopped = False
        self._exhausted = False
        self._look_again_at = 0.0  # after nothing was found, lest each connection look for itself
        self._left_some = False  # of a batch, for later
        self._was_fenced = False
        self._accepted = False
        self._sender_address = service.sender_address.encode("ascii")
        self._unix_time = 0
        self._step = server.connections
        self._armed_at = 0.0
        self._armed_at_step = 0
        self._turn_ends_at = 0.0
        self._moment_read_at = 0.0
        self._last_moment = clock()
        self._renewed_at = 0.0

    def run(self) -> bool:
        """Send until the slice ends or nothing waits; return whether work may be left for another.

        Whatever happens on the way, what is known of each letter has been recorded, or is in the
        journal, when this returns or raises.
        """
        keep_little()
        now = self._clock()
        sweeper.settle_journal(self._journal, now, host=self._host, random=self._random)
        ServerGate.objects.get_or_create(server=self._server.name)
        if self._allowance.server_is_spent():
            return False
        if circuit.is_open(self._server.name, now) or not self._lease_first():
            return False
        rows = len(self._current.rows) if self._current else 0
        try:
            Pool(self._server, self, self._beat).run(rows)
        except ServerDown as down:
            logger.warning("mail server %s: %s", self._server.name, down)
            if self._accepted:  # it was well until now: this failure is the first
                circuit.close_circuit(self._server.name)
                self._accepted = False
            circuit.open_circuit(
                self._server.name,
                str(down),
                configuration=down.configuration,
                now=self._clock(),
            )
            return False
        finally:
            self._finish()
        return not self._exhausted or self._left_some

    # --- What the transport asks and tells --------------------------------------------------------

    def next_letter(self) -> Outgoing | None:
        while not self._stopped and not self._composed and (self._window or self._next_step()):
            self._compose()
        if self._stopped or not self._composed:
            return None
        batch, row, letter = self._composed.popleft()
        self._under_way[row.id] = (batch, row)
        return letter

    def meanwhile(self, letters: int) -> None:
        while not self._stopped and self._window and len(self._composed) < letters:
            self._compose()

    def runs_low(self) -> bool:
        # On a slow server a step is a few letters for each connection, and the database takes
        # little of that time. Nor is any armed ahead of a run that the server may not want.
        if self._stopped or self._exhausted or self._throttled:
            return False
        connections = self._server.connections
        if self._step <= 4 * connections or self._armed() > connections:
            return False
        return self._current is None or self._current.lease.run_id in self._proven

    def restock(self) -> None:
        self._next_step()

    def has_letters(self) -> bool:
        return not self._stopped and (
            bool(self._composed) or bool(self._window) or not self._exhausted
        )

    def is_waiting(self) -> bool:
        return self._throttled and not self._stopped

    def stop(self) -> None:
        self._stopped = True
        self._left_some |= bool(self._armed())
        self._withdraw(self._batches)

    def about_to_dot(self, letter: Outgoing) -> None:
        self._journal.dot(letter.delivery_id, letter.attempt)

    def about_to_send(self) -> None:
        try:
            written = self._journal.write()
        except JournalError as error:
            logger.error("nothing is sent: %s", error)  # noqa: TRY400 - the text says it all
            raise Withheld from error
        if written:
            faults.point(Point.BEFORE_DOT)

    def answered(self, letter: Outgoing, stage: Stage, reply: Reply) -> bool:
        faults.point(_AFTER_REPLY)
        batch, row = self._under_way[letter.delivery_id]
        verdict, finding = ledger.judge(
            batch.lease.run_id,
            row.id,
            letter.attempt,
            stage,
            reply,
            at=self._moment(),
            random=self._random,
        )
        if finding is None or (
            verdict is not ACCEPTED
            and verdict.fault is Fault.PROTOCOL
            and verdict.state == DeliveryState.FAILED
            and row.id not in self._second_chances
        ):
            self._second_chances.add(row.id)
            del self._under_way[row.id]
            self._try_again(batch, row)
            return True
        if verdict is ACCEPTED:
            self._accepted = True
        self._note(batch, finding)
        # Not before: a task's time-out may interrupt at any line, and the answer must be somewhere.
        del self._under_way[row.id]
        self._judge_run(batch, verdict, reply)
        return verdict.hang_up

    def returned(self, letter: Outgoing, stage: Stage, reply: Reply) -> None:
        batch, row = self._under_way.pop(letter.delivery_id)
        if not reply.text or row.id not in self._second_chances:
            if reply.text:
                self._second_chances.add(row.id)
            self._try_again(batch, row)
            return
        # The connection ended twice at this letter: it may be the reason, so others go first.
        busy = Reply(451, text=reply.text)
        _verdict, finding = ledger.judge(
            batch.lease.run_id,
            row.id,
            letter.attempt,
            stage,
            busy,
            at=self._clock(),
            random=self._random,
        )
        if finding is not None:
            self._note(batch, finding._replace(reply=reply))

    def _judge_run(self, batch: _Batch, verdict: Verdict, reply: Reply) -> None:
        run_id = batch.lease.run_id
        if verdict is ACCEPTED:
            self._proven.add(run_id)
            if self._refusals:
                self._refusals.pop(run_id, None)
        elif (limit := _REFUSALS_IN_A_ROW.get(verdict.fault)) is not None:
            refused = self._refusals[run_id] = self._refusals.get(run_id, 0) + 1
            if refused >= limit:
                self._hopeless[run_id] = (refused, reply)
                self._withdraw(b for b in self._batches if b.lease.run_id == run_id)

    def _try_again(self, batch: _Batch, row: Row) -> None:
        """Let a letter leave next that has come back, unless its batch has been withdrawn."""
        self._window.appendleft((batch, row))
        self._left_some |= self._stopped
        if batch.is_withdrawn:
            self._take_back()

    def _withdraw(self, batches: Iterable[_Batch]) -> None:
        """Send nothing more of these batches, not even what is armed."""
        for batch in batches:
            batch.is_withdrawn = True
            batch.rows.clear()
        self._take_back()

    def _take_back(self) -> None:
        """Take what has been withdrawn from the letters that are armed."""
        for batch in [w[0] for w in self._window] + [c[0] for c in self._composed]:
            if batch.is_withdrawn:
                batch.owed -= 1
                self._armed_at_step -= 1
                self._allowance.spend(batch.lease.owner_id, -1)
        self._window = deque(w for w in self._window if not w[0].is_withdrawn)
        self._composed = deque(c for c in self._composed if not c[0].is_withdrawn)

    # --- Steps ------------------------------------------------------------------------------------

    def _lease_first(self) -> bool:
        """Lease before connecting, so that nobody connects for nothing; arm only when connected."""
        with transaction.atomic():
            self._current = self._lease()
        return self._current is not None

    def _next_step(self) -> bool:
        """Record what is known, then arm the next few deliveries; return whether there are any."""
        if self._stopped or self._interrupted() or time.monotonic() >= self._until:
            self.stop()
            return False
        if self._throttled and time.monotonic() < self._allowance.throttled_until:
            return False
        if (
            self._exhausted
            and time.monotonic() < self._look_again_at
            and not any(batch.is_through for batch in self._batches)
        ):
            return False
        try:
            rows = self._arm_next()
        except DatabaseError:
            logger.exception("nothing more is sent until the database answers")
            self.stop()
            return False
        batch = self._current
        if batch is None or not rows:
            self._throttled = time.monotonic() < self._allowance.throttled_until
            self._exhausted = not self._throttled
            self._look_again_at = time.monotonic() + _STEP_SECONDS
            return False
        self._throttled = self._exhausted = False
        self._unix_time = int(self._clock().timestamp())
        for row in rows:
            batch.rows.popleft()
            self._window.append((batch, row))
        batch.armed_to = rows[-1].id
        batch.owed += len(rows)
        self._armed_at_step = self._armed()
        return True

    def _arm_next(self) -> list[Row]:
        """Record, then arm deliveries of the current batch or of the next that has some."""
        while True:
            self._draw_consequences()
            self._take_turn()
            batch = self._current
            try:
                with durable():
                    # First, because a budget is the owner's gate: the order of `leases.lock`.
                    step = self._plan(batch) if batch is not None and batch.rows else None
                    self._record()
                    rows = self._arm(batch, step) if batch is not None and step is not None else []
                    through = self._release_finished()
                    faults.point(Point.INTENT_WRITTEN)
            except BaseException:  # a task's time-out too: nothing has been taken out after all
                self._allowance.forget()
                raise
            faults.point(Point.AFTER_INTENT)
            self._findings.clear()
            self._drop(through)
            self._settle_released()
            # What was given back just now may be leased again: a rate or a turn had held it back.
            if rows is None or rows or (batch is None and not through):
                return rows or []

    def _take_turn(self) -> None:
        """See that there is a current batch, if any waits, and that it is the turn of its run.

        In a transaction of its own: owner and run are locked before batches, or two senders, or a
        sender and a person who cancels, would wait for each other.
        """
        current = self._current
        if current is None or not current.rows:
            with transaction.atomic():
                self._current = self._lease()
        elif time.monotonic() >= self._turn_ends_at:
            with transaction.atomic():
                other = self._lease(besides=current.lease.run_id)
            self._turn_ends_at = time.monotonic() + _TURN_SECONDS
            if other is not None:
                current.rows.clear()  # they go back once what is owed is answered
                self._left_some = True
                self._current = other

    def _plan(self, batch: _Batch) -> _Step:
        """Take what the rates allow of the next step out of the budgets."""
        now = time.monotonic()
        pace = self._step_size(now)
        size = min(max(1, pace - self._armed()), len(batch.rows))
        if batch.lease.run_id not in self._proven:
            size = min(size, _FIRST_STEP)
        return _Step(now, pace, self._allowance.available(batch.lease.owner_id, size))

    def _arm(self, batch: _Batch, step: _Step) -> list[Row] | None:
        """Arm the next few of a batch and return them; None if the server may get no letter now."""
        if not step.size:
            # Only a server that is throttled stops all; an owner makes room for others.
            if self._allowance.server_is_dry():
                return None
            batch.rows.clear()
        while batch.rows:
            rows = [batch.rows[i] for i in range(min(step.size, len(batch.rows)))]
            faults.point(Point.BEFORE_INTENT)
            gate = leases.arm(batch.lease, rows[-1].id, self._clock())
            if gate is None:
                self._was_fenced = True  # another worker has it
                self._withdraw([batch])
            elif not gate.open:
                leases.disarm(batch.lease, batch.armed_to)
                self._withdraw([batch])
            elif gate.revision != batch.revision:
                leases.disarm(batch.lease, batch.armed_to)
                self._load(batch, after=batch.armed_to)
            else:
                self._allowance.spend(batch.lease.owner_id, len(rows))
                self._step, self._armed_at = step.pace, step.at
                return rows
        return []

    def _step_size(self, now: float) -> int:
        """Return how many letters leave in about a tenth of a second, as since the step before."""
        left = self._armed_at_step - self._armed()
        wanted = int(left * _STEP_SECONDS / max(now - self._armed_at, 1e-6))
        return max(self._server.connections, min(wanted, 4 * self._step))

    def _armed(self) -> int:
        """Return how many letters are armed and not handed over."""
        return len(self._window) + len(self._composed)

    def _lease(self, besides: int | None = None) -> _Batch | None:
        now = self._clock()
        holder = Holder(self._host, boot_id(), str(self._journal.path), self._journal.journal_id)
        dry = self._allowance.dry_owners()
        lease = leases.take(holder, now, self._owner_rate, dry, besides)
        if lease is None:
            return None
        faults.point(Point.LEASED)
        self._turn_ends_at = time.monotonic() + _TURN_SECONDS
        batch = _Batch(lease, self._letter(lease.run_id), 0, deque())
        self._batches.append(batch)
        if lease.is_expired:
            ledger.expire(lease.run_id, lease.first_id, lease.last_id)
        else:
            self._load(batch, after=0)
        return batch

    def _load(self, batch: _Batch, *, after: int) -> None:
        batch.revision, rows = leases.rows(batch.lease, after)
        suppressed = [row.id for row in rows if row.suppressed]
        if suppressed:
            ledger.mark_suppressed(suppressed)
        batch.rows = deque(row for row in rows if not row.suppressed)

    def _letter(self, run_id: int) -> Letter:
        letter = self._letters.get(run_id)
        if letter is None:
            run = Run.objects.select_related("mailing").get(pk=run_id)
            content = Content(run.subject, run.text, run.html, run.sender_name, run.reply_to)
            letter = Letter(
                content,
                self._service,
                run_id=run_id,
                mailing_id=run.mailing_id,
                mailing_name=run.mailing.name,
            )
            if len(self._letters) >= 20:
                self._letters.clear()
            self._letters[run_id] = letter
        return letter

    def _compose(self) -> None:
        """Compose the first letter of the window, or give it up."""
        batch, row = self._window.popleft()
        letter = self._render(batch, row)
        if letter is not None:
            self._composed.append((batch, row, letter))

    def _render(self, batch: _Batch, row: Row) -> Outgoing | None:
        delivery_id, address, normalized, attempts, first, middle, last, _suppressed = row
        if address != normalized:
            address = wire_address(address, normalized)
        recipient = _new(Recipient, (delivery_id, address, first, middle, last))
        if batch.lease.is_suspect and not self._note_composing(row):
            return None
        try:
            content = batch.letter.render(recipient, self._unix_time)
        except RenderError as error:
            self._fail(batch, row, str(error))
            return None
        except Exception as error:
            # Out of memory, or our bug: the others go on, unless it is the same with all of them.
            logger.exception("delivery %s cannot be composed", row.id)
            text = f"the letter cannot be composed ({type(error).__name__})"
            self._judge_run(batch, _UNFIT, self._fail(batch, row, text))
            return None
        if batch.lease.is_suspect and not self._note_composed(row):
            return None
        faults.point(_RENDERED)
        return _new(
            Outgoing,
            (
                delivery_id,
                attempts + 1,
                self._sender_address,
                address.encode(),
                content,
                not address.isascii(),  # needs SMTPUTF8
            ),
        )

    def _note_composing(self, row: Row) -> bool:
        return self._noted(lambda: self._journal.compose(row.id, row.attempts + 1))

    def _note_composed(self, row: Row) -> bool:
        return self._noted(lambda: self._journal.composed(row.id))

    def _noted(self, note: Callable[[], None]) -> bool:
        try:
            note()
        except JournalError as error:
            logger.error("nothing is sent: %s", error)  # noqa: TRY400 - the text says it all
            self.stop()
            return False
        return True

    def _fail(self, batch: _Batch, row: Row, text: str) -> Reply:
        """Give up a letter that has not become one; return what stands for the server's answer."""
        reply = Reply(0, text=text)
        finding = Finding(
            batch.lease.run_id,
            row.id,
            row.attempts + 1,
            self._clock(),
            DeliveryState.FAILED,
            Outcome.PERMANENT,
            Stage.RENDER,
            reply,
            None,
            False,
        )
        self._note(batch, finding)
        return reply

    def _moment(self) -> datetime:
        """Return the time, exact to a few milliseconds: answers that come together share theirs."""
        monotonic = time.monotonic()
        if monotonic - self._moment_read_at > _MOMENT_SECONDS:
            self._moment_read_at, self._last_moment = monotonic, self._clock()
        return self._last_moment

    # --- Outcomes ---------------------------------------------------------------------------------

    def _note(self, batch: _Batch, finding: Finding) -> None:
        batch.owed -= 1
        self._findings.append(finding)
        self._journal.answer(finding.delivery_id, finding.attempt, finding.stage, finding.reply)

    def _beat(self) -> None:
        """Once a second, also while an answer is awaited: record, and keep the leases."""
        if self._interrupted() or time.monotonic() >= self._until:
            self.stop()
        now = time.monotonic()
        if not self._findings and now - self._renewed_at < _RENEW_SECONDS:
            return
        try:
            self._draw_consequences()
            with transaction.atomic():
                self._record()
                if now - self._renewed_at >= _RENEW_SECONDS:
                    self._renewed_at = now
                    lost = [b for b in self._batches if not leases.renew(b.lease, self._clock())]
                    self._was_fenced |= bool(lost)
                    self._withdraw(lost)
        except DatabaseError:
            logger.exception("nothing more is sent until the database answers")
            self.stop()
        else:
            self._findings.clear()

    def _record(self) -> None:
        leases.lock([batch.lease for batch in self._batches])
        faults.point(Point.BEFORE_OUTCOME)
        ledger.record(self._findings)
        faults.point(Point.OUTCOME_WRITTEN)

    def _draw_consequences(self) -> None:
        """Do for addresses and runs what the answers ask for; in no transaction (`_arm_next`)."""
        suppressions.suppress_refused(self._findings)
        for run_id, (refused, reply) in self._hopeless.items():
            runs.pause_refused(run_id, refused, reply)
        self._hopeless.clear()

    def _release_finished(self) -> list[_Batch]:
        """Give back the batches that are through; return them, to be dropped after the commit."""
        through = [batch for batch in self._batches if batch.is_through]
        for batch in through:
            leases.release(batch.lease, self._clock())
        return through

    def _drop(self, through: list[_Batch]) -> None:
        for batch in through:
            self._batches.remove(batch)
            self._released.add(batch.lease.run_id)
            if batch is self._current:
                self._current = None

    def _settle_released(self) -> None:
        """Close the runs that may be through: not those of which this sender holds a batch."""
        for run_id in self._released - {batch.lease.run_id for batch in self._batches}:
            runs.settle(run_id, self._clock())
            self._released.discard(run_id)

    def _finish(self) -> None:
        """Record and release everything; try again while the database is away, for a while."""
        with suppress(JournalError):  # the database gets it, or the server's copies are unknown
            self._journal.write()
        for pause in (*_WRITE_AGAIN_SECONDS, None):
            try:
                self._draw_consequences()
                with transaction.atomic():
                    self._allowance.give_back()
                with durable():
                    self._record()
                    under_way = {id(batch) for batch, _row in self._under_way.values()}
                    for batch in self._batches:
                        if id(batch) not in under_way:
                            leases.release(batch.lease, self._clock())
                faults.point(Point.AFTER_OUTCOME)
                if self._accepted:
                    circuit.close_circuit(self._server.name)
                for run_id in self._released | {batch.lease.run_id for batch in self._batches}:
                    runs.settle(run_id, self._clock())
            except DatabaseError:
                if pause is None:
                    raise  # the journal has it all; the next sender or the sweeper reads it
                start_over()
                time.sleep(pause)
            else:
                self._findings.clear()
                # The sweeper may still need it, to know what of a lost batch has not left.
                if not self._under_way and not self._was_fenced:
                    with suppress(JournalError):  # the next sender empties it
                        self._journal.start()
                return
