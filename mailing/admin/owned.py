"""The base of all our admin screens: it closes what stock modeladmin leaves open.

Stock modeladmin scopes only the list; any pk may be edited, inspected, deleted and its history
read; any query parameter goes into a filter. Here every screen starts from `visible_to`, an object
that is not visible is a 404 like one that does not exist, and only declared filters are applied.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import FieldDoesNotExist, SuspiciousOperation
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from wagtail.admin import messages
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.log_actions import log
from wagtail_modeladmin.helpers import ButtonHelper, PermissionHelper
from wagtail_modeladmin.options import ModelAdmin
from wagtail_modeladmin.views import (
    CreateView,
    DeleteView,
    EditView,
    HistoryView,
    IndexView,
    InspectView,
)

from mailing.admin.counts import COUNT_VAR, BoundedPaginator, count_text
from mailing.admin.export import SafeSpreadsheetMixin
from mailing.admin.filters import pills
from mailing.admin.widgets import is_number_of_a_row
from mailing.admin.wording import wording_of
from mailing.models import Client
from mailing.models.owned import OwnedModel
from mailing.permissions import may_change, sees_every_owner
from mailing.search import newest_first

_LONGEST_SEARCH = 200
_ANY_ROW = "0"
"""Stands in an address for the number of a row."""


class OwnedPermissionHelper(PermissionHelper):
    """Seeing follows `visible_to`; changing needs ownership."""

    def user_can_list(self, user: Any) -> bool:
        return self.user_has_specific_permission(user, self.get_perm_codename("view"))

    def user_can_see_obj(self, user: Any, obj: Any) -> bool:
        return self.user_can_list(user) and (may_change(user, obj) or sees_every_owner(user))

    def user_can_inspect_obj(self, user: Any, obj: Any) -> bool:
        return self.inspect_view_enabled and self.user_can_see_obj(user, obj)

    def user_can_edit_obj(self, user: Any, obj: Any) -> bool:
        return super().user_can_edit_obj(user, obj) and may_change(user, obj)

    def user_can_delete_obj(self, user: Any, obj: Any) -> bool:
        return super().user_can_delete_obj(user, obj) and may_change(user, obj)


class ReadOnlyPermissionHelper(OwnedPermissionHelper):
    """For logs: rows that people see and only the engine writes."""

    def user_can_see_obj(self, user: Any, obj: Any) -> bool:
        return self.user_can_list(user)  # `require_visible` has compared the owner

    def user_can_create(self, user: Any) -> bool:
        return False

    def user_can_edit_obj(self, user: Any, obj: Any) -> bool:
        return False

    def user_can_delete_obj(self, user: Any, obj: Any) -> bool:
        return False


class OwnedForm(WagtailAdminModelForm):
    """Sets the owner, and offers and accepts only the owner's rows in every choice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.for_user is not None and not self.instance.owner_id:
            self.instance.owner = self.for_user
        for field in self.fields.values():
            queryset = getattr(field, "queryset", None)
            if queryset is not None and issubclass(queryset.model, OwnedModel):
                field.queryset = queryset.owned_by(self.instance.owner)

    derived_fields: tuple[str, ...] = ()
    """Columns that the form sets without having a field for them."""

    def save(self, commit: bool = True) -> Any:
        """Write only what the form shows: a state that moved meanwhile must not be put back."""
        if not commit or not self.instance.pk:
            return super().save(commit=commit)
        instance = super().save(commit=False)
        columns = {f.name for f in instance._meta.concrete_fields} & set(self.fields)
        instance.save(update_fields=[*columns, *self.derived_fields, "updated_at"])
        self._save_m2m()
        return instance

    def _get_validation_exclusions(self) -> set[str]:
        # Without this a constraint on owner and name is not checked by the form.
        exclusions: set[str] = super()._get_validation_exclusions()
        return exclusions - {"owner"}


class BreadcrumbsMixin:
    """Gives a screen Wagtail's slim header: the way back, and the name of what is shown."""

    index_url: str
    verbose_name_plural: str

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(  # type: ignore[misc]
            **{"breadcrumbs_items": self.crumbs(), **kwargs}
        )

    def crumbs(self) -> list[dict[str, str]]:
        first = {"url": self.index_url, "label": capfirst(self.verbose_name_plural)}
        return [first, *self.last_crumbs()]

    def last_crumbs(self) -> list[dict[str, str]]:
        instance = getattr(self, "instance", None)
        if instance is None or instance.pk is None:
            return []
        return [{"url": "", "label": str(instance)}]


class SavedTwiceMixin:
    """Answers a race for a unique value at the form, where the constraint alone would be a 500."""

    def form_valid(self, form: forms.ModelForm) -> HttpResponse:
        try:
            with transaction.atomic():
                return super().form_valid(form)  # type: ignore[misc]
        except IntegrityError:
            form.add_error(None, _("This was saved a moment ago by another request."))
            return self.form_invalid(form)  # type: ignore[attr-defined]
        except DatabaseError:
            rows = type(form.instance)._default_manager.filter(pk=form.instance.pk)
            if form.instance.pk and not rows.exists():
                raise Http404 from None  # deleted in another tab meanwhile
            raise


