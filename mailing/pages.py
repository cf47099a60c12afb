"""Which screens of mailing are kept in the cache, and what they depend on."""

from __future__ import annotations

from django.utils import timezone

from mailing import heartbeat
from site_project.page_cache import ManagedCache

_LIST = ("o", "p", "owner")
_FOUND = ("q", "export", "count")
"""What somebody looks for, downloads or counts is of no use to a second request."""
_MENU = ("wagtailcore.Page", "wagtailcore.Collection")
"""Where a reader may work with pages and pictures decides what Wagtail's menu offers."""


def _worker() -> str:
    return "works" if heartbeat.is_beating(timezone.now()) else "is away"


MAILINGS = ManagedCache(
    "mailings",
    views=("mailing_mailing_modeladmin_index", "mailing_mailing_modeladmin_inspect"),
    depends_on=("mailing", "accounts.User", "wagtailcore.ModelLogEntry", *_MENU),
    params=(*_LIST, "status"),
    live=_FOUND,
    varies=_worker,
    seconds=30,  # dates pass, and hours begin and end, though nobody writes anything
)
"""The list and the page of each mailing."""

MESSAGES = ManagedCache(
    "messages",
    views=("mailing_message_modeladmin_index",),
    depends_on=("mailing.Message", "mailing.Mailing", "accounts.User", *_MENU),
    params=_LIST,
    live=_FOUND,
)

CLIENTS = ManagedCache(
    "clients",
    views=("mailing_client_modeladmin_index",),
    depends_on=(
        "mailing.Client",
        "mailing.ClientList",
        "mailing.ClientTag",
        "mailing.Suppression",
        "mailing.ClientChange",
        "mailing.ClientImport",
        "accounts.User",
        *_MENU,
    ),
    params=(*_LIST, "list", "tag", "status", "language", "import"),
    live=(*_FOUND, "chosen"),
    varies=_worker,
)
