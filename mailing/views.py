"""Public pages for those who get letters: unsubscribing, with no log-in and no question asked."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from mailing.engine.suppressions import suppress
from mailing.enums import SuppressionReason
from mailing.models import Delivery, Suppression
from mailing.tokens import read_unsubscribe_token


# Without a cookie there is nothing a forged request could ride on, and mail programs send none
# (RFC 8058 section 3.2); the token in the address is what allows it.
@method_decorator(csrf_exempt, name="dispatch")
@method_decorator(never_cache, name="dispatch")
class UnsubscribeView(View):
    """GET shows a page with a button, since scanners follow links; only POST changes anything.

    Whoever holds the link may also take it back, and nobody else: owners cannot.
    """

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._page(_delivery(token))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        delivery = _delivery(token)
        if "return" in request.POST:
            _suppressions(delivery).filter(reason=SuppressionReason.UNSUBSCRIBED).delete()
            return self._page(delivery)
        with transaction.atomic():
            suppress(
                owner_id=delivery.run.mailing.owner_id,
                email_normalized=delivery.email_normalized,
                reason=SuppressionReason.UNSUBSCRIBED,
                now=timezone.now(),
            )
        return self._page(delivery)

    def _page(self, delivery: Delivery) -> HttpResponse:
        # Who is only excluded by the owner, who may undo that, can still unsubscribe.
        own = _suppressions(delivery).exclude(reason=SuppressionReason.EXCLUDED)
        suppression = own.first()
        context: dict[str, Any] = {
            "sender": delivery.run.mailing.owner,
            "address": delivery.email,
            "done": suppression is not None,
            "may_return": suppression and suppression.reason == SuppressionReason.UNSUBSCRIBED,
        }
        response = render(self.request, "mailing/unsubscribe.html", context)
        response["Referrer-Policy"] = "no-referrer"  # the address of the page is the key
        return response


def _delivery(token: str) -> Delivery:
    """Return the delivery the token was made for; a 404 does not say what was wrong with it."""
    delivery_id = read_unsubscribe_token(token)
    delivery: Delivery | None = (
        Delivery.objects.select_related("run__mailing__owner").filter(pk=delivery_id).first()
        if delivery_id is not None
        else None
    )
    if delivery is None:
        raise Http404
    return delivery


def _suppressions(delivery: Delivery) -> QuerySet[Suppression]:
    return Suppression.objects.filter(
        owner=delivery.run.mailing.owner_id, email_normalized=delivery.email_normalized
    )
