"""The event log: who did what to which object, from the entries that Wagtail's log keeps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.db import connections, router
from django.db.models import CharField, Q, QuerySet
from django.db.models.functions import Cast
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import registry
from wagtail.models import ModelLogEntry

from accounts.models import User
from mailing.models import Mailing
from mailing.permissions import sees_every_owner

if TYPE_CHECKING:
    from mailing.permissions import Person


@dataclass(frozen=True, slots=True)
class Look:
    tone: str
    icon: str


_OURS = (
    *("wagtail.create", "wagtail.edit", "wagtail.delete"),
    *("mailing.", "client.", "accounts."),
)
_UNKNOWN = Look("grey", "history")
_LOOKS = {
    "wagtail.create": Look("green", "plus"),
    "wagtail.edit": Look("blue", "pencil-line"),
    "wagtail.delete": Look("red", "trash-2"),
    "mailing.start": Look("teal", "play"),
    "mailing.send_now": Look("teal", "send"),
    "mailing.pause": Look("amber", "pause"),
    "mailing.resume": Look("teal", "play"),
    "mailing.deactivate": Look("red", "octagon-x"),
    "mailing.lift": Look("green", "undo-2"),
    "mailing.cancel_run": Look("red", "ban"),
    "mailing.send_again": Look("teal", "rotate-cw"),
    "mailing.clients.add": Look("blue", "users"),
    "mailing.clients.remove": Look("blue", "users"),
    "mailing.clients.tag": Look("blue", "tag"),
    "mailing.clients.untag": Look("blue", "tag"),
    "mailing.clients.exclude": Look("violet", "shield-ban"),
    "mailing.clients.readmit": Look("green", "undo-2"),
    "mailing.clients.delete": Look("red", "trash-2"),
    "client.import": Look("green", "upload"),
    "mailing.test_letter": Look("blue", "mail-check"),
    "mailing.export": Look("blue", "download"),
    "accounts.block": Look("red", "ban"),
    "accounts.unblock": Look("green", "check"),
}

# Whole phrases, because Russian bends both the verb and the thing.
_PHRASES: dict[tuple[str, str], Promise] = {
    ("wagtail.create", "client"): _("Client added"),
    ("wagtail.edit", "client"): _("Client changed"),
    ("wagtail.delete", "client"): _("Client deleted"),
    ("wagtail.create", "clientlist"): _("Client list made"),
    ("wagtail.edit", "clientlist"): _("Client list changed"),
    ("wagtail.delete", "clientlist"): _("Client list deleted"),
    ("wagtail.create", "message"): _("Message written"),
    ("wagtail.edit", "message"): _("Message changed"),
    ("wagtail.delete", "message"): _("Message deleted"),
    ("wagtail.create", "mailing"): _("Mailing set up"),
    ("wagtail.edit", "mailing"): _("Mailing changed"),
    ("wagtail.delete", "mailing"): _("Mailing deleted"),
    ("wagtail.create", "dateperiod"): _("Interval added"),
    ("wagtail.edit", "dateperiod"): _("Interval changed"),
    ("wagtail.delete", "dateperiod"): _("Interval deleted"),
    ("wagtail.create", "image"): _("Picture uploaded"),
    ("wagtail.edit", "image"): _("Picture changed"),
    ("wagtail.delete", "image"): _("Picture deleted"),
    ("wagtail.create", "user"): _("User added"),
    ("wagtail.edit", "user"): _("User changed"),
    ("wagtail.delete", "user"): _("User deleted"),
    ("mailing.start", "mailing"): _("Mailing started"),
    ("mailing.send_now", "mailing"): _("Mailing sent at once"),
    ("mailing.pause", "mailing"): _("Mailing paused"),
    ("mailing.resume", "mailing"): _("Mailing resumed"),
    ("mailing.deactivate", "mailing"): _("Mailing deactivated"),
    ("mailing.lift", "mailing"): _("Deactivation of a mailing lifted"),
    ("mailing.cancel_run", "mailing"): _("Run of a mailing cancelled"),
    ("mailing.send_again", "mailing"): _("Letters of a mailing sent again"),
    ("mailing.test_letter", "user"): _("Test letter requested"),
    ("mailing.export", "user"): _("List exported"),
    ("accounts.block", "user"): _("Account blocked"),
    ("accounts.unblock", "user"): _("Account unblocked"),
}


def visible_events(user: Person) -> QuerySet[ModelLogEntry]:
    """Return what `user` may see: all for managers, `own_events` for others."""
    entries: QuerySet[ModelLogEntry] = ModelLogEntry.objects.all()
    if sees_every_owner(user):
        return entries
    if not isinstance(user, User) or not user.is_active:
        return entries.none()
    return own_events(user)


def own_events(user: User) -> QuerySet[ModelLogEntry]:
    """Return what was done by this person and to theirs, and nothing of others.

    Only owners change what is theirs, but for mailings, which managers stop, and the account. So
    entries about these go by whose they are, also for those who were managers once and acted on
    others' things; all others go by who acted.
    """
    entries: QuerySet[ModelLogEntry] = ModelLogEntry.objects.filter(reduce(or_, parts(user)))
    return entries


def parts(user: User) -> list[Q]:
    """Return the conditions of `own_events` of which an entry meets one: each has an index."""
    mailing, account = (ContentType.objects.get_for_model(model).pk for model in (Mailing, User))
    own = Mailing.objects.owned_by(user).order_by()
    numbers = own.annotate(text=Cast("pk", CharField())).values("text")
    return [
        Q(user=user) & ~Q(content_type__in=(mailing, account)),
        Q(content_type=mailing, object_id__in=numbers),
        Q(content_type=account, object_id=str(user.pk)),
    ]


_INDEXES = {
    "mailing_event_newest": "timestamp, id",
    "mailing_event_of_user": "user_id, timestamp, id",
}


def after_migrate(using: str, **_kwargs: Any) -> None:
    """Make the indexes that the log is read from, newest first, of all or of one person.

    Not a migration: the table is Wagtail's, and a later change of it makes it anew on SQLite,
    without what its model does not know of.
    """
    table = ModelLogEntry._meta.db_table
    if not router.allow_migrate(using, "wagtailcore", model_name="modellogentry"):
        return
    connection = connections[using]
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return
        for name, columns in _INDEXES.items():
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns})")


def phrase(entry: ModelLogEntry) -> str:
    """Return what was done, in words; actions without words of their own have Wagtail's."""
    kind = entry.content_type.model if entry.content_type else ""
    return str(_PHRASES.get((entry.action, kind)) or entry.message)


def look(entry: ModelLogEntry) -> Look:
    return _LOOKS.get(entry.action, _UNKNOWN)


def actions() -> list[tuple[str, str]]:
    """Return names and labels of the actions that the log of this service knows."""
    choices = registry.get_choices()
    return [(name, str(label)) for name, label in choices if name.startswith(_OURS)]
