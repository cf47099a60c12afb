"""Messages: the subject and the body of a letter."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.fields import StreamField

from mailing.addresses import refuse_hidden_characters
from mailing.composer.blocks import LetterBlock
from mailing.models.owned import OwnedModel
from mailing.querysets import MessageQuerySet


class Message(OwnedModel):
    """`composer.render` turns it into HTML and plain text."""

    subject = models.CharField(_("subject"), max_length=200, validators=[refuse_hidden_characters])
    preheader = models.CharField(
        _("preheader"),
        max_length=200,
        blank=True,
        validators=[refuse_hidden_characters],
        help_text=_("The line that mail programs show after the subject."),
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        choices=settings.LANGUAGES,
        default=settings.LANGUAGE_CODE,
        help_text=_("The language of the footer that every letter ends with."),
    )
    body = StreamField(LetterBlock(), verbose_name=_("body"))

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ("-updated_at",)

    def __str__(self) -> str:
        return self.subject
