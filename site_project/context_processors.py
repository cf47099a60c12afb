"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "SITE_NAME": settings.SITE_NAME,
        "CONTACT_EMAIL": settings.CONTACT_EMAIL,
        "REGISTRATION_OPEN": settings.REGISTRATION_OPEN,
        "MAIL_CATCHER": settings.MAIL_CATCHER_DIR is not None,
    }