class OwnedIndexView(BreadcrumbsMixin, SafeSpreadsheetMixin, IndexView):
    """Takes only declared filters; any other parameter leads to the list without it.

    A list of very many rows shows a page at once and is leafed through up to `MOST_LEAFED`; with
    `?count=1` the same address answers how many rows there are, for a script.
    """

    paginator_class = BoundedPaginator
    searched_with: tuple[str, ...] = ()
    """Parameters that have a control of their own in the form of the search."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        query = request.GET.copy()
        if self.SEARCH_VAR in query:
            words = str(query[self.SEARCH_VAR]).replace("\x00", " ").strip()
            query[self.SEARCH_VAR] = words[:_LONGEST_SEARCH]
        self.asks_count = query.pop(COUNT_VAR, [""])[-1] == "1"
        request.GET = query  # type: ignore[assignment] # a copy that may be written to
        try:
            response: HttpResponse = super().dispatch(request, *args, **kwargs)
        except (SuspiciousOperation, IncorrectLookupParameters, ValueError):
            kept = (self.ORDER_VAR, self.SEARCH_VAR)
            rest = urlencode({name: query[name] for name in kept if query.get(name)})
            return HttpResponseRedirect(f"{self.index_url}?{rest}" if rest else self.index_url)
        return response

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.asks_count:
            return JsonResponse({"text": count_text(self.queryset.order_by().count())})
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        if not search_term.strip() or not hasattr(queryset, "search"):
            return queryset
        found = queryset.search(search_term, user=request.user)
        if self.ORDER_VAR not in self.params and issubclass(self.model, Client):
            return newest_first(found)
        return found

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        declared = {f.parameter_name for f in self.list_filter or ()}
        for key in found:
            if key not in declared:
                raise SuspiciousOperation(key)
        return found

    def get_paginator(self) -> BoundedPaginator:
        return self.paginator_class(self.queryset, self.items_per_page)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Not modeladmin's, which counts all there is, and twice what is found.
        paginator = self.get_paginator()
        # 0 is modeladmin's word for an address without a page; Django would show the last one.
        page = paginator.get_page(max(self.page_num, 1))
        found = paginator.count
        is_narrowed = bool(self.query.strip()) or bool(self.get_filters_params())
        context = {
            "all_count": found or (is_narrowed and self.get_base_queryset().exists()),
            "result_count": found,
            "count_text": count_text(found, paginator.has_more),
            "has_more": paginator.has_more,
            "paginator": paginator,
            "page_obj": page,
            "elided_page_range": paginator.get_elided_page_range(page.number),
            "object_list": page.object_list,
            "user_can_create": self.permission_helper.user_can_create(self.request.user),
            "show_search": self.search_handler.show_search_form,
            "is_narrowed": is_narrowed,
            "breadcrumbs_items": self.crumbs(),
            "pills": pills(self),
        }
        own = (self.SEARCH_VAR, *self.searched_with)
        context["kept_by_search"] = [(k, v) for k, v in self.params.items() if k not in own]
        # Past modeladmin's view, which would count again.
        return super(IndexView, self).get_context_data(**{**context, **kwargs})

    def last_crumbs(self) -> list[dict[str, str]]:
        return []


class OwnedCreateView(BreadcrumbsMixin, SavedTwiceMixin, CreateView):
    def get_success_message(self, instance: Any) -> str:
        return str(wording_of(self.model).created) % {"name": instance}

    def get_error_message(self) -> str:
        return str(wording_of(self.model).not_created)

    def get_meta_title(self) -> str:
        return str(self.model_admin.add_label)

    def last_crumbs(self) -> list[dict[str, str]]:
        return [{"url": "", "label": self.model_admin.add_label}]


class OwnedEditView(BreadcrumbsMixin, SavedTwiceMixin, EditView):
    def notice(self) -> str:
        """Return what people must know before they change this; empty if nothing."""
        return ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(notice=self.notice(), **kwargs)

    def get_success_message(self, instance: Any) -> str:
        return str(wording_of(self.model).saved) % {"name": instance}

    def get_error_message(self) -> str:
        return str(wording_of(self.model).not_saved)

    def get_meta_title(self) -> str:
        return str(self.instance)


class OwnedInspectView(BreadcrumbsMixin, InspectView):
    def get_fields_dict(self) -> list[Any]:
        """Leave out the stock list of all fields: it names every client of a list."""
        return []


class OwnedDeleteView(BreadcrumbsMixin, DeleteView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Delete, or show the page again with what still uses this."""
        name = str(self.instance)
        try:
            with transaction.atomic():
                log(instance=self.instance, action="wagtail.delete")
                self.delete_instance()
        except ProtectedError as error:
            used_by = {str(row) for row in error.protected_objects}
            context = self.get_context_data(protected_error=True, linked_objects=sorted(used_by))
            response: HttpResponse = self.render_to_response(context)
            return response
        messages.success(request, str(wording_of(self.model).deleted) % {"name": name})
        return HttpResponseRedirect(self.index_url)


