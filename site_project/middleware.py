"""The Content-Security-Policy header (security.md item 8)."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

_COMMON = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'self';"
    " form-action 'self'; frame-ancestors 'self'; "
)
STRICT = _COMMON + "script-src 'self'; style-src 'self'"
# Wagtail's date widgets and choosers are inline scripts, its editor sets inline styles.
ADMIN = _COMMON + "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
# An uploaded file that a browser takes for a page can do nothing.
MEDIA = "default-src 'none'; sandbox"


class ContentSecurityPolicyMiddleware:
    """Set the policy, unless the view has set a tighter one of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            policy = ADMIN
        elif request.path.startswith(settings.MEDIA_URL):
            policy = MEDIA
        else:
            policy = STRICT
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
