"""Beside the editor of messages: the letter as it will arrive while one types, and a test of it.

Both take the form as it stands, unsaved, and check it as saving does. Nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.blocks import StreamBlockValidationError
from wagtail.blocks.struct_block import StructBlockValidationError

from accounts.models import User
from mailing import trial
from mailing.admin.widgets import is_number_of_a_row
from mailing.composer.preview import Preview, framed, preview
from mailing.engine.letter import RenderError
from mailing.engine.planner import ContentError
from mailing.merge_fields import FIELD_LABELS, as_field
from mailing.models import Client, Message

CLIENT_VAR = "preview_client"
_PROBLEMS_SHOWN = 3


class Unfit(Exception):
    """No letter can be made of the form as it stands; no `problems` if it is only unfinished."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__()
        self.problems = problems


def answer_preview(request: HttpRequest, form: BaseForm) -> JsonResponse:
    """Answer the letter, or in sentences why there is none."""
    try:
        letter = _letter(request, form)
    except Unfit as unfit:
        return JsonResponse({"problems": unfit.problems})
    return JsonResponse(
        {
            "sender": f"{letter.sender_name} <{letter.sender_address}>",
            "subject": letter.subject,
            "preheader": letter.preheader,
            "html": framed(letter.html),
            "text": letter.text,
        }
    )


def answer_test(request: HttpRequest, form: BaseForm) -> JsonResponse:
    """Send the letter to the person who asks, and answer what the mail server said."""
    user, now = request.user, timezone.now()
    assert isinstance(user, User)  # noqa: S101 - the admin asks for a log-in
    sent, told = False, ""
    try:
        verdict = trial.send(user, _letter(request, form), now=now)
    except Unfit as unfit:
        told = " ".join(unfit.problems) or _("Something is still empty, so there is no letter yet.")
    except trial.NotAllowed as reason:
        told = str(reason)
    else:
        sent = verdict.accepted
        if sent:
            told = _("A test is on its way to %(address)s.") % {"address": user.email}
        elif verdict.reply:
            told = _("The mail server refused the test: %(reply)s") % {"reply": verdict.reply}
        else:
            told = _("The mail server cannot be reached. Nothing has been sent.")
    left = allowance_text(trial.allowance(user, now))
    return JsonResponse({"sent": sent, "text": told, "allowance": left})


def panel_context(user: Any) -> dict[str, Any]:
    """Return what the templates show beside the editor."""
    return {
        "merge_fields": [(as_field(name), label) for name, label in FIELD_LABELS.items()],
        "client_choice": {
            "name": CLIENT_VAR,
            "url": reverse("mailing_client_choices"),
            "single": True,
            "attrs": {
                "id": f"id_{CLIENT_VAR}",
                "aria_describedby": f"id_{CLIENT_VAR}-help",
            },
        },
        "own_address": user.email,
        "test_allowance": allowance_text(trial.allowance(user, timezone.now())),
    }


def allowance_text(allowance: trial.Allowance) -> str:
    if allowance.left:
        text = ngettext(
            "%(left)d more test may be sent this hour.",
            "%(left)d more tests may be sent this hour.",
            allowance.left,
        )
        return text % {"left": allowance.left}
    assert allowance.more_at is not None  # noqa: S101 - what is used up has been used
    time = time_format(localtime(allowance.more_at), "H:i")
    return _("The next test may be sent at %(time)s.") % {"time": time}


def _letter(request: HttpRequest, form: BaseForm) -> Preview:
    client = _client(request)
    if not form.is_valid():
        raise Unfit(list(_problems(form)))
    message: Message = form.instance  # type: ignore[attr-defined] # a ModelForm
    try:
        return preview(message, owner=message.owner, client=client)
    except (ContentError, RenderError) as error:
        raise Unfit([str(error)]) from error


def _client(request: HttpRequest) -> Client | None:
    wanted = request.POST.get(CLIENT_VAR, "")
    if not wanted:
        return None
    own = Client.objects.owned_by(request.user)
    client = own.filter(pk=wanted).first() if is_number_of_a_row(wanted) else None
    if client is None:
        raise Unfit([_("This client is not there any more. Choose another.")])
    return client


def _problems(form: BaseForm) -> Iterator[str]:
    """Yield what is wrong, and where; what is only empty as yet is left out."""
    found = (
        _("%(field)s: %(problem)s") % {"field": label, "problem": problem}
        for name, errors in form.errors.as_data().items()
        for label, problem in _told(form, name, errors)
    )
    yield from list(dict.fromkeys(found))[:_PROBLEMS_SHOWN]


def _told(form: BaseForm, name: str, errors: list[ValidationError]) -> Iterator[tuple[str, str]]:
    label = capfirst(str(form.fields[name].label))
    for error in errors:
        if not isinstance(error, StreamBlockValidationError):
            yield from ((label, text) for text in _texts(error))
            continue
        widget = form.fields[name].widget
        blocks = widget.value_from_datadict(form.data, form.files, form.add_prefix(name))
        for index, inside in error.block_errors.items():
            heading = capfirst(str(blocks[index].block.label))
            yield from ((heading, text) for text in _texts(inside))


def _texts(error: ValidationError) -> Iterator[str]:
    if isinstance(error, StructBlockValidationError):
        for inside in (*error.block_errors.values(), *error.non_block_errors.as_data()):
            yield from _texts(inside)
    else:
        yield from (text for e in error.error_list if e.code != "required" for text in e.messages)