class OwnedHistoryView(HistoryView):
    """Stock history asks for no permission at all."""

    def check_action_permitted(self, user: Any) -> bool:
        allowed: bool = self.permission_helper.user_can_see_obj(user, self.instance)
        return allowed


class OwnedButtonHelper(ButtonHelper):
    """Whole sentences in the labels: the stock ones glue verb and noun, which Russian cannot.

    A list asks for the buttons of each row: what is the same for all of them is found out once, for
    it took longer than the rows.
    """

    def __init__(self, view: Any, request: HttpRequest) -> None:
        super().__init__(view, request)
        self._labels = {"inspect": _("Open"), "edit": _("Edit"), "delete": _("Delete")}
        self._urls: dict[str, tuple[str, str]] = {}

    def _button(self, action: str, pk: int) -> dict[str, Any]:
        if action not in self._urls:
            url = self.url_helper.get_action_url(action, _ANY_ROW)
            before, _any, after = url.rpartition(_ANY_ROW)
            self._urls[action] = before, after
        before, after = self._urls[action]
        label = self._labels[action]
        return {"url": f"{before}{pk}{after}", "label": label, "title": label, "classname": ""}

    def add_button(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        label = self.view.model_admin.add_label
        return {**super().add_button(*args, **kwargs), "label": label, "title": label}

    def inspect_button(self, pk: int, *_classnames: Any) -> dict[str, Any]:
        return self._button("inspect", pk)

    def edit_button(self, pk: int, *_classnames: Any) -> dict[str, Any]:
        return self._button("edit", pk)

    def delete_button(self, pk: int, *_classnames: Any) -> dict[str, Any]:
        return self._button("delete", pk)

    def get_primary_button(self, obj: Any) -> dict[str, Any] | None:
        """The name of a row leads to its page, where there is one; editing is a step from there."""
        if self.view.model_admin.opens_page and self.permission_helper.user_can_inspect_obj(
            self.request.user, obj
        ):
            return self.inspect_button(obj.pk)
        return super().get_primary_button(obj)


class GuardedModelAdmin(ModelAdmin):
    """Subclasses declare columns; `add_label` is the whole sentence on the add button."""

    button_helper_class = OwnedButtonHelper
    index_view_class = OwnedIndexView
    create_view_class = OwnedCreateView
    edit_view_class = OwnedEditView
    delete_view_class = OwnedDeleteView
    list_per_page = 50
    empty_value_display = "—"
    opens_page = False
    add_label: Any = ""
    delete_warning: Any = ""

    def get_extra_attrs_for_field_col(self, obj: Any, field_name: str) -> dict[str, str]:
        """On a phone each cell says its column."""
        label = getattr(getattr(self, field_name, None), "short_description", None)
        if label is None:
            with suppress(FieldDoesNotExist):
                label = getattr(self.opts.get_field(field_name), "verbose_name", "")
        return {"data-label": capfirst(str(label or ""))}

    def edit_view(self, request: HttpRequest, instance_pk: str) -> HttpResponse:
        self.require_visible(request, instance_pk)
        return super().edit_view(request, instance_pk)

    def inspect_view(self, request: HttpRequest, instance_pk: str) -> HttpResponse:
        self.require_visible(request, instance_pk)
        return super().inspect_view(request, instance_pk)

    def delete_view(self, request: HttpRequest, instance_pk: str) -> HttpResponse:
        self.require_visible(request, instance_pk)
        return super().delete_view(request, instance_pk)

    def history_view(self, request: HttpRequest, instance_pk: str) -> HttpResponse:
        self.require_visible(request, instance_pk)
        return super().history_view(request, instance_pk)

    def require_visible(self, request: HttpRequest, instance_pk: str) -> None:
        """Raise the same 404 for what is not visible as for what does not exist."""
        pk = unquote(instance_pk)
        if not is_number_of_a_row(pk) or not self.get_queryset(request).filter(pk=pk).exists():
            raise Http404


class OwnedModelAdmin(GuardedModelAdmin):
    """For rows with an owner."""

    permission_helper_class = OwnedPermissionHelper
    inspect_view_enabled = True
    history_view_class = OwnedHistoryView
    inspect_view_class = OwnedInspectView

    @property
    def shows_owner(self) -> bool:
        return hasattr(self.model, "owner")

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).visible_to(request.user)
        return rows.select_related("owner") if issubclass(self.model, OwnedModel) else rows

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Show the owner to those who see several. modeladmin asks this for each cell of a list."""
        columns = tuple(super().get_list_display(request))
        asked: Any = request
        if not hasattr(asked, "sees_every_owner"):
            asked.sees_every_owner = sees_every_owner(request.user)
        if asked.sees_every_owner and self.shows_owner:
            return (*columns, "owner")
        return columns


class ReadOnlyModelAdmin(OwnedModelAdmin):
    """A list of what the engine wrote; nothing to add, edit or delete."""

    permission_helper_class = ReadOnlyPermissionHelper
    history_view_enabled = False
    opens_page = True
