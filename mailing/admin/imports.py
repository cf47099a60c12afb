"""Screens for bringing clients in: the file, what is in it, and what became of it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, re_path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from wagtail.admin import messages
from wagtail.admin.auth import permission_denied
from wagtail.admin.panels import FieldPanel, MultiFieldPanel, ObjectList
from wagtail.log_actions import LogFormatter, log
from wagtail_modeladmin.views import InstanceSpecificView

from mailing import heartbeat, tasks
from mailing.admin.chips import chip, status_chip
from mailing.admin.export import safe_cell, with_preferences, write_down_export
from mailing.admin.owned import (
    BreadcrumbsMixin,
    OwnedCreateView,
    OwnedForm,
    OwnedInspectView,
    OwnedModelAdmin,
    OwnedPermissionHelper,
)
from mailing.admin.tags import TagsField
from mailing.admin.widgets import ChipSelect, ChoicesField
from mailing.enums import ImportState
from mailing.importing import jobs, retention
from mailing.importing.columns import Column, guess, problem_with
from mailing.importing.preview import Kind, Preview, preview
from mailing.importing.refusals import FileRefused, Refusal
from mailing.importing.report import finding, findings
from mailing.importing.rows import survey
from mailing.models import ClientImport, ClientList, ClientTag
from mailing.permissions import may_change

_ROWS_LOOKED_AT = 50
_FAULTS_SHOWN = 50
_LOOKS = {
    Kind.NEW: ("green", "plus"),
    Kind.THERE: ("blue", "user"),
    Kind.REPEATED: ("grey", "copy"),
    Kind.SUPPRESSED: ("violet", "shield-ban"),
    Kind.FAULTY: ("red", "circle-x"),
}


class ImportPermissionHelper(OwnedPermissionHelper):
    """An import is made, looked at and carried out; what it was is not changed afterwards."""

    def user_can_edit_obj(self, user: Any, obj: Any) -> bool:
        return False

    def user_can_delete_obj(self, user: Any, obj: Any) -> bool:
        return False

    def user_can_carry_out(self, user: Any, obj: Any) -> bool:
        return self.user_can_create(user) and may_change(user, obj)


class UploadForm(OwnedForm):
    """Takes a file only after a look into it."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV or XLSX, up to 50 MB. One column has the e-mail addresses; others may have names, "
            "phone, language, client lists, tags and a comment."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    lists = ChoicesField(
        label=gettext_lazy("Client lists"),
        help_text=gettext_lazy("All clients of the file are added to these."),
        queryset=ClientList.objects.all(),
        required=False,
        widget=ChipSelect,
    )
    tag_names = TagsField(
        help_text=gettext_lazy(
            "All clients of the file get these. Words of your own, separated by commas."
        )
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tag_names"].suggest(ClientTag.objects.owned_by(self.instance.owner))
        if not self.fields["lists"].queryset.exists():
            del self.fields["lists"]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        try:
            looked = survey(file.file, first=_ROWS_LOOKED_AT)
        except FileRefused as refused:
            raise forms.ValidationError(
                refused.refusal.label, code=refused.refusal.value
            ) from refused
        guessed = guess(looked.first)
        self.instance.name = "".join(c for c in file.name if c.isprintable())[:255]
        self.instance.format = looked.format[:100]
        self.instance.total = looked.total
        self.instance.columns = guessed.columns
        self.instance.has_headings = guessed.has_headings
        return file

    def save(self, commit: bool = True) -> ClientImport:
        self.instance.tags = self.cleaned_data["tag_names"]
        retention.make_room(self.instance.owner_id, timezone.now())
        row: ClientImport = super().save(commit=commit)
        return row


class ImportCreateView(OwnedCreateView):
    def get_error_message(self) -> str:
        return _("The file was not taken. Correct what is marked below.")

    def get_success_url(self) -> str:
        url: str = self.url_helper.get_action_url("preview", self.instance.pk)
        return url

    def form_valid(self, form: forms.ModelForm) -> HttpResponse:
        # Not the stock one, which would say that something was created: the next page says more.
        with transaction.atomic():
            self.instance = form.save()
            log(instance=self.instance, action="wagtail.create", user=self.request.user)
        return HttpResponseRedirect(self.get_success_url())

    def crumbs(self) -> list[dict[str, str]]:
        return [*_clients_crumb(), *super().crumbs()]


class ImportInspectView(OwnedInspectView):
    """Progress and report."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.instance.state == ImportState.DRAFT and self.permission_helper.user_can_carry_out(
            request.user, self.instance
        ):
            return HttpResponseRedirect(self.url_helper.get_action_url("preview", self.pk_quoted))
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def crumbs(self) -> list[dict[str, str]]:
        return [*_clients_crumb(), *super().crumbs()]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, row = self.request.user, self.instance
        return super().get_context_data(
            **kwargs,
            **_progress_of(row, timezone.now()),
            chip=status_chip(ImportState(row.state)),
            may_cancel=row.state == ImportState.RUNNING
            and self.permission_helper.user_can_carry_out(user, row),
            may_import_more=self.permission_helper.user_can_create(user),
            progress_url=self.url_helper.get_action_url("progress", self.pk_quoted),
            cancel_url=self.url_helper.get_action_url("cancel", self.pk_quoted),
            faults_url=self.url_helper.get_action_url("faults", self.pk_quoted),
            faults=[finding(fault) for fault in row.faults.order_by("pk")[:_FAULTS_SHOWN]],
            has_more_faults=row.faulty > _FAULTS_SHOWN,
            lists=row.lists.owned_by(row.owner),
        )


class ProgressView(InstanceSpecificView):
    """The part of the page that moves, for the poll."""

    template_name = "mailing/admin/import_progress.html"

    def check_action_permitted(self, user: Any) -> bool:
        allowed: bool = self.permission_helper.user_can_inspect_obj(user, self.instance)
        return allowed

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, **_progress_of(self.instance, timezone.now()))


class PreviewView(BreadcrumbsMixin, InstanceSpecificView):
    """The first rows, what the columns are taken for, and what the import would do."""

    template_name = "mailing/admin/import_preview.html"

    def check_action_permitted(self, user: Any) -> bool:
        allowed: bool = self.permission_helper.user_can_carry_out(user, self.instance)
        return allowed

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.check_action_permitted(request.user):
            denied: HttpResponse = permission_denied(request)
            return denied
        if self.instance.state != ImportState.DRAFT:
            if request.method == "POST":
                messages.warning(request, _("This import was decided on before."))
            return HttpResponseRedirect(self._page_url())
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        row, starts = self.instance, "start" in request.POST
        changed = "columns" in request.POST and self._take_columns(request)
        if changed and starts:
            messages.info(request, _("The columns have changed. Look at the rows once more."))
        if changed or not starts:
            return HttpResponseRedirect(request.path)
        problem = problem_with(row.columns)
        if not problem and not jobs.has_room(row.owner_id):
            problem = _(
                "Several imports of yours are running already. Start this one when one of them has "
                "ended."
            )
        if problem:
            messages.error(request, problem)
            response: HttpResponse = self.render_to_response(self.get_context_data())
            return response
        with transaction.atomic():
            if jobs.start(row, now=timezone.now()):
                transaction.on_commit(tasks.wake_importer, robust=True)
        return HttpResponseRedirect(self._page_url())

    def _take_columns(self, request: HttpRequest) -> bool:
        """Keep what was chosen; return whether that is something else than before."""
        row = self.instance
        chosen = request.POST.getlist("column")[: len(row.columns)]
        chosen = [value if value in Column.values else "" for value in chosen]
        chosen += row.columns[len(chosen) :]
        has_headings = "has_headings" in request.POST
        if (chosen, has_headings) == (row.columns, row.has_headings):
            return False
        drafts = ClientImport.objects.filter(pk=row.pk, state=ImportState.DRAFT)
        drafts.update(columns=chosen, has_headings=has_headings)
        return True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row, found, refusal = self.instance, Preview(), ""
        try:
            found = preview(row)
        except FileRefused as refused:
            refusal = str(refused.refusal.label)
        except FileNotFoundError:
            refusal = str(Refusal.GONE.label)
        return super().get_context_data(
            **kwargs,
            row=row,
            preview=found,
            refusal=refusal,
            problem=problem_with(row.columns),
            columns=[
                (found.headings[n] if n < len(found.headings) else "", chosen)
                for n, chosen in enumerate(row.columns)
            ],
            choices=Column.choices,
            shown=[
                (shown, _kind_chip(kind), reason, _filled(shown.cells, len(row.columns)))
                for shown, kind, reason in found.shown
            ],
            tiles=[
                (kind, capfirst(str(kind.label)), _LOOKS[kind][0], found.counts[kind])
                for kind in Kind
            ],
            lists=row.lists.owned_by(row.owner),
            cancel_url=self.url_helper.get_action_url("cancel", self.pk_quoted),
        )

    def crumbs(self) -> list[dict[str, str]]:
        return [*_clients_crumb(), *super().crumbs()]

    def _page_url(self) -> str:
        url: str = self.url_helper.get_action_url("inspect", self.pk_quoted)
        return url


class ImportAdmin(OwnedModelAdmin):
    model = ClientImport
    add_to_admin_menu = False  # the list of clients leads here
    menu_icon = "upload"
    menu_label = gettext_lazy("Imports")
    menu_item_name = "imports"
    add_label = gettext_lazy("Import clients")
    opens_page = True
    list_display = ("name", "stage", "new", "changed", "faulty", "created_at")
    search_fields = ("name",)
    permission_helper_class = ImportPermissionHelper
    create_view_class = ImportCreateView
    create_template_name = "mailing/admin/import_create.html"
    inspect_view_class = ImportInspectView
    inspect_template_name = "mailing/admin/import_inspect.html"
    edit_handler = ObjectList(
        [
            FieldPanel("file"),
            FieldPanel("lists"),
            FieldPanel("tag_names"),
            MultiFieldPanel(
                [FieldPanel("existing"), FieldPanel("is_strict")], heading=gettext_lazy("How")
            ),
        ],
        base_form_class=UploadForm,
    )

    def stage(self, row: ClientImport) -> SafeString:
        return status_chip(ImportState(row.state))

    stage.short_description = gettext_lazy("state")  # type: ignore[attr-defined]
    stage.admin_order_field = "state"  # type: ignore[attr-defined]

    def preview_view(self, request: HttpRequest, instance_pk: str) -> HttpResponse:
        self.require_visible(request, instance_pk)
        return PreviewView.as_view(model_admin=self, instance_pk=instance_pk)(request)

    def progress_view(self, request: HttpRequest, instance_pk: str) -> HttpResponse:
        self.require_visible(request, instance_pk)
        return ProgressView.as_view(model_admin=self, instance_pk=instance_pk)(request)

    def cancel_view(self, request: HttpRequest, instance_pk: str) -> HttpResponse:
        self.require_visible(request, instance_pk)
        row = ClientImport.objects.get(pk=unquote(instance_pk))
        if not self.permission_helper.user_can_carry_out(request.user, row):
            return permission_denied(request)
        if jobs.cancel(row, now=timezone.now()):
            messages.success(request, _("The import is cancelled."))
        else:
            messages.warning(request, _("The import has ended before."))
        return HttpResponseRedirect(self.url_helper.get_action_url("inspect", row.pk))

    def faults_view(self, request: HttpRequest, instance_pk: str) -> StreamingHttpResponse:
        """Answer the faulty lines as a CSV file that can be mended and imported."""
        self.require_visible(request, instance_pk)
        row = ClientImport.objects.get(pk=unquote(instance_pk))
        taken = f"{capfirst(str(row._meta.verbose_name))}: {row.name}"
        write_down_export(request.user, taken)
        lines = with_preferences(
            _csv_of(row), timezone.get_current_timezone(), get_language() or ""
        )
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="faulty-lines.csv"'
        return response

    def get_admin_urls_for_registration(self) -> tuple[URLPattern, ...]:
        views = {
            "preview": self.preview_view,
            "progress": self.progress_view,
            "cancel": require_POST(self.cancel_view),
            "faults": require_safe(self.faults_view),
        }
        helper = self.url_helper
        return (
            *super().get_admin_urls_for_registration(),
            *(
                re_path(
                    helper.get_action_url_pattern(name),
                    view,
                    name=helper.get_action_url_name(name),
                )
                for name, view in views.items()
            ),
        )


class ImportLogFormatter(LogFormatter):
    label = gettext_lazy("Import clients")

    def format_message(self, log_entry: Any) -> str:
        new = log_entry.data.get("new", 0)
        return ngettext("Imported %(count)d new client", "Imported %(count)d new clients", new) % {
            "count": new
        }


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _csv_of(row: ClientImport) -> Iterator[bytes]:
    writer = csv.writer(_Echo())
    headings = (_("Line"), _("Column"), _("Reason"), _("Value"))
    yield writer.writerow(headings).encode()
    for found in findings(row):
        cells = (found.line, found.column, found.reason, found.value, *found.cells)
        yield writer.writerow([safe_cell(cell) for cell in cells]).encode()


def _progress_of(row: ClientImport, now: datetime) -> dict[str, Any]:
    is_running = row.state == ImportState.RUNNING
    done = min(row.rows_done, row.total) if row.total else row.rows_done
    return {
        "row": row,
        "is_running": is_running,
        "worker_runs": not is_running or heartbeat.is_beating(now),
        "done": done,
        "percent": 100 * done // row.total if row.total else 0,
        "refusal": Refusal(row.refusal).label if row.refusal else "",
    }


def _kind_chip(kind: Kind) -> SafeString:
    tone, icon = _LOOKS[kind]
    return chip(tone, icon, str(kind.label))


def _filled(cells: tuple[str, ...], width: int) -> tuple[str, ...]:
    return (*cells[:width], *[""] * (width - len(cells)))


def _clients_crumb() -> list[dict[str, str]]:
    return [{"url": reverse("mailing_client_modeladmin_index"), "label": capfirst(_("clients"))}]
