"""Screens for messages: the editor with its preview, and a page that shows the letter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import SuspiciousOperation, ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, re_path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST
from wagtail.admin.auth import permission_denied
from wagtail.admin.panels import FieldPanel, FieldRowPanel, ObjectList
from wagtail.blocks import StreamBlockValidationError, StreamValue
from wagtail.blocks.struct_block import StructBlockValidationError
from wagtail.images import get_image_model
from wagtail.permissions import policy_registry
from wagtail_modeladmin.views import InstanceSpecificView

from accounts.pictures import without_foreign_pictures
from mailing.admin import compose
from mailing.admin.chips import status_chip
from mailing.admin.filters import OwnerFilter
from mailing.admin.owned import (
    OwnedCreateView,
    OwnedEditView,
    OwnedForm,
    OwnedIndexView,
    OwnedInspectView,
    OwnedModelAdmin,
)
from mailing.composer.preview import framed, preview
from mailing.engine.planner import ContentError
from mailing.enums import MailingStatus
from mailing.merge_fields import check_merge_fields
from mailing.models import Mailing, Message, Run
from mailing.pages import MESSAGES
from site_project.page_cache import ManagedCachedMixin

# The letter is shown in a frame of its own: nothing can run, nothing but pictures is fetched.
_LETTER_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; sandbox;"
    " frame-ancestors 'self'"
)

_NAMES_SHOWN = 5
_MAILINGS_SHOWN = 50


class MessageForm(OwnedForm):
    data: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk and self.for_user is not None:
            self.initial.setdefault("language", self.for_user.preferred_language)
        if self.is_bound:
            self._refuse_damaged_body()

    def _refuse_damaged_body(self) -> None:
        """Answer with 400 what the editor cannot have sent; the stock field would answer 500."""
        widget = self.fields["body"].widget
        try:
            widget.value_from_datadict(self.data, self.files, self.add_prefix("body"))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise SuspiciousOperation("damaged body") from error

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound:  # a form that comes back must not show another's picture
            self.data, _refused = without_foreign_pictures(self.data, self.for_user)

    def clean_subject(self) -> str:
        subject: str = self.cleaned_data["subject"]
        check_merge_fields(subject)
        return subject

    def clean_preheader(self) -> str:
        preheader: str = self.cleaned_data["preheader"]
        check_merge_fields(preheader)
        return preheader

    def clean_body(self) -> StreamValue:
        """Take only pictures that the person may choose: the field itself knows no owners."""
        body: StreamValue = self.cleaned_data["body"]
        pictures = {i: b.value for i, b in enumerate(body) if b.block_type == "picture"}
        policy = policy_registry.get_by_type(get_image_model())
        offered = policy.instances_user_has_any_permission_for(self.for_user, ["choose"])
        numbers = {picture.pk for picture in pictures.values()}
        allowed = set(offered.filter(pk__in=numbers).values_list("pk", flat=True))
        error = ValidationError(_("This picture is not among yours. Choose another."))
        foreign = {
            i: StructBlockValidationError(block_errors={"image": error})
            for i, picture in pictures.items()
            if picture.pk not in allowed
        }
        if foreign:
            raise StreamBlockValidationError(block_errors=foreign)
        return body


class ComposeMixin:
    """Shows the letter beside the form."""

    request: HttpRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(  # type: ignore[misc]
            **compose.panel_context(self.request.user), **kwargs
        )


class MessageCreateView(ComposeMixin, OwnedCreateView):
    pass


class MessageEditView(ComposeMixin, OwnedEditView):
    def notice(self) -> str:
        runs = Run.objects.unfinished().filter(mailing__in=self.instance.mailings.kept())
        names = list(runs.order_by("mailing__name").values_list("mailing__name", flat=True))
        if not names:
            return ""
        text = ngettext(
            "A run of %(mailings)s is under way. It keeps the message as it was when it opened; "
            "what you change counts from the next run.",
            "Runs of %(mailings)s are under way. They keep the message as it was when they "
            "opened; what you change counts from the next run.",
            min(len(names), 2),  # one, or several; Russian would take 21 for one
        )
        shown = [_("“%(name)s”") % {"name": name} for name in names[:_NAMES_SHOWN]]
        return text % {"mailings": ", ".join([*shown, *["…"] * (len(names) > _NAMES_SHOWN)])}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(used_by=_used_by(self.instance), **kwargs)


class MessageInspectView(OwnedInspectView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        message, letter, problem = self.instance, None, ""
        try:
            letter = preview(message, owner=message.owner)
        except ContentError as error:
            problem = str(error)
        return super().get_context_data(
            **kwargs,
            letter=letter,
            problem=problem,
            letter_url=self.url_helper.get_action_url("letter", self.pk_quoted),
            used_by=_used_by(message),
        )


class LetterView(InstanceSpecificView):
    """The HTML of the letter for an invented client, for the frame on the message's page."""

    def check_action_permitted(self, user: Any) -> bool:
        allowed: bool = self.permission_helper.user_can_inspect_obj(user, self.instance)
        return allowed

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            html = framed(preview(self.instance, owner=self.instance.owner).html)
        except ContentError:
            html = ""  # the page around the frame says why
        return HttpResponse(html, headers={"Content-Security-Policy": _LETTER_POLICY})


