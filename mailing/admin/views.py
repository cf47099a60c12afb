"""Small views behind the admin's forms."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from wagtail.admin.auth import permission_denied

from mailing.models import Client

_SUGGESTIONS = 20
_LONGEST_SEARCH = 100


@require_safe
def client_choices(request: HttpRequest) -> JsonResponse:
    """Suggest the person's own clients by a part of name or address, for `ClientChoice`."""
    if not request.user.has_perm("mailing.view_client"):
        denied: JsonResponse = permission_denied(request)
        return denied
    clients = Client.objects.owned_by(request.user)
    for word in request.GET.get("q", "").replace("\x00", " ")[:_LONGEST_SEARCH].split():
        clients = clients.filter(
            Q(email__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
        )
    results = [{"id": client.pk, "label": str(client)} for client in clients[:_SUGGESTIONS]]
    return JsonResponse({"results": results})
