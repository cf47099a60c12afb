"""Addresses with names for ids, such as `/admin/users/edit/{user}/`, and whose ids they take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, resolve
from wagtail.models import ModelLogEntry

from mailing.enums import MailingStatus
from mailing.tokens import unsubscribe_token
from tests.access.world import MISSING, Belongings, World

_NAMES = re.compile(r"{(\w+)}")


def routes() -> set[str]:
    """Return the route of every URL pattern of the site."""
    return set(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: Iterable[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern).removeprefix("^" if prefix else "")
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield route


def route_of(path: str) -> str:
    """Return the route of the pattern that answers at `path`."""
    return resolve(path.partition("?")[0]).route


def ids_of(belongings: Belongings) -> dict[str, Any]:
    return {
        "user": belongings.owner.pk,
        "client": belongings.client.pk,
        "list": belongings.client_list.pk,
        "new_import": belongings.new_import.pk,
        "done_import": belongings.done_import.pk,
        "message": belongings.message.pk,
        "run": belongings.run.pk,
        "delivery": belongings.delivery.pk,
        "attempt": belongings.attempt.pk,
        "image": belongings.image.pk,
        "upload": belongings.upload.pk,
        "session": belongings.editing_session.pk,
        "login": belongings.login.pk,
        "event": ModelLogEntry.objects.for_instance(belongings.message).latest("pk").pk,
        **{status.value: belongings.mailings[status].pk for status in MailingStatus},
    }


STATUSES = {status.value for status in MailingStatus}
OWNED = STATUSES | {
    "client",
    "list",
    "new_import",
    "done_import",
    "message",
    "run",
    "delivery",
    "attempt",
    "image",
    "upload",
    "session",
    "login",
    "event",
}


class Addresses:
    """Fills addresses with the ids of a world; `whose` says whose ids the owned names stand for."""

    def __init__(self, world: World, whose: Belongings) -> None:
        state = world.draft.current_workflow_state
        self.ids: dict[str, Any] = {
            **ids_of(whose),
            "token": unsubscribe_token(whose.delivery.pk),
            "file": whose.image.file.name,
            "missing": MISSING,
            "manager": world.manager.pk,
            "superuser": world.admin.pk,
            "home": world.home.pk,
            "blog": world.blog.pk,
            "post": world.post.pk,
            "post_revision": world.post.latest_revision_id,
            "draft": world.draft.pk,
            "draft_revision": world.draft.latest_revision_id,
            "workflow_state": state.pk,
            "task_state": state.current_task_state_id,
            "workflow": state.workflow_id,
            "task": state.current_task_state.task_id,
            "restriction": world.restriction.pk,
            "post_image": world.post_image.pk,
            "document": world.document.pk,
            "redirect": world.redirect.pk,
            "collection": world.post_image.collection_id,
            "group": world.users_group.pk,
            "site": world.site.pk,
            "period": whose.mailing.period_id,
            "confirmation_key": world.confirmation_key,
        }

    def fill(self, path: str) -> str:
        return path.format_map(self.ids)

    def fill_missing(self, path: str) -> str:
        """Return the address with ids that no row has in place of those of the owner."""
        return path.format_map(self.ids | dict.fromkeys(OWNED, MISSING))


def is_owned(path: str) -> bool:
    """Return whether the address names a thing of an owner."""
    return bool(OWNED & set(_NAMES.findall(path)))


def in_every_status(path: str) -> set[str]:
    """Return the address of a mailing for mailings in each status; any other address as it is."""
    named = set(_NAMES.findall(path)) & STATUSES
    return {path.replace(f"{{{name}}}", f"{{{s}}}") for name in named for s in STATUSES} or {path}
