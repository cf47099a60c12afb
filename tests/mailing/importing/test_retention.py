"""Nobody's file and nobody's faulty lines are kept for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from mailing.enums import ImportState
from mailing.importing import jobs, limits, retention
from mailing.models import ClientImport
from tests.mailing.importing.files import NOW, carry_out, make_import

pytestmark = pytest.mark.django_db


def aged(row: ClientImport, **ago: timedelta) -> ClientImport:
    ClientImport.objects.filter(pk=row.pk).update(**{k: NOW - age for k, age in ago.items()})
    return row


def test_an_abandoned_draft_goes_with_its_file(
    alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    old, young, running = (make_import(alice, ["email", "a@x.test"]) for _n in range(3))
    aged(old, created_at=timedelta(days=8))
    aged(young, created_at=timedelta(days=6))
    aged(running, created_at=timedelta(days=8))
    jobs.start(running, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        assert not retention.forget(NOW)
    assert set(ClientImport.objects.all()) == {young, running}
    storage = old.file.storage
    kept = [storage.exists(row.file.name) for row in (old, young, running)]
    assert kept == [False, True, True]


def test_an_old_report_loses_its_lines_and_keeps_its_figures(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_STEP", 2)
    old = carry_out(make_import(alice, ["email", "x", "y", "z"]))
    young = carry_out(make_import(alice, ["email", "x"]))
    aged(old, finished_at=timedelta(days=91))
    assert retention.forget(NOW)
    assert not retention.forget(NOW)
    old.refresh_from_db()
    assert (old.faulty, old.faults.count(), young.faults.count()) == (3, 0, 1)


def test_a_new_file_takes_the_place_of_the_oldest_draft(alice: User, bob: User) -> None:
    drafts = [make_import(alice, ["email", "a@x.test"]) for _n in range(limits.MOST_DRAFTS + 1)]
    other = make_import(bob, ["email", "a@x.test"])
    retention.make_room(alice.pk, NOW)
    assert set(ClientImport.objects.all()) == {*drafts[2:], other}
    assert set(ClientImport.objects.values_list("state", flat=True)) == {ImportState.DRAFT}


def test_a_file_that_no_import_has_is_deleted_after_a_while(alice: User, bob: User) -> None:
    retention.sweep_files(timezone.now())
    orphan, kept = (make_import(owner, ["email", "a@x.test"]) for owner in (bob, alice))
    bob.delete()
    retention.sweep_files(timezone.now())
    assert orphan.file.storage.exists(orphan.file.name), "its request may not have ended yet"
    retention.sweep_files(timezone.now() + timedelta(days=8))
    assert not orphan.file.storage.exists(orphan.file.name)
    assert kept.file.storage.exists(kept.file.name)
