"""The django-q2 cluster, hardened against what stops the stock one for good.

    supervisor (this command) ── sentinel, leader of a process group of its own ── workers, helpers

* A worker that dies without being asked may take the lock of the shared queue with it, and then
  no other worker gets a task ever again (django-q2 issue 23). So the whole cluster is dropped,
  once the other workers are through with their tasks, and started anew.
* The same happens when tasks wait but no worker takes one, or when the sentinel itself hangs.
* Whoever loses its parent dies (PR_SET_PDEATHSIG), so a killed supervisor leaves no orphans.
* SIGTERM and SIGINT, to this process, its group or every single process, finish the running tasks:
  only the supervisor listens, so no worker is hit in the middle of a letter.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import multiprocessing
import os
import signal
import threading
import time
import uuid
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections
from django_q.brokers import get_broker
from django_q.cluster import Sentinel
from django_q.conf import Conf
from django_q.scheduler import scheduler
from django_q.status import Stat

from mailing import heartbeat, tasks
from site_project import page_cache

logger = logging.getLogger("mailing.qcluster")

_CYCLE_SECONDS = 1.0
_SCHEDULES_EVERY_SECONDS = 5.0
_STUCK_AFTER_SECONDS = 30.0
_ENDS_WITHIN_SECONDS = 5.0
_RESTART_PAUSES_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
_CALM_AFTER_SECONDS = 60.0
_PR_SET_PDEATHSIG = 1
# Values of a worker's timer; above zero it counts down while a task runs.
_TIMED_OUT, _RECYCLED = 0, -2

_parent_pid = 0


class HardenedSentinel(Sentinel):
    """The stock sentinel with a guard that gives the cluster up rather than patch it."""

    def __init__(self, *args: Any, alive_at: Any, **kwargs: Any) -> None:
        self._alive_at = alive_at
        self._stuck_since: float | None = None
        super().__init__(*args, **kwargs)

    def start(self) -> None:
        # systemd sends SIGTERM to every process of a service; the supervisor's answer is enough.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        page_cache.drop_all()  # a worker that died may have owed a drop
        super().start()

    def guard(self) -> None:
        """Watch over the cluster until it is asked to stop."""
        self.start_event.set()
        logger.info("cluster is running with %d workers", self.pool_size)
        next_pulse = next_schedules = 0.0
        while not self.stop_event.wait(_CYCLE_SECONDS):
            now = time.monotonic()
            self._alive_at.value = now
            self._check_processes()
            self._check_queue(now)
            if now >= next_schedules:
                next_schedules = now + _SCHEDULES_EVERY_SECONDS
                scheduler(broker=self.broker)
            if now >= next_pulse:
                next_pulse = now + heartbeat.BEAT_EVERY.total_seconds()
                self._send_pulse()
            Stat(self).save()
        self.stop()

    def stop(self) -> None:
        logger.info("cluster is finishing its tasks")
        threading.Thread(target=self._end_in_time, daemon=True).start()
        super().stop()

    def _end_in_time(self) -> None:
        """Give up if the end does not come although every worker is idle: a lock is lost."""
        idle_seconds = 0.0
        while idle_seconds < _ENDS_WITHIN_SECONDS:
            time.sleep(_CYCLE_SECONDS)
            idle_seconds = 0.0 if self._is_busy() else idle_seconds + _CYCLE_SECONDS
        self._give_up("it does not end")

    def _check_processes(self) -> None:
        for process in list(self.pool):
            if process.is_alive() and process.timer.value != _TIMED_OUT:
                self._count_down(process)
            elif process.timer.value in {_TIMED_OUT, _RECYCLED}:
                self.reincarnate(process)  # expected: it holds no lock
            else:
                self._give_up_when_idle(f"worker {process.pid} has died")
        for helper in (self.monitor, self.pusher):
            if not helper.is_alive():
                self._give_up_when_idle(f"helper {helper.pid} has died")

    def _count_down(self, process: Any) -> None:
        """Take a cycle off the time of a running task; kill a worker whose task will not end."""
        with process.timer.get_lock():
            if process.timer.value > 0:
                process.timer.value = max(process.timer.value - _CYCLE_SECONDS, _TIMED_OUT)
                if process.timer.value == _TIMED_OUT:
                    process.kill()

    def _check_queue(self, now: float) -> None:
        """Give up if tasks wait although every worker is idle: the queue's lock is lost."""
        waiting = Conf.QSIZE and self.task_queue.qsize() > 0
        if not waiting or self._is_busy():
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = now
        elif now - self._stuck_since > _STUCK_AFTER_SECONDS:
            self._give_up("tasks wait, but no worker takes one")

    def _send_pulse(self) -> None:
        try:
            tasks.send_pulse()
        except Exception as error:  # noqa: BLE001 - each broker has its own kinds of failure
            logger.warning("the queue cannot be reached: %s", type(error).__name__)

    def _is_busy(self) -> bool:
        return any(process.is_alive() and process.timer.value > 0 for process in list(self.pool))

    def _give_up_when_idle(self, reason: str) -> None:
        if not self._is_busy():
            self._give_up(reason)

    def _give_up(self, reason: str) -> None:
        logger.error("the cluster is given up: %s", reason)
        os.killpg(os.getpgrp(), signal.SIGKILL)


