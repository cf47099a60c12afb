"""Screens for messages: the editor, and a page that shows the letter as it will arrive."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import SuspiciousOperation, ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, re_path
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from wagtail.admin.panels import FieldPanel, FieldRowPanel, ObjectList
from wagtail.blocks import StreamBlockValidationError, StreamValue
from wagtail.blocks.struct_block import StructBlockValidationError
from wagtail.images import get_image_model
from wagtail.permissions import policy_registry
from wagtail_modeladmin.views import InstanceSpecificView

from accounts.pictures import without_foreign_pictures
from mailing.admin.owned import OwnedEditView, OwnedForm, OwnedInspectView, OwnedModelAdmin
from mailing.composer.render import render
from mailing.merge_fields import (
    FIELD,
    UNSUBSCRIBE_URL,
    check_merge_fields,
    sample_values,
    substitute,
)
from mailing.models import Message, Run

# The letter is shown in a frame of its own: nothing can run, nothing but pictures is fetched.
_LETTER_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; sandbox;"
    " frame-ancestors 'self'"
)

_NAMES_SHOWN = 5


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


class MessageEditView(OwnedEditView):
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


class MessageInspectView(OwnedInspectView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        message = self.instance
        rendered = render(message, owner=message.owner)
        values = sample_values() | {UNSUBSCRIBE_URL: "https://…"}
        return super().get_context_data(
            **kwargs,
            subject=substitute(rendered.subject, values),
            preheader=substitute(message.preheader, values),
            text=substitute(rendered.text, values),
            letter_url=self.url_helper.get_action_url("letter", self.pk_quoted),
            mailings=message.mailings.kept(),
        )


class LetterView(InstanceSpecificView):
    """The HTML of the letter for an invented client, for the frame on the message's page."""

    def check_action_permitted(self, user: Any) -> bool:
        allowed: bool = self.permission_helper.user_can_inspect_obj(user, self.instance)
        return allowed

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        values = sample_values() | {UNSUBSCRIBE_URL: "#"}
        markup = render(self.instance, owner=self.instance.owner).html
        filled = FIELD.sub(lambda found: escape(values[found[1]]) or found[2] or "", markup)
        return HttpResponse(filled, headers={"Content-Security-Policy": _LETTER_POLICY})


class MessageAdmin(OwnedModelAdmin):
    model = Message
    menu_label = gettext_lazy("Messages")
    menu_item_name = "messages"
    menu_icon = "mail"
    menu_order = 110
    add_label = gettext_lazy("Write a message")
    delete_warning = gettext_lazy("Letters that have been sent with it stay in the history.")
    opens_page = True
    list_display = ("subject", "preheader", "updated_at")
    search_fields = ("subject", "preheader")
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

    def letter_view(self, request: HttpRequest, instance_pk: str) -> HttpResponse:
        self.require_visible(request, instance_pk)
        view = LetterView.as_view(model_admin=self, instance_pk=instance_pk)
        return xframe_options_sameorigin(view)(request)

    def get_admin_urls_for_registration(self) -> tuple[URLPattern, ...]:
        helper = self.url_helper
        letter = re_path(
            helper.get_action_url_pattern("letter"),
            self.letter_view,
            name=helper.get_action_url_name("letter"),
        )
        return (*super().get_admin_urls_for_registration(), letter)
