"""Counts that statistics are read from, so that nobody counts millions of rows to see a page."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from mailing.enums import Cause, Outcome
from mailing.models.mailing import Mailing
from mailing.models.run import Run
from mailing.querysets import OwnedQuerySet


class HourlyCount(models.Model):
    """How many attempts of a mailing ended so within an hour: the sum of `n` over all such rows.

    `engine.hourly` adds a row for each key of a batch of outcomes, and later folds those into one.
    Hours, not days, so that everybody sees the days of their own time zone.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="+", db_index=False)
    hour = models.IntegerField()
    """Whole hours since 1970-01-01 00:00 UTC."""
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    cause = models.PositiveSmallIntegerField(choices=[(0, "—"), *Cause.choices])
    """0 if accepted: a unique key takes no NULL."""
    n = models.IntegerField()
    """Below zero where late evidence took an attempt away from an outcome."""
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    """The ids of these attempts lie from here to there: where the list looks for them."""
    folded = models.BooleanField(default=False, db_default=False)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailing", "hour", "outcome", "cause"],
                name="hourly_count_once",
                condition=models.Q(folded=True),
            )
        ]
        indexes = [
            models.Index(fields=["owner", "hour"], name="hourly_count_of_owner"),
            models.Index(fields=["hour"], name="hourly_count_of_all"),
            models.Index(
                fields=["id"], name="hourly_count_loose", condition=models.Q(folded=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mailing_id} {self.hour} {self.outcome} {self.cause}: {self.n}"


class RunTally(models.Model):
    """A copy of how the letters of a large completed run ended: to count a million takes a second.

    It holds while the run stays completed; `engine.ledger` takes it away if late evidence comes.
    """

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="+")
    states = models.JSONField()
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.run_id} at {self.counted_at}"


class DailyGrowth(models.Model):
    """How many more clients an owner had when a day (UTC) began than when the last one did."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField()
    change = models.IntegerField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "day"], name="daily_growth_once")]
        indexes = [models.Index(fields=["day"], name="daily_growth_of_all")]

    def __str__(self) -> str:
        return f"{self.owner_id} {self.day}: {self.change:+}"
