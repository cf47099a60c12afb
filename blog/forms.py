"""The form of a post."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminPageForm

from accounts.pictures import without_foreign_pictures


class PostForm(WagtailAdminPageForm):
    """Takes only pictures that the person may choose; another's is as good as none."""

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        self._foreign: list[str] = []
        if data is not None and kwargs.get("for_user") is not None:
            data, self._foreign = without_foreign_pictures(data, kwargs["for_user"])
        super().__init__(data, *args, **kwargs)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if "image" in self._foreign:  # those in the body are required there
            self.add_error("image", _("Choose a picture from the list."))
        return cleaned
