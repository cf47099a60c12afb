"""The building blocks of a letter, with the checks that belong to each."""

from __future__ import annotations

import html
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks.struct_block import StructBlockValidationError
from wagtail.images.blocks import ImageBlock

from mailing.addresses import refuse_hidden_characters
from mailing.merge_fields import check_merge_fields, refuse_merge_fields

_HREF = re.compile(r'href="([^"]*)"')
_WEB = re.compile(r"https?://", re.IGNORECASE)


def check_rich_text(source: str) -> None:
    """Validate the fields in the text, that each is in one piece, and that none is in a link."""
    try:
        source.encode()
    except UnicodeEncodeError as error:  # half of a pair, which JSON can hold and nothing else
        raise ValidationError(_("The text has a broken character."), code="broken") from error
    check_merge_fields(strip_tags(source))
    check_merge_fields(source)  # a field with a half in bold is none in the letter
    for address in _HREF.findall(source):
        refuse_merge_fields(address)


def check_web_address(value: str) -> None:
    refuse_merge_fields(value)
    if not _WEB.match(value):
        raise ValidationError(_("An address starts with https:// or http://"))


def _check_line(value: str) -> None:
    refuse_hidden_characters(value)
    check_merge_fields(value)


class HeadingBlock(blocks.CharBlock):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=200, validators=[refuse_hidden_characters, check_merge_fields], **kwargs
        )

    class Meta:
        icon = "title"
        label = _("Heading")


class TextBlock(blocks.RichTextBlock):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            features=["bold", "italic", "link", "ol", "ul"], validators=[check_rich_text], **kwargs
        )

    def clean(self, value: Any) -> Any:
        """Refuse a text of empty paragraphs too, which the stock block takes for filled in."""
        cleaned = super().clean(value)
        if not html.unescape(strip_tags(cleaned.source)).strip():
            raise ValidationError(self.field.error_messages["required"], code="required")
        return cleaned

    class Meta:
        icon = "pilcrow"
        label = _("Text")
        help_text = _("Fields such as {{ first_name|friend }} are filled in for each client.")


class PictureBlock(ImageBlock):
    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        try:
            _check_line(cleaned.contextual_alt_text or "")
        except ValidationError as error:
            raise StructBlockValidationError(block_errors={"alt_text": error}) from error
        return cleaned

    class Meta:
        icon = "image"
        label = _("Picture")


class ButtonBlock(blocks.StructBlock):
    text = blocks.CharBlock(
        label=_("Label"),
        max_length=80,
        validators=[refuse_hidden_characters, check_merge_fields],
    )
    url = blocks.URLBlock(label=_("Web address"), validators=[check_web_address])

    class Meta:
        icon = "link-external"
        label = _("Button")


class DividerBlock(blocks.StaticBlock):
    class Meta:
        icon = "horizontalrule"
        label = _("Line")
        admin_text = _("A thin line between two parts of the letter.")


class LetterBlock(blocks.StreamBlock):
    heading = HeadingBlock()
    text = TextBlock()
    picture = PictureBlock()
    button = ButtonBlock()
    divider = DividerBlock()

    class Meta:
        required = True
