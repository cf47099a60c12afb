"""How many rows a list has: at once as far as it can be leafed through, exactly a moment later."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.admin.paginator import WagtailPaginator

COUNT_VAR = "count"
MOST_LEAFED = 10_000
"""Rows that can be leafed through. Counting on costs what no page may; nobody turns page 201."""


class BoundedPaginator(WagtailPaginator):
    """Counts no further than `MOST_LEAFED` and one more."""

    @cached_property
    def _counted(self) -> int:
        # Only keys: what a list says beside its rows would be found out for all that are counted.
        return self.object_list.order_by().values("pk")[: MOST_LEAFED + 1].count()

    @property
    def has_more(self) -> bool:
        return self._counted > MOST_LEAFED

    @cached_property
    def count(self) -> int:
        return min(self._counted, MOST_LEAFED)


class KeysFirstPaginator(BoundedPaginator):
    """Finds the keys of a page first, then its rows.

    For lists that join much: the joins are made for the rows that show, not for all those that are
    sorted or passed over on the way.
    """

    def page(self, number: Any) -> Any:
        page = super().page(number)
        keys = list(page.object_list.values_list("pk", flat=True))
        page.object_list = self.object_list.filter(pk__in=keys)
        return page


class KeysOncePaginator(BoundedPaginator):
    """Counts by the keys, and looks for the rows of a page among these unless there are more.

    For lists of which neither a count nor a page can be made from the first rows that are found.
    """

    @cached_property
    def _keys(self) -> list[Any]:
        return list(self.object_list.order_by().values_list("pk", flat=True)[: MOST_LEAFED + 1])

    @cached_property
    def _counted(self) -> int:
        return len(self._keys)

    def page(self, number: Any) -> Any:
        page = super().page(number)
        if not self.has_more:
            first = self.per_page * (page.number - 1)
            found = self.object_list.filter(pk__in=self._keys)
            page.object_list = found[first : first + self.per_page]
        return page


def number_text(number: int) -> str:
    """Return a number with its digits grouped as the language does."""
    return render_to_string("components/number.html", {"number": number}).strip()


def at_most_leafed(number: int) -> str:
    """Return a number that was counted up to `MOST_LEAFED` + 1, in words if it is that."""
    if number > MOST_LEAFED:
        return _("more than %(number)s") % {"number": number_text(MOST_LEAFED)}
    return number_text(number)


def count_text(count: int, has_more: bool = False) -> str:
    context = {"count": count, "has_more": has_more}
    return render_to_string("modeladmin/includes/count.html", context).strip()
