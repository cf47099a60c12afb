"""Runs, their deliveries, the batches in which workers lease them, and the log of attempts."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from mailing.enums import OPEN_RUNS, Cause, DeliveryState, Outcome, RunStatus, Stage
from mailing.models.client import Client
from mailing.models.mailing import Mailing
from mailing.querysets import (
    COMMON_STATES,
    AttemptQuerySet,
    BatchQuerySet,
    DeliveryQuerySet,
    RunQuerySet,
)


class Run(models.Model):
    """One execution of a mailing for one occurrence, with the content as it was when it opened.

    Its letters may leave at `now` if and only if (`RunQuerySet.may_send`)

        sends_from IS NULL OR (sends_from <= now AND now < sends_until)

    Both are null if the mailing has no window. Otherwise they are the span of the window that is
    open or comes next; once it has closed, `planner.move_windows` puts the next one in their place.
    """

    mailing = models.ForeignKey(
        Mailing, on_delete=models.CASCADE, related_name="runs", verbose_name=_("mailing")
    )
    due_at = models.DateTimeField(_("due"))
    form_key = models.UUIDField(null=True, editable=False)
    status = models.CharField(_("status"), max_length=12, choices=RunStatus.choices)
    opened_at = models.DateTimeField(_("opened"))
    expires_at = models.DateTimeField(_("given up after"))
    sends_from = models.DateTimeField(_("letters leave from"), null=True)
    sends_until = models.DateTimeField(_("letters leave until"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    audience_size = models.PositiveIntegerField(_("audience"), default=0)
    served_at = models.DateTimeField(null=True, editable=False)
    """When a batch of this run was last leased: the fair share picks the oldest."""
    missed_since = models.DateTimeField(null=True, editable=False)
    """Of a missed run: the first date in a row that passed unsent; `due_at` is the last of them."""
    untold = models.BooleanField(default=False, db_default=False, editable=False)
    """Its owner is still to be told what has become of it (`mailing.notices`)."""

    subject = models.CharField(_("subject"), max_length=200, blank=True)
    html = models.TextField(blank=True)
    text = models.TextField(blank=True)
    sender_name = models.CharField(max_length=200, blank=True)
    reply_to = models.CharField(max_length=254, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ("-due_at", "-pk")
        constraints = [  # I1
            models.UniqueConstraint(fields=["mailing", "due_at"], name="run_occurrence_once"),
            models.UniqueConstraint(
                fields=["mailing", "form_key"],
                name="run_form_once",
                condition=~models.Q(form_key=None),
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=RunStatus.values), name="run_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(sends_from=None, sends_until=None)
                | models.Q(
                    sends_from__isnull=False,
                    sends_until__isnull=False,
                    sends_from__lt=models.F("sends_until"),
                ),
                name="run_window_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["sends_until"],
                name="run_window",
                condition=models.Q(status__in=sorted(OPEN_RUNS), sends_until__isnull=False),
            ),
            models.Index(
                fields=["mailing"], name="run_sending", condition=models.Q(status=RunStatus.SENDING)
            ),
            models.Index(fields=["mailing"], name="run_untold", condition=models.Q(untold=True)),
        ]

    def __str__(self) -> str:
        return f"{self.mailing} {self.due_at:%Y-%m-%d %H:%M}"


class Batch(models.Model):
    """About 1,000 deliveries of a run, `first_id` to `last_id`: what a worker leases at a time."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="batches", db_index=False)
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    done = models.BooleanField(default=False)
    due_at = models.DateTimeField()
    """Not leased before this instant."""

    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    missed_since = models.DateTimeField(null=True)
    """When the sweeper first found the lease run out while its holder may still write."""
    leased_at = models.DateTimeField(null=True)
    """The pass takes what was due at this instant; later deferrals wait for the next pass."""
    armed_to = models.BigIntegerField(default=0)
    """The intent watermark: deliveries of the pass up to this id may be on the wire (I5)."""
    host = models.CharField(max_length=100, blank=True)
    boot_id = models.CharField(max_length=40, blank=True)
    journal = models.CharField(max_length=200, blank=True)
    journal_id = models.UUIDField(null=True)
    is_suspect = models.BooleanField(default=False, db_default=False)
    """A sender has died with letters of it armed: the next note which one they compose."""

    objects = BatchQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lease_token=None, lease_until=None)
                | models.Q(lease_token__isnull=False, lease_until__isnull=False),
                name="batch_lease_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(first_id__lte=models.F("last_id")), name="batch_range"
            ),
        ]
        indexes = [
            models.Index(
                fields=["run", "due_at"], name="batch_waiting", condition=models.Q(done=False)
            ),
            models.Index(fields=["run", "first_id"], name="batch_by_run"),
            models.Index(
                fields=["lease_until"],
                name="batch_leased",
                condition=models.Q(lease_token__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.first_id}-{self.last_id}"


class Delivery(models.Model):
    """One run to one client. Only `engine.ledger` changes its state."""

    run = models.ForeignKey(
        Run,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,  # the unique constraint on run and address begins with it
        verbose_name=_("run"),
    )
    client = models.ForeignKey(
        Client,
        on_delete=models.SET_NULL,
        null=True,
        related_name="deliveries",
        db_index=False,  # the unique constraint on client and run begins with it
        verbose_name=_("client"),
    )
    email = models.CharField(_("address"), max_length=254)
    email_normalized = models.CharField(max_length=254)
    state = models.CharField(
        _("state"), max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True)
    last_code = models.PositiveSmallIntegerField(_("code"), null=True)
    last_reply = models.CharField(_("the server’s answer"), max_length=500, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("-pk",)
        constraints = [  # I2
            models.UniqueConstraint(fields=["client", "run"], name="delivery_client_once"),
            models.UniqueConstraint(
                fields=["run", "email_normalized"], name="delivery_address_once"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=[s for s in DeliveryState.values if s != DeliveryState.SENDING]
                ),
                name="delivery_state_known",
            ),
        ]
        indexes = [
            # Few letters are not sent: those of a state, of a run or of any, are found at once.
            # SQLite asks twice whether a letter that is recorded belongs there: before and after.
            models.Index(
                fields=["run", "state"],
                name="delivery_unsent",
                condition=models.Q(*(~models.Q(state=state) for state in COMMON_STATES)),
            )
        ]

    def __str__(self) -> str:
        return self.email


class Attempt(models.Model):
    """One SMTP transaction for a delivery. Append-only; an unknown one may still get its answer."""

    delivery = models.ForeignKey(
        Delivery,
        on_delete=models.CASCADE,
        related_name="log",
        db_index=False,  # the unique constraint begins with it
        verbose_name=_("delivery"),
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,  # the delivery's stands for it, and each letter would pay for it
        db_index=False,  # an index below begins with it
        verbose_name=_("owner"),
    )
    """That of the mailing, again: an owner's log is read from an index (ADR 0020)."""
    number = models.PositiveSmallIntegerField(_("number"))
    at = models.DateTimeField(_("time"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    stage = models.CharField(_("stage reached"), max_length=8, choices=Stage.choices)
    code = models.PositiveSmallIntegerField(_("code"), null=True)
    enhanced = models.CharField(_("enhanced code"), max_length=11, blank=True)
    reply = models.CharField(_("the server’s answer"), max_length=500, blank=True)
    cause = models.PositiveSmallIntegerField(_("cause"), choices=Cause.choices, null=True)
    """None if and only if the letter was accepted."""

    objects = AttemptQuerySet.as_manager()

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_once")
        ]  # I3
        indexes = [
            models.Index(fields=["owner", "id"], name="attempt_of_owner"),
            # Few are refused: among these any outcome, cause and code is found in the index alone.
            models.Index(
                fields=["owner", "id", "outcome", "cause", "code"],
                name="attempt_refused_of_owner",
                condition=models.Q(cause__isnull=False),
            ),
            models.Index(
                fields=["id", "outcome", "cause", "code"],
                name="attempt_refused",
                condition=models.Q(cause__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id}.{self.number}"
