"""Mailings: a message, an audience and a schedule."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from timezone_field import TimeZoneField

from mailing.addresses import refuse_hidden_characters
from mailing.enums import ACTIVE_MAILINGS, MailingStatus, MonthDay, Unit
from mailing.intervals import interval_name
from mailing.models.client import Client, ClientList
from mailing.models.message import Message
from mailing.models.owned import OwnedModel
from mailing.querysets import DatePeriodQuerySet, MailingQuerySet
from mailing.schedule import Schedule
from mailing.window import Window

MOST_RUNS = 1000
_ALL_WEEKDAYS = 2**7 - 1


def refuse_seconds(moment: datetime) -> None:
    """A validator: mailings fall due on whole minutes."""
    if moment.second or moment.microsecond:
        raise ValidationError(gettext("Choose a whole minute, without seconds."))


class DatePeriod(models.Model):
    """A sending interval, shared by all owners; managers may add some.

    Which day or weekday it falls on comes from the start of each mailing that uses it.
    """

    unit = models.CharField(_("unit"), max_length=10, choices=Unit.choices)
    count = models.PositiveSmallIntegerField(_("how many"), default=1)
    month_day = models.CharField(
        _("day of the month"),
        max_length=12,
        choices=MonthDay.choices,
        default=MonthDay.SAME_DAY,
        db_default=MonthDay.SAME_DAY,
    )

    objects = DatePeriodQuerySet.as_manager()

    class Meta:
        verbose_name = _("interval")
        verbose_name_plural = _("intervals")
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["unit", "count", "month_day"], name="date_period_once"),
            models.CheckConstraint(
                condition=models.Q(count__gte=1) & (~models.Q(unit=Unit.ONCE) | models.Q(count=1)),
                name="date_period_count",
            ),
            models.CheckConstraint(
                condition=models.Q(month_day=MonthDay.SAME_DAY)
                | models.Q(unit=Unit.MONTH, month_day__in=MonthDay.values),
                name="date_period_month_day",
            ),
        ]

    def __str__(self) -> str:
        return interval_name(Unit(self.unit), self.count, MonthDay(self.month_day))

    @property
    def is_once(self) -> bool:
        return self.unit == Unit.ONCE


class Mailing(OwnedModel):
    """Its `status` and `next_due_at` alone decide what `lifecycle` and the planner do with it."""

    name = models.CharField(_("name"), max_length=150, validators=[refuse_hidden_characters])
    message = models.ForeignKey(
        Message,
        on_delete=models.PROTECT,
        null=True,
        related_name="mailings",
        verbose_name=_("message"),
    )
    """None once the mailing is deleted, so that the message can go too; runs keep their letter."""
    lists = models.ManyToManyField(
        ClientList, blank=True, related_name="mailings", verbose_name=_("client lists")
    )
    clients = models.ManyToManyField(
        Client, blank=True, related_name="mailings", verbose_name=_("single clients")
    )
    period = models.ForeignKey(
        DatePeriod, on_delete=models.PROTECT, related_name="mailings", verbose_name=_("interval")
    )
    starts_at = models.DateTimeField(
        pgettext_lazy("schedule", "start"), validators=[refuse_seconds]
    )
    ends_at = models.DateTimeField(_("last possible sending"), null=True, blank=True)
    max_runs = models.PositiveSmallIntegerField(_("number of dates"), null=True, blank=True)
    """It ends by date or by number; without either it goes on."""
    weekdays = models.PositiveSmallIntegerField(_("weekdays"), default=0, db_default=0, blank=True)
    """A bit for each, Monday is 1; 0 means that none is chosen (see `schedule`)."""
    window_from = models.TimeField(_("letters leave from"), null=True, blank=True)
    window_until = models.TimeField(_("letters leave until"), null=True, blank=True)
    time_zone = TimeZoneField(_("time zone"), use_pytz=False)
    status = models.CharField(
        _("status"), max_length=12, choices=MailingStatus.choices, default=MailingStatus.CREATED
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    next_due_at = models.DateTimeField(_("next sending"), null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = MailingQuerySet.as_manager()

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        ordering = ("-created_at",)
        permissions = [
            ("view_every_owner", _("Can see the clients, messages and mailings of every owner")),
            ("deactivate_mailing", _("Can deactivate mailings of other owners")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=MailingStatus.values), name="mailing_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(message__isnull=False) | models.Q(deleted_at__isnull=False),
                name="mailing_has_message",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(ends_at__gte=models.F("starts_at")),
                name="mailing_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at=None) | models.Q(max_runs=None), name="mailing_one_end"
            ),
            models.CheckConstraint(
                condition=models.Q(max_runs=None) | models.Q(max_runs__range=(1, MOST_RUNS)),
                name="mailing_number_of_runs",
            ),
            models.CheckConstraint(
                condition=models.Q(weekdays__lte=_ALL_WEEKDAYS), name="mailing_weekdays_known"
            ),
            models.CheckConstraint(
                condition=models.Q(window_from=None, window_until=None)
                | models.Q(window_from__isnull=False, window_until__isnull=False)
                & ~models.Q(window_from=models.F("window_until")),
                name="mailing_window_opens",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_due_at"],
                name="mailing_due",
                condition=models.Q(status__in=sorted(ACTIVE_MAILINGS), deleted_at=None),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_deactivated(self) -> bool:
        return self.status == MailingStatus.DEACTIVATED

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE_MAILINGS

    @property
    def has_been_sent_once(self) -> bool:
        """Whether it is sent once and has been, perhaps by hand before its date."""
        waits = self.status == MailingStatus.CREATED or self.next_due_at is not None
        return self.period.is_once and not waits

    @property
    def schedule(self) -> Schedule:
        return Schedule(
            unit=Unit(self.period.unit),
            count=self.period.count,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            time_zone=self.time_zone,
            month_day=MonthDay(self.period.month_day),
            weekdays=frozenset(day for day in range(7) if self.weekdays & 1 << day),
            max_runs=self.max_runs,
        )

    @property
    def window(self) -> Window | None:
        """The hours in which its letters may leave, None if they may at any time."""
        if self.window_from is None or self.window_until is None:
            return None
        return Window(self.window_from, self.window_until, self.time_zone)

    def dates_to_come(self, now: datetime, limit: int) -> list[datetime]:
        """Return the next dates of what is saved, none if its only one has had its run."""
        return [] if self.has_been_sent_once else self.next_dates(now, limit)

    def next_dates(self, after: datetime, limit: int) -> list[datetime]:
        """Return up to `limit` instants after `after` when this mailing falls due, in its zone."""
        return [
            instant.astimezone(self.time_zone) for instant in self.schedule.upcoming(after, limit)
        ]
