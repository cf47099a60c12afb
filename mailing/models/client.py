"""Clients: the people an owner mails, and named lists of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from mailing.addresses import refuse_hidden_characters
from mailing.models.owned import OwnedModel
from mailing.querysets import ClientListQuerySet, ClientQuerySet, ClientTagQuerySet

MOST_TAGS = 20
"""A client has no more."""


def _name(label: Any) -> models.CharField:
    return models.CharField(
        label, max_length=150, blank=True, validators=[refuse_hidden_characters]
    )


class ClientTag(OwnedModel):
    """A word that an owner puts on clients. Each owner has their own: a shared one would leak."""

    name = models.CharField(_("name"), max_length=50, validators=[refuse_hidden_characters])

    objects = ClientTagQuerySet.as_manager()

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="client_tag_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class Client(OwnedModel):
    """A person an owner mails. `email_normalized` comes from `addresses.parse_address`."""

    email = models.CharField(_("e-mail address"), max_length=254)
    email_normalized = models.CharField(max_length=254, editable=False)
    first_name = _name(_("first name"))
    middle_name = _name(_("middle name"))
    last_name = _name(_("last name"))
    phone = PhoneNumberField(_("phone"), blank=True, default="", db_default="")
    language = models.CharField(
        _("language"),
        max_length=10,
        choices=settings.LANGUAGES,
        blank=True,
        default="",
        db_default="",
    )
    tags = models.ManyToManyField(
        ClientTag, blank=True, related_name="clients", verbose_name=_("tags")
    )
    comment = models.TextField(_("comment"), blank=True)
    last_import = models.ForeignKey(
        "mailing.ClientImport",
        on_delete=models.SET_NULL,
        related_name="clients",
        null=True,
        editable=False,
        db_index=False,
    )
    """The latest import whose file had this client, new or not."""

    objects = ClientQuerySet.as_manager()

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ("email_normalized",)
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "email_normalized"], name="client_address_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(email_normalized=""), name="client_address_normalized"
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "last_name", "first_name"], name="client_by_name"),
            models.Index(fields=["owner", "id"], name="client_newest"),  # the order of a search
            models.Index(
                fields=["last_import"],
                name="client_by_import",
                condition=models.Q(last_import__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.full_name} <{self.email}>" if self.full_name else self.email

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


class ClientList(OwnedModel):
    name = models.CharField(_("name"), max_length=150, validators=[refuse_hidden_characters])
    description = models.TextField(_("description"), blank=True)
    clients = models.ManyToManyField(
        Client, blank=True, related_name="lists", verbose_name=_("clients")
    )

    objects = ClientListQuerySet.as_manager()

    class Meta:
        verbose_name = _("client list")
        verbose_name_plural = _("client lists")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="client_list_name_once")
        ]

    def __str__(self) -> str:
        return self.name
