"""The hardened cluster as a process: whatever dies, work goes on, and what is told to stop stops.

`docs/adr/0007-a-hardened-cluster.md` says what the stock command does instead.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.installation import (
    Installation,
    Running,
    a_minute_ago,
    children_of,
    is_alive,
    wait_for,
)

SOON = 15.0
"""Seconds within which work must go on. 60 are promised; a few are what it takes."""

Install = Callable[..., Installation]


@pytest.fixture(scope="module", autouse=True)
def hung(
    migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Installation, int]]:
    """A cluster with a stopped sentinel, begun early: it takes half a minute to be noticed."""
    installation = Installation(tmp_path_factory.mktemp("hung"))
    shutil.copyfile(migrated, installation.database)
    with installation.cluster() as cluster:
        sentinel = cluster.sentinel()
        os.kill(sentinel, signal.SIGSTOP)
        yield installation, sentinel


def all_gone(pids: list[int]) -> bool:
    return not any(is_alive(pid) for pid in pids)


@pytest.mark.parametrize("victim", [0, 1, 2, 3], ids=["worker 1", "worker 2", "monitor", "pusher"])
def test_when_a_member_of_the_idle_cluster_is_killed_work_goes_on(
    installation: Installation, victim: int
) -> None:
    with installation.cluster() as cluster:
        former = cluster.descendants()
        os.kill(cluster.members()[victim], signal.SIGKILL)
        installation.await_work(within=SOON)
        wait_for(lambda: all_gone(former), within=SOON, what="the whole cluster to be replaced")
        installation.await_work(within=SOON)
        assert cluster.process.poll() is None


def test_when_the_sentinel_is_killed_work_goes_on_and_no_worker_is_left_behind(
    installation: Installation,
) -> None:
    with installation.cluster() as cluster:
        former = cluster.descendants()
        os.kill(cluster.sentinel(), signal.SIGKILL)
        installation.await_work(within=SOON)
        assert all_gone(former)


def test_when_a_busy_worker_is_killed_the_other_finishes_its_task_first(
    installation: Installation,
) -> None:
    with installation.cluster():
        installation.enqueue("work", "cut", 60)
        victim = installation.await_note("cut-begun", within=SOON)
        installation.enqueue("work", "spared", 2)
        installation.await_note("spared-begun", within=SOON)
        os.kill(victim, signal.SIGKILL)
        installation.await_work(within=SOON)
    assert "spared-done" in installation.noted()
    assert "cut-done" not in installation.noted()


def test_a_task_that_died_with_the_cluster_comes_back(install: Install) -> None:
    installation = install(Q_TIMEOUT="3", Q_RETRY="5")
    with installation.cluster():
        installation.enqueue("work", "cut", 1)
        os.kill(installation.await_note("cut-begun", within=SOON), signal.SIGKILL)
        installation.await_note("cut-done", within=30)
    assert installation.noted().count("cut-begun") == 2


def test_when_the_main_process_is_killed_no_child_is_left(installation: Installation) -> None:
    with installation.cluster() as cluster:
        installation.enqueue("work", "orphan", 60)
        installation.await_note("orphan-begun", within=SOON)
        children = cluster.descendants()
        assert len(children) == 5
        cluster.process.kill()
        wait_for(lambda: all_gone(children), within=10, what="the children to die")


def test_told_to_stop_it_stops_cleanly(installation: Installation) -> None:
    with installation.cluster() as cluster:
        children = cluster.descendants()
        cluster.process.terminate()
        assert cluster.await_exit(within=10) == 0
        assert all_gone(children)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_to_the_whole_group_lets_the_running_task_finish(
    installation: Installation, number: signal.Signals
) -> None:
    """That is what a terminal does on Ctrl-C, and honcho with a Procfile."""
    with installation.cluster() as cluster:
        installation.enqueue("work", "short", 1)
        installation.await_note("short-begun", within=SOON)
        children = cluster.descendants()
        os.killpg(cluster.pid, number)
        assert cluster.await_exit(within=SOON) == 0
        assert installation.noted().count("short-done") == 1
        assert all_gone(children)
        assert installation.waiting_tasks() == 0


def test_a_signal_to_every_single_process_lets_the_running_task_finish(
    installation: Installation,
) -> None:
    """systemd's default, KillMode=control-group."""
    with installation.cluster() as cluster:
        installation.enqueue("work", "short", 1)
        installation.await_note("short-begun", within=SOON)
        children = cluster.descendants()
        for pid in [cluster.pid, *children]:
            os.kill(pid, signal.SIGTERM)
        assert cluster.await_exit(within=SOON) == 0
        assert installation.noted().count("short-done") == 1
        assert all_gone(children)


