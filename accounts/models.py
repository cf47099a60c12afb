"""The person behind an account, its mails that wait to be sent, and what outlives it."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField
from phonenumber_field.modelfields import PhoneNumberField

from accounts.managers import AccountMailQuerySet, UserManager
from accounts.names import refuse_hidden_characters


def _name(label: Any) -> models.CharField[str, str]:
    return models.CharField(
        label, max_length=150, blank=True, validators=[refuse_hidden_characters]
    )


class User(AbstractUser):
    """A person who signs in by e-mail address.

    Language, time zone and theme are kept in Wagtail's `UserProfile`, so that site and admin agree.
    """

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail address"), unique=True)
    first_name = _name(_("first name"))
    middle_name = _name(_("middle name"))
    last_name = _name(_("last name"))
    phone = PhoneNumberField(_("phone"), blank=True)
    avatar = models.ImageField(_("picture"), upload_to="avatars/", blank=True)
    country = CountryField(_("country"), blank=True)
    closed_at = models.DateTimeField(null=True, editable=False)
    """When the person closed the account (`accounts.closing`); the row waits to be erased."""

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ("email",)
        permissions = [("block_user", _("Can block and unblock users"))]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def clean(self) -> None:
        super().clean()
        self.email = self.email.lower()  # allauth looks addresses up in lower case

    @property
    def preferred_language(self) -> str:
        """Return the code of the language this person reads, the site's default if not chosen."""
        return self._preference("preferred_language") or settings.LANGUAGE_CODE

    @property
    def time_zone(self) -> ZoneInfo:
        return ZoneInfo(self._preference("current_time_zone") or settings.TIME_ZONE)

    def _preference(self, name: str) -> str:
        profile = getattr(self, "wagtail_userprofile", None)
        return getattr(profile, name, "")


class AccountMail(models.Model):
    """A mail about an account (verification, reset, notice) that is still to be sent.

    The row never holds a secret: links with a token are made from `user` when the mail is sent.
    It is deleted once the mail server has taken the mail.
    """

    template = models.CharField(max_length=100)
    email = models.EmailField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )
    language = models.CharField(max_length=10)
    context = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(db_index=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)

    objects = AccountMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("account mail")
        verbose_name_plural = _("account mails")

    def __str__(self) -> str:
        return f"{self.template} #{self.pk}"


class Erasure(models.Model):
    """A closed account that is being erased, and whom to tell when it is done.

    The only place that still knows the address; the row goes with the account.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    email = models.EmailField()
    language = models.CharField(max_length=10)
    was_asked_for = models.BooleanField(default=True)
    """Whether the person has closed the account; else an administrator has."""
    due_at = models.DateTimeField(db_index=True)
    """When a worker takes it up; in the future while one is at it."""

    class Meta:
        ordering = ("due_at", "pk")

    def __str__(self) -> str:
        return f"#{self.user_id}"


class KeptRefusal(models.Model):
    """A fingerprint of an address that had refused the letters of an account that is closed."""

    owner_mark = models.CharField(max_length=32, db_index=True)
    mark = models.CharField(max_length=32, unique=True)
    reason = models.CharField(max_length=20)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.mark
