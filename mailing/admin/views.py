"""Small views behind the admin's forms: suggestions among the person's own rows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from wagtail.admin.auth import permission_denied

from mailing.models import Client, ClientList, ClientTag
from mailing.search import newest_first

_SUGGESTIONS = 20
_LONGEST_SEARCH = 100


@require_safe
def client_choices(request: HttpRequest) -> JsonResponse:
    """Suggest clients by a part of name or address, for `ClientChoice`."""
    if not request.user.has_perm("mailing.view_client"):
        return _denied(request)
    text = _asked(request)
    clients = Client.objects.search_own(text, user=request.user)
    return _answer(newest_first(clients) if text.strip() else clients)


@require_safe
def list_choices(request: HttpRequest) -> JsonResponse:
    """Suggest client lists by a part of the name, for `ChipSelect`."""
    if not request.user.has_perm("mailing.view_clientlist"):
        return _denied(request)
    lists = ClientList.objects.owned_by(request.user)
    return _answer(lists.search(_asked(request), user=request.user))


@require_safe
def tag_choices(request: HttpRequest) -> JsonResponse:
    """Suggest tags by a part of the word, for `TagsInput`."""
    if not request.user.has_perm("mailing.view_client"):
        return _denied(request)
    tags = ClientTag.objects.owned_by(request.user)
    return _answer(tags.search(_asked(request), user=request.user))


def _asked(request: HttpRequest) -> str:
    return request.GET.get("q", "")[:_LONGEST_SEARCH]


def _answer(rows: Any) -> JsonResponse:
    results = [{"id": row.pk, "label": str(row)} for row in rows[:_SUGGESTIONS]]
    return JsonResponse({"results": results})


def _denied(request: HttpRequest) -> JsonResponse:
    denied: JsonResponse = permission_denied(request)
    return denied