@pytest.mark.parametrize("victim", [0, 1], ids=["worker 1", "worker 2"])
def test_it_stops_even_if_a_worker_has_just_died(installation: Installation, victim: int) -> None:
    """The dead worker may hold the lock of the queue: the others never hear that they must end."""
    with installation.cluster() as cluster:
        workers = cluster.members()[:2]
        os.kill(cluster.sentinel(), signal.SIGSTOP)  # so that it does not replace the cluster first
        os.kill(workers[victim], signal.SIGKILL)
        cluster.process.terminate()
        os.kill(cluster.sentinel(), signal.SIGCONT)
        assert cluster.await_exit(within=40) == 0
        assert all_gone(workers)


def test_told_to_stop_while_it_starts_it_stops(installation: Installation) -> None:
    with installation.running("qcluster") as cluster:
        wait_for(lambda: children_of(cluster.pid) != [], within=SOON, what="the sentinel")
        cluster.process.terminate()
        assert cluster.await_exit(within=SOON) == 0


def test_a_task_over_its_time_costs_one_worker_and_nothing_else(install: Install) -> None:
    installation = install(Q_TIMEOUT="2", Q_RETRY="60")
    with installation.cluster() as cluster:
        installation.enqueue("work", "long", 60)
        installation.enqueue("be_stuck", "deaf")
        workers = {
            installation.await_note(f"{word}-begun", within=SOON) for word in ("long", "deaf")
        }
        wait_for(lambda: all_gone(list(workers)), within=SOON, what="both workers to be replaced")
        for word in ("after-1", "after-2"):
            installation.run_task(word, within=SOON)
        assert len(cluster.members()) == 4
    assert "long-done" not in installation.noted()


def test_two_clusters_run_no_task_twice(installation: Installation) -> None:
    tasks = [f"task-{number}" for number in range(60)]
    ticks = [f"tick-{number}" for number in range(20)]
    with installation.cluster(), installation.cluster():
        for word in tasks:
            installation.enqueue("note", word)
        for word in ticks:
            installation.schedule(word, a_minute_ago())
        wait_for(
            lambda: {*tasks, *ticks} <= set(installation.noted()), within=40, what="all the tasks"
        )
        wait_for(lambda: installation.waiting_tasks() == 0, within=SOON, what="an empty queue")
    words = [word for word in installation.noted() if word != "ready"]
    assert sorted(words) == sorted(tasks + ticks)


@contextmanager
def as_first_process(installation: Installation) -> Iterator[Running]:
    """Run the cluster as process 1 of its PID namespace, as a container does."""
    command = [
        "unshare",
        "--pid",
        "--fork",
        "--kill-child",
        sys.executable,
        "manage.py",
        "qcluster",
    ]
    running = Running(installation, command)
    try:
        installation.run_task("ready", within=30)
        yield running
    finally:
        running.end()


def may_unshare() -> bool:
    unshare = shutil.which("unshare")
    return unshare is not None and (
        subprocess.run([unshare, "--pid", "--fork", "true"], capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not may_unshare(), reason="needs the right to make PID namespaces")
def test_it_works_as_the_first_process_of_a_container(installation: Installation) -> None:
    with as_first_process(installation) as container:
        (cluster,) = children_of(container.pid)
        children = container.descendants()
        os.kill(cluster, signal.SIGTERM)
        assert container.await_exit(within=SOON) == 0
        assert all_gone(children)


def test_a_sentinel_that_hangs_is_replaced(hung: tuple[Installation, int]) -> None:
    """It would neither restart a worker nor look at the schedules."""
    installation, sentinel = hung
    wait_for(lambda: not is_alive(sentinel), within=45, what="the sentinel to be killed")
    installation.await_work(within=SOON)