class Command(BaseCommand):
    help = "Run the task queue: scheduled mailings, letters, account mails. Stop it with SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--run-once", action="store_true", help="start, then stop at once")

    def handle(self, *args: Any, **options: Any) -> None:
        self._stopping = bool(options["run_once"])
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        os.register_at_fork(before=_note_parent, after_in_child=_die_with_parent)
        failures = 0
        while True:
            started = time.monotonic()
            self._run_cluster()
            if time.monotonic() - started > _CALM_AFTER_SECONDS:
                failures = 0
            self._wait(_RESTART_PAUSES_SECONDS[min(failures, len(_RESTART_PAUSES_SECONDS) - 1)])
            if self._stopping:
                return
            failures += 1

    def _on_signal(self, number: int, _frame: object) -> None:
        # Only a note: stopping from inside a handler can deadlock (django-q2 issue 346).
        self._stopping = True

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            time.sleep(0.1)

    def _run_cluster(self) -> None:
        """Run one cluster until it ends or this command is told to stop."""
        context = multiprocessing.get_context("fork")
        stop, start = context.Event(), context.Event()
        alive_at = context.RawValue("d", time.monotonic())
        connections.close_all()  # no socket may be shared with a child
        # What is loaded by now stays: no worker need look there for garbage in the midst of a run.
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000)  # letters leave none; a batch of them is thousands of tuples
        sentinel = context.Process(target=_sentinel, args=(stop, start, alive_at))
        sentinel.start()
        group = sentinel.ident or 0
        with suppress(OSError):
            os.setpgid(group, group)
        try:
            self._watch(sentinel, start, alive_at)
            if sentinel.is_alive() and self._stopping:
                stop.set()
                sentinel.join(settings.Q_CLUSTER["timeout"] + 30)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
            sentinel.join()

    def _watch(self, sentinel: Any, start: Any, alive_at: Any) -> None:
        while sentinel.is_alive():
            if self._stopping and start.is_set():
                return
            if time.monotonic() - alive_at.value > _STUCK_AFTER_SECONDS:
                logger.error("the sentinel hangs: the cluster starts anew")
                return
            sentinel.join(0.2)
        if not self._stopping:
            logger.error("the cluster has ended (exit code %s)", sentinel.exitcode)


def _sentinel(stop: Any, start: Any, alive_at: Any) -> None:
    os.setpgid(0, 0)
    HardenedSentinel(stop, start, uuid.uuid4(), get_broker(), alive_at=alive_at)


def _note_parent() -> None:
    global _parent_pid
    _parent_pid = os.getpid()


def _die_with_parent() -> None:
    """Ask the kernel to kill this child when its parent dies. Linux only; elsewhere a no-op."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != _parent_pid:
            os._exit(1)  # it has died already
