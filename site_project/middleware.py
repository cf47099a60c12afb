"""The Content-Security-Policy header (security.md item 8), and errors that Wagtail lets pass."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.datastructures import MultiValueDictKeyError
from django.utils.translation import gettext as _

from site_project.errors import bad_request

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


class ScreenErrorsMiddleware:
    """Answers what Wagtail's screens leave to nobody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        # A form without its fields; a number that no column holds.
        if isinstance(exception, MultiValueDictKeyError | OverflowError):
            return bad_request(request, exception)
        match = request.resolver_match
        view = match.view_name if match is not None else ""
        if isinstance(exception, KeyError) and view == "wagtailredirects:process_import":
            return bad_request(request, exception)  # it reads fields that have errors
        if (
            isinstance(exception, AttributeError)
            and view == "wagtailadmin_choose_page_external_link"
        ):
            return bad_request(request, exception)  # it takes the address for granted
        if isinstance(exception, ProtectedError):  # a person with mailings
            messages.error(request, _("It is in use and cannot be deleted."))
            return HttpResponseRedirect(request.get_full_path())
        return None
