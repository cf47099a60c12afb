"""The site's URLs with pages that fail in each way."""

from __future__ import annotations

from typing import Any, NoReturn

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connection
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from site_project.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

_FAILURES: dict[str, Exception] = {
    "400": SuspiciousOperation("damaged"),
    "403": PermissionDenied("not yours"),
    "404": Http404("gone"),
    "500": RuntimeError("broken"),
    "protected": ProtectedError("in use", set()),
}


def fail(request: HttpRequest, kind: str) -> NoReturn:
    raise _FAILURES[kind]


def missing_field(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.POST["field"])


def query(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse()


def own_policy(request: HttpRequest, **_kwargs: Any) -> HttpResponse:
    return HttpResponse(headers={"Content-Security-Policy": "sandbox"})


urlpatterns = [
    path("fail/field/", missing_field),
    path("fail/query/", query),
    path("fail/policy/", own_policy),
    path("fail/<str:kind>/", fail),
    *urlpatterns,
]
