"""Guards for admin screens that are not ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from wagtail.admin.auth import permission_denied, require_admin_access

from mailing.permissions import sees_every_owner

View = Callable[..., HttpResponse]


def admin_only(view: View) -> View:
    guarded: View = require_admin_access(view)
    return guarded


def managers_only(view: View) -> View:
    """Let in only those who may see every owner's rows."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not sees_every_owner(request.user):
            denied: HttpResponse = permission_denied(request)
            return denied
        return view(request, *args, **kwargs)

    return admin_only(guarded)