class MessageIndexView(ManagedCachedMixin, OwnedIndexView):
    managed_cache = MESSAGES

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        messages = context["object_list"] = list(context["object_list"])
        counts = dict(
            Mailing.objects.kept()
            .filter(message__in=messages)
            .order_by()
            .values_list("message")
            .annotate(n=Count("pk"))
        )
        for message in messages:
            message.times_used = counts.get(message.pk, 0)
        return context


def _used_by(message: Message) -> list[tuple[Mailing, SafeString]]:
    """Return the mailings that send it, with the chip of their status; the newest first."""
    mailings: QuerySet[Mailing] = message.mailings.kept().order_by("-created_at", "-pk")
    return [(m, status_chip(MailingStatus(m.status))) for m in mailings[:_MAILINGS_SHOWN]]


class MessageAdmin(OwnedModelAdmin):
    model = Message
    menu_label = gettext_lazy("Messages")
    menu_item_name = "messages"
    menu_icon = "mail"
    menu_order = 110
    add_label = gettext_lazy("Write a message")
    delete_warning = gettext_lazy("Letters that have been sent with it stay in the history.")
    opens_page = True
    list_display = ("subject", "preheader", "used", "updated_at")
    list_filter = (OwnerFilter,)
    search_fields = ("subject", "preheader")
    index_view_class = MessageIndexView
    create_view_class = MessageCreateView
    edit_view_class = MessageEditView
    inspect_view_class = MessageInspectView
    inspect_template_name = "mailing/admin/message_inspect.html"
    edit_handler = ObjectList(
        [
            FieldPanel("subject"),
            FieldRowPanel([FieldPanel("preheader"), FieldPanel("language")]),
            FieldPanel("body"),
        ],
        base_form_class=MessageForm,
    )

    def used(self, message: Message) -> str:
        number = message.times_used  # type: ignore[attr-defined] # set by the list
        if not number:
            return _("not yet")
        return ngettext("%(number)d mailing", "%(number)d mailings", number) % {"number": number}

    used.short_description = gettext_lazy("used by")  # type: ignore[attr-defined]

    def letter_view(self, request: HttpRequest, instance_pk: str) -> HttpResponse:
        self.require_visible(request, instance_pk)
        view = LetterView.as_view(model_admin=self, instance_pk=instance_pk)
        return xframe_options_sameorigin(view)(request)

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        return self._answer(request, compose.answer_preview)

    def test_view(self, request: HttpRequest) -> HttpResponse:
        return self._answer(request, compose.answer_test)

    def _answer(self, request: HttpRequest, answer: Callable[..., HttpResponse]) -> HttpResponse:
        """Answer about the form that is posted, saved or not: whose it is, its sender knows."""
        if not request.user.has_perms(("mailing.add_message", "mailing.change_message")):
            denied: HttpResponse = permission_denied(request)
            return denied
        form_class = self.get_edit_handler().bind_to_model(Message).get_form_class()
        return answer(request, form_class(request.POST, instance=Message(), for_user=request.user))

    def get_admin_urls_for_registration(self) -> tuple[URLPattern, ...]:
        helper, base = self.url_helper, f"{self.opts.app_label}/{self.opts.model_name}"
        letter = re_path(
            helper.get_action_url_pattern("letter"),
            self.letter_view,
            name=helper.get_action_url_name("letter"),
        )
        beside_the_form = tuple(
            path(
                f"{base}/{name}/",
                never_cache(require_POST(view)),
                name=helper.get_action_url_name(name),
            )
            for name, view in (("preview", self.preview_view), ("test", self.test_view))
        )
        return (*super().get_admin_urls_for_registration(), letter, *beside_the_form)
