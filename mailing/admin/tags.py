"""Tags as people type them: words between commas, with the owner's own as suggestions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailing.addresses import refuse_hidden_characters
from mailing.models import ClientTag
from mailing.models.client import MOST_TAGS

_LONGEST = ClientTag._meta.get_field("name").max_length or 0
_SUGGESTED = 200


class TagsInput(forms.TextInput):
    """A text with a `datalist`, which needs no script; with one the words are chips."""

    template_name = "mailing/widgets/tags.html"

    class Media:
        js = ("js/chips.js",)

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.suggestions: QuerySet[ClientTag] = ClientTag.objects.none()

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["url"] = reverse("mailing_tag_choices")
        context["suggestions"] = self.suggestions[:_SUGGESTED]
        return context


class TagsField(forms.CharField):
    """Cleans to a list of names, each once whatever its case."""

    def __init__(self, **kwargs: Any) -> None:
        given = {
            "label": gettext_lazy("Tags"),
            "help_text": gettext_lazy("Words of your own, separated by commas."),
            "required": False,
            "max_length": MOST_TAGS * (_LONGEST + 2),
            "widget": TagsInput,
        }
        super().__init__(**{**given, **kwargs})

    def suggest(self, tags: QuerySet[ClientTag]) -> None:
        self.widget.suggestions = tags

    def clean(self, value: Any) -> list[str]:
        names: dict[str, str] = {}
        for part in super().clean(value).split(","):
            name = " ".join(part.split())
            if name:
                names.setdefault(name.casefold(), name)
        if self.required and not names:
            raise ValidationError(self.error_messages["required"], code="required")
        for name in names.values():
            refuse_hidden_characters(name)
            if len(name) > _LONGEST:
                raise ValidationError(
                    ngettext(
                        "A tag has at most %(count)d character: “%(name)s” is too long.",
                        "A tag has at most %(count)d characters: “%(name)s” is too long.",
                        _LONGEST,
                    ),
                    params={"count": _LONGEST, "name": f"{name[:20]}…"},
                )
        if len(names) > MOST_TAGS:
            raise ValidationError(
                _("A client has at most %(count)d tags."), params={"count": MOST_TAGS}
            )
        return list(names.values())

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or "") != (data or "")


def names_of(tags: Iterable[ClientTag]) -> str:
    """Return the tags as a person would type them."""
    return ", ".join(tag.name for tag in tags)
