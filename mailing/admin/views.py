"""Small views behind the admin's forms."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from wagtail.admin.auth import permission_denied

from mailing.models import Client
from mailing.search import newest_first

_SUGGESTIONS = 20
_LONGEST_SEARCH = 100


@require_safe
def client_choices(request: HttpRequest) -> JsonResponse:
    """Suggest the person's own clients by a part of name or address, for `ClientChoice`."""
    if not request.user.has_perm("mailing.view_client"):
        denied: JsonResponse = permission_denied(request)
        return denied
    text = request.GET.get("q", "")[:_LONGEST_SEARCH]
    clients = Client.objects.search_own(text, user=request.user)
    if text.strip():
        clients = newest_first(clients)
    results = [{"id": client.pk, "label": str(client)} for client in clients[:_SUGGESTIONS]]
    return JsonResponse({"results": results})
