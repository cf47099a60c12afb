"""ASGI entry point."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_project.settings")

application = get_asgi_application()

from site_project import page_cache  # noqa: E402 - needs the settings

page_cache.drop_all()
