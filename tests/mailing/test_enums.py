"""The tables of moves, whole: what is not listed here must not be possible."""

from __future__ import annotations

from mailing.enums import (
    DELIVERY_MOVES,
    MAILING_MOVES,
    OPEN_DELIVERIES,
    RUN_MOVES,
    DeliveryState,
    MailingStatus,
    RunStatus,
    mailing_sources,
)


def moves(table: dict) -> set[tuple[str, str]]:
    return {(source.value, target.value) for source, targets in table.items() for target in targets}


def test_each_state_has_its_row() -> None:
    assert set(MAILING_MOVES) == set(MailingStatus)
    assert set(RUN_MOVES) == set(RunStatus)
    assert set(DELIVERY_MOVES) == set(DeliveryState)


def test_mailings() -> None:
    assert moves(MAILING_MOVES) == {
        ("created", "scheduled"),
        ("created", "sending"),
        ("scheduled", "sending"),
        ("scheduled", "paused"),
        ("scheduled", "deactivated"),
        ("scheduled", "completed"),
        ("sending", "scheduled"),
        ("sending", "paused"),
        ("sending", "deactivated"),
        ("sending", "completed"),
        ("paused", "scheduled"),
        ("paused", "sending"),
        ("paused", "deactivated"),
        ("paused", "completed"),
        ("deactivated", "paused"),
        ("completed", "sending"),
    }


def test_runs() -> None:
    assert moves(RUN_MOVES) == {
        ("sending", "paused"),
        ("sending", "completed"),
        ("sending", "cancelled"),
        ("paused", "sending"),
        ("paused", "cancelled"),
        ("completed", "sending"),
    }


def test_deliveries() -> None:
    assert moves(DELIVERY_MOVES) == {
        ("pending", "sending"),
        ("pending", "suppressed"),
        ("pending", "cancelled"),
        ("pending", "expired"),
        ("deferred", "sending"),
        ("deferred", "suppressed"),
        ("deferred", "cancelled"),
        ("deferred", "expired"),
        ("sending", "pending"),
        ("sending", "sent"),
        ("sending", "deferred"),
        ("sending", "failed"),
        ("sending", "unknown"),
        ("unknown", "sent"),
        ("unknown", "pending"),
        ("failed", "pending"),
    }


def test_an_open_delivery_is_one_that_may_become_sending() -> None:
    assert {
        source for source, targets in DELIVERY_MOVES.items() if DeliveryState.SENDING in targets
    } == OPEN_DELIVERIES


def test_only_a_manager_leads_out_of_deactivated() -> None:
    assert mailing_sources(MailingStatus.SCHEDULED) == [
        MailingStatus.CREATED,
        MailingStatus.SENDING,
        MailingStatus.PAUSED,
    ]
