"""The three roles and everything they may do: the only list of permissions in the project.

Permissions are named by strings, because this package knows none of the others. `ensure_roles` is
called after each migrate (see `home.setup`), so a change here reaches every installation.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from accounts.models import User

_ENTER_ADMIN = "wagtailadmin.access_admin"
_OWNED_MODELS = ("client", "clientlist", "message", "mailing")


@dataclass(frozen=True)
class Role:
    """A group: permissions, and what it may do to the blog's pages and to picture collections."""

    name: str
    permissions: frozenset[str]
    blog_page: frozenset[str] = frozenset()
    collections: frozenset[tuple[str, str]] = frozenset()
    """Pairs of a collection's key in `home.naming` and "add", "change" or "choose"."""


USERS = Role(
    name="Users",
    permissions=frozenset(
        {_ENTER_ADMIN}
        | {
            f"mailing.{action}_{model}"
            for action in ("view", "add", "change", "delete")
            for model in _OWNED_MODELS
        }
        | {"mailing.view_delivery", "mailing.view_attempt"}
        | {"mailing.view_clientimport", "mailing.add_clientimport"}
    ),
    # Who may only add to a collection sees only the own pictures in it (mailing.permissions).
    collections=frozenset({("letters", "add")}),
)
MANAGERS = Role(
    name="Managers",
    permissions=frozenset(
        {_ENTER_ADMIN, "accounts.view_user", "accounts.block_user"}
        | {f"mailing.view_{model}" for model in _OWNED_MODELS}
        | {"mailing.view_delivery", "mailing.view_attempt", "mailing.view_clientimport"}
        | {"mailing.view_every_owner", "mailing.deactivate_mailing"}
        | {f"mailing.{action}_dateperiod" for action in ("view", "add", "change", "delete")}
    ),
    blog_page=frozenset({"add", "change", "publish"}),
    collections=frozenset(
        {("blog", "add"), ("blog", "change"), ("blog", "choose"), ("letters", "choose")}
    ),
)
BLOGGERS = Role(
    name="Bloggers",
    permissions=frozenset({_ENTER_ADMIN}),
    blog_page=frozenset({"add"}),
    collections=frozenset({("blog", "add"), ("blog", "choose")}),
)
ROLES = (USERS, MANAGERS, BLOGGERS)


def ensure_roles() -> None:
    """Make the groups and give each exactly the permissions of its role. Idempotent."""
    for role in ROLES:
        group, _ = Group.objects.get_or_create(name=role.name)
        group.permissions.set(_permissions(role.permissions))


def give(user: User, *roles: Role) -> None:
    """Put `user` into the groups of `roles`; other groups stay."""
    user.groups.add(*Group.objects.filter(name__in=[role.name for role in roles]))


def _permissions(names: Iterable[str]) -> list[Permission]:
    wanted = Q(pk__in=[])
    count = 0
    for name in names:
        app_label, codename = name.split(".")
        wanted |= Q(content_type__app_label=app_label, codename=codename)
        count += 1
    found = list(Permission.objects.filter(wanted))
    if len(found) != count:
        missing = set(names) - {f"{p.content_type.app_label}.{p.codename}" for p in found}
        raise LookupError(f"Permissions that no model declares: {', '.join(sorted(missing))}")
    return found
