"""What is shown before anything is written."""

from __future__ import annotations

import pytest

from accounts.models import User
from mailing.enums import SuppressionReason
from mailing.importing import preview as previews
from mailing.importing.preview import Kind, preview
from mailing.models import Client, Suppression
from tests.factories import make_client
from tests.mailing.importing.files import NOW, make_import

pytestmark = pytest.mark.django_db


def test_it_says_what_becomes_of_each_row(alice: User, bob: User) -> None:
    make_client(alice, "there@x.test")
    make_client(bob, "new@x.test")
    Suppression.objects.create(
        owner=alice,
        email_normalized="gone@x.test",
        reason=SuppressionReason.UNSUBSCRIBED,
        created_at=NOW,
    )
    addresses = ("new@x.test", "There@x.test", "gone@x.test", "NEW@x.test", "wrong")
    found = preview(make_import(alice, ["E-mail,Shoe size", *(f"{a},1" for a in addresses)]))
    assert found.headings == ("E-mail", "Shoe size")
    kinds = [Kind.NEW, Kind.THERE, Kind.SUPPRESSED, Kind.REPEATED, Kind.FAULTY]
    assert [(row.line, kind) for row, kind, _why in found.shown] == list(enumerate(kinds, 2))
    assert found.counts == dict.fromkeys(kinds, 1)
    assert (found.rows, found.importable, found.is_whole) == (5, 3, True)
    assert [(f.line, f.value) for f in found.faults] == [(6, "wrong")]
    assert Client.objects.count() == 2


def test_of_a_long_file_it_checks_the_beginning(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "MOST_PREVIEWED", 4)
    monkeypatch.setattr(previews, "_STEP", 2)
    rows = [f"c{n}@x.test" for n in range(4)]
    assert preview(make_import(alice, ["email", *rows])).is_whole
    longer = preview(make_import(alice, ["email", *rows, "c4@x.test"]))
    assert (longer.rows, longer.is_whole) == (4, False)


def test_a_repetition_is_seen_across_steps(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "_STEP", 1)
    found = preview(make_import(alice, ["email", "a@x.test", "b@x.test", "a@x.test"]))
    assert found.counts[Kind.REPEATED] == 1
