"""The names that the first data carry, shown in the language of their reader.

Wagtail prints the name of a workflow, of its task and of a collection in some thirty templates,
messages and reports. So what is loaded carries the name in words, and what is saved the name as
`home.setup` has given it; a name that people have given is left alone both ways.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Model
from django.db.models.signals import post_init, post_save, pre_save
from django.utils.translation import gettext, gettext_noop, override
from wagtail.models import Collection, GroupApprovalTask, PageLogEntry, Task, Workflow

WORKFLOW = gettext_noop("Approval of posts")
TASK = gettext_noop("Approval by a manager")
COLLECTIONS = {"letters": gettext_noop("Letters"), "blog": gettext_noop("Blog")}

_KNOWN: dict[type[Model], tuple[str, ...]] = {
    Workflow: (WORKFLOW,),
    Task: (TASK,),
    GroupApprovalTask: (TASK,),
    Collection: (gettext_noop("Root"), *COLLECTIONS.values()),
}


def shown(name: str, known: tuple[str, ...]) -> str:
    return gettext(name) if name in known else name


def stored(name: str, known: tuple[str, ...]) -> str:
    """Return the name that is kept, given one in whatever language of the site it was shown in."""
    for code, _name in settings.LANGUAGES:
        with override(code):
            for candidate in known:
                if name == gettext(candidate):
                    return candidate
    return name


def connect() -> None:
    for model in _KNOWN:
        post_init.connect(_show, sender=model)
        pre_save.connect(_store, sender=model)
        post_save.connect(_show, sender=model)
    post_init.connect(_show_in_log, sender=PageLogEntry)
    pre_save.connect(_store_in_log, sender=PageLogEntry)


def _show(sender: type[Model], instance: Any, **_kwargs: Any) -> None:
    if "name" in instance.__dict__:  # else it is not loaded, and asking would load it
        instance.name = shown(instance.name, _KNOWN[sender])


def _store(sender: type[Model], instance: Any, **_kwargs: Any) -> None:
    if "name" in instance.__dict__:
        instance.name = stored(instance.name, _KNOWN[sender])


def _show_in_log(instance: PageLogEntry, **_kwargs: Any) -> None:
    for titled in _titled(instance):
        titled["title"] = shown(titled["title"], (WORKFLOW, TASK))


def _store_in_log(instance: PageLogEntry, **_kwargs: Any) -> None:
    for titled in _titled(instance):
        titled["title"] = stored(titled["title"], (WORKFLOW, TASK))


def _titled(entry: PageLogEntry) -> list[dict[str, Any]]:
    """Return what an entry about a workflow says of it, of its task and of the next one."""
    workflow = (entry.__dict__.get("data") or {}).get("workflow") or {}
    return [part for part in (workflow, workflow.get("task"), workflow.get("next")) if part]
