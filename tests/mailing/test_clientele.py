"""What is done to many clients at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import ModelLogEntry

from accounts.models import User
from mailing import clientele, lifecycle, tasks
from mailing.engine import audience, ledger
from mailing.enums import ClientAction, DeliveryState, SuppressionReason
from mailing.models import Batch, Client, ClientChange, ClientList, Delivery, Suppression
from mailing.models.client import MOST_TAGS
from mailing.selection import Selection
from tests.factories import NOW, make_client, make_clients, make_list, make_mailing
from tests.mailing.runs import arm, open_run

pytestmark = pytest.mark.django_db

ALL = Selection()


def do(
    owner: User, action: ClientAction, selection: Selection = ALL, **target: Any
) -> ClientChange:
    change = clientele.begin(owner, action, selection, **target)
    assert clientele.go_on(change, seconds=60)
    return change


def counts(change: ClientChange) -> tuple[int, int, int]:
    return change.changed, change.unchanged, change.refused


def suppress(client: Client, reason: SuppressionReason) -> None:
    Suppression.objects.create(
        owner=client.owner,
        email_normalized=client.email_normalized,
        reason=reason,
        created_at=NOW,
    )


class TestLists:
    def test_adding_counts_who_was_there(self, alice: User) -> None:
        old, new = make_client(alice), make_client(alice)
        chosen = make_list(alice, [old])
        change = do(alice, ClientAction.ADD, client_list=chosen)
        assert counts(change) == (1, 1, 0)
        assert set(chosen.clients.all()) == {old, new}

    def test_removing_keeps_the_clients(self, alice: User) -> None:
        inside, outside = make_client(alice), make_client(alice)
        chosen, other = make_list(alice, [inside]), make_list(alice, [inside])
        change = do(alice, ClientAction.REMOVE, client_list=chosen)
        assert counts(change) == (1, 1, 0)
        assert not chosen.clients.exists()
        assert list(other.clients.all()) == [inside]
        assert set(Client.objects.all()) == {inside, outside}

    def test_a_list_that_is_deleted_meanwhile_gets_nobody(self, alice: User) -> None:
        make_client(alice)
        chosen = make_list(alice)
        change = clientele.begin(alice, ClientAction.ADD, ALL, client_list=chosen)
        ClientList.objects.all().delete()
        assert clientele.go_on(change, seconds=60)
        assert counts(change) == (0, 0, 1)


class TestTags:
    def test_tags_are_added_to_those_that_are_there(self, alice: User) -> None:
        [garden] = clientele.tags_named(["garden"], owner=alice)
        tagged, plain = make_client(alice), make_client(alice)
        tagged.tags.add(garden)
        assert counts(do(alice, ClientAction.TAG, tags=["Garden"])) == (1, 1, 0)
        assert [t.name for t in plain.tags.all()] == ["garden"]

    def test_nobody_gets_more_than_a_form_could_hold(self, alice: User) -> None:
        full, plain = make_client(alice), make_client(alice)
        names = [f"tag {n}" for n in range(MOST_TAGS)]
        full.tags.set(clientele.tags_named(names, owner=alice))
        assert counts(do(alice, ClientAction.TAG, tags=["one more"])) == (1, 0, 1)
        assert full.tags.count() == MOST_TAGS
        assert plain.tags.count() == 1

    def test_removing_leaves_other_tags(self, alice: User) -> None:
        client = make_client(alice)
        make_client(alice)
        client.tags.set(clientele.tags_named(["a", "b"], owner=alice))
        assert counts(do(alice, ClientAction.UNTAG, tags=["A", "never"])) == (1, 1, 0)
        assert [t.name for t in client.tags.all()] == ["b"]


class TestExclusion:
    def test_an_owner_excludes_and_takes_back(self, alice: User, bob: User) -> None:
        client = make_client(alice, "anna@x.test")
        make_client(bob, "anna@x.test")
        assert counts(do(alice, ClientAction.EXCLUDE)) == (1, 0, 0)
        row = Suppression.objects.get()
        assert (row.owner, row.email_normalized) == (alice, client.email_normalized)
        assert row.reason == SuppressionReason.EXCLUDED
        assert counts(do(alice, ClientAction.EXCLUDE)) == (0, 1, 0)
        assert counts(do(alice, ClientAction.READMIT)) == (1, 0, 0)
        assert not Suppression.objects.exists()

    @pytest.mark.parametrize("reason", [SuppressionReason.UNSUBSCRIBED, SuppressionReason.BOUNCED])
    def test_what_others_have_said_stays(self, alice: User, reason: SuppressionReason) -> None:
        suppress(make_client(alice), reason)
        assert counts(do(alice, ClientAction.EXCLUDE)) == (0, 1, 0)
        assert counts(do(alice, ClientAction.READMIT)) == (0, 0, 1)
        assert Suppression.objects.get().reason == reason

    def test_letters_of_a_run_under_way_do_not_leave(self, alice: User) -> None:
        client = make_client(alice)
        mailing = make_mailing(alice, [client])
        lifecycle.send_now(mailing, form_key=uuid.uuid4(), by=alice, now=timezone.now())
        before = _revision(alice)
        do(alice, ClientAction.EXCLUDE)
        assert _revision(alice) > before, "senders read their rows again"


def _revision(owner: User) -> int:
    from mailing.models import OwnerGate

    gate = OwnerGate.objects.filter(owner=owner).first()
    return gate.revision if gate else 0


def test_deleting_cancels_what_has_not_left(alice: User) -> None:
    client = make_client(alice, "anna@x.test")
    lifecycle.send_now(
        make_mailing(alice, [client]), form_key=uuid.uuid4(), by=alice, now=timezone.now()
    )
    assert counts(do(alice, ClientAction.DELETE)) == (1, 0, 0)
    assert not Client.objects.exists()
    letter = Delivery.objects.get()
    assert (letter.state, letter.email) == (DeliveryState.CANCELLED, "")


def test_deleting_many_during_runs_costs_by_the_batch_and_spares_what_is_armed(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "BATCH_SIZE", 4)
    clients = make_clients(alice, [f"c{n}@x.test" for n in range(10)])
    runs = [open_run(alice, clients), open_run(alice, clients)]
    others = open_run(bob, 2)
    armed = runs[1].deliveries.order_by("pk")[5]
    arm(runs[1], armed)
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        ledger.cancel_for_clients([client.pk for client in clients])
    assert len(queries) < 3 * 2 * 2 + 5, "two for each batch"
    for letter in Delivery.objects.exclude(run=others):
        batch = Batch.objects.get(run=letter.run, first_id__lte=letter.pk, last_id__gte=letter.pk)
        if batch.first_id <= letter.pk <= batch.armed_to:
            assert (letter.state, letter.email[:1]) == (DeliveryState.PENDING, "c")
        else:
            assert (letter.state, letter.email) == (DeliveryState.CANCELLED, "")
            assert letter.email_normalized == f"erased {letter.pk}"
    assert set(others.deliveries.values_list("state", flat=True)) == {DeliveryState.PENDING}


@pytest.mark.parametrize("action", list(ClientAction))
def test_nothing_is_done_to_clients_of_others(alice: User, bob: User, action: ClientAction) -> None:
    theirs = make_client(bob, "anna@x.test")
    target: dict[str, Any] = {}
    if action in {ClientAction.ADD, ClientAction.REMOVE}:
        target = {"client_list": make_list(alice)}
    elif action in {ClientAction.TAG, ClientAction.UNTAG}:
        target = {"tags": ["a"]}
    change = do(alice, action, Selection(chosen=(theirs.pk,)), **target)
    assert counts(change) == (0, 0, 0)
    assert Client.objects.get() == theirs
    assert not theirs.tags.exists()
    assert not theirs.lists.exists()
    assert not Suppression.objects.exists()


class TestBatches:
    @pytest.fixture
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clientele, "_BATCH", 3)
        monkeypatch.setattr(clientele, "_LOOK_AHEAD", 7)

    def test_what_is_broken_off_goes_on_and_ends(self, alice: User, small: None) -> None:
        make_clients(alice, [f"c{n}@x.test" for n in range(20)])
        change = clientele.begin(alice, ClientAction.TAG, ALL, tags=["a"])
        steps = 0
        while not clientele.go_on(ClientChange.objects.get(pk=change.pk), seconds=0):
            steps += 1
        change.refresh_from_db()
        assert steps >= 6
        assert counts(change) == (20, 0, 0)
        assert Client.objects.filter(tags__name="a").count() == 20

    def test_two_workers_do_each_client_once(self, alice: User, small: None) -> None:
        make_clients(alice, [f"c{n}@x.test" for n in range(9)])
        change = clientele.begin(alice, ClientAction.TAG, ALL, tags=["a"])
        stale = ClientChange.objects.get(pk=change.pk)
        clientele.go_on(change, seconds=60)
        assert clientele.go_on(stale, seconds=60)
        change.refresh_from_db()
        assert counts(change) == (9, 0, 0)

    def test_what_leaves_the_filter_by_the_change_is_no_gap(self, alice: User, small: None) -> None:
        [tag] = clientele.tags_named(["a"], owner=alice)
        for client in make_clients(alice, [f"c{n}@x.test" for n in range(10)]):
            client.tags.add(tag)
        selection = Selection(filters=(("tag", str(tag.pk)),))
        assert counts(do(alice, ClientAction.UNTAG, selection, tags=["a"])) == (10, 0, 0)

    def test_clients_who_come_later_are_left_alone(self, alice: User) -> None:
        make_client(alice)
        change = clientele.begin(alice, ClientAction.DELETE, ALL)
        later = make_client(alice)
        clientele.go_on(change, seconds=60)
        assert list(Client.objects.all()) == [later]

    def test_what_a_blocked_person_has_begun_waits(self, alice: User) -> None:
        client = make_client(alice)
        inside = Selection(filters=(("list", str(make_list(alice, [client]).pk)),))
        clientele.begin(alice, ClientAction.TAG, inside, tags=["a"])
        User.objects.filter(pk=alice.pk).update(is_active=False)
        assert not clientele.carry_on()
        assert ClientChange.objects.get().finished_at is None
        User.objects.filter(pk=alice.pk).update(is_active=True)
        assert not clientele.carry_on()
        assert counts(ClientChange.objects.get()) == (1, 0, 0)

    def test_nobody_waits_for_the_many_clients_of_another(
        self, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clientele, "_BATCH", 1)
        make_clients(alice, [f"c{n}@x.test" for n in range(40)])
        make_client(bob)
        large, small = (
            clientele.begin(owner, ClientAction.TAG, ALL, tags=["a"]) for owner in (alice, bob)
        )
        while clientele.carry_on(0):
            pass
        for change in (large, small):
            change.refresh_from_db()
        assert large.finished_at is not None
        assert small.finished_at is not None
        assert small.finished_at < large.finished_at

    def test_the_tasks_end_it_and_leave_word(self, alice: User, small: None) -> None:
        make_clients(alice, [f"c{n}@x.test" for n in range(20)])
        clientele.begin(alice, ClientAction.TAG, ALL, tags=["a"])
        assert clientele.work_waits()
        tasks.change_clients()
        assert not clientele.work_waits()
        [told] = clientele.take_finished(alice)
        assert counts(told) == (20, 0, 0)
        assert clientele.take_finished(alice) == []


def test_one_entry_of_the_log_tells_of_all(alice: User, make_user: Callable[..., User]) -> None:
    make_clients(alice, ["a@x.test", "b@x.test"])
    do(alice, ClientAction.TAG, tags=["garden"])
    entry = ModelLogEntry.objects.get(action="mailing.clients.tag")
    assert (entry.user, entry.data["clients"]) == (alice, 2)
    assert "garden" in entry.label
