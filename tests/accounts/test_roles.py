"""What each role may do, and that a migrate puts it right again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission

from accounts import roles
from accounts.models import User

pytestmark = pytest.mark.django_db

ENTER = {"wagtailadmin.access_admin"}
OWNED = ("client", "clientlist", "message", "mailing")
LOG = {"mailing.view_delivery", "mailing.view_attempt", "mailing.view_clientimport"}

TABLE = {
    roles.USERS: ENTER
    | LOG
    | {f"mailing.{a}_{m}" for a in ("view", "add", "change", "delete") for m in OWNED}
    | {"mailing.add_clientimport"},
    roles.MANAGERS: ENTER
    | LOG
    | {f"mailing.view_{model}" for model in OWNED}
    | {f"mailing.{a}_dateperiod" for a in ("view", "add", "change", "delete")}
    | {"mailing.view_every_owner", "mailing.deactivate_mailing"}
    | {"accounts.view_user", "accounts.block_user"},
    roles.BLOGGERS: ENTER,
}


@pytest.mark.parametrize("role", roles.ROLES, ids=lambda role: role.name)
def test_a_role_holds_exactly_this(make_user: Callable[..., User], role: roles.Role) -> None:
    assert make_user("nora", role).get_all_permissions() == TABLE[role]


def test_a_person_of_several_roles_may_do_what_each_may(make_user: Callable[..., User]) -> None:
    user = make_user("nora", roles.MANAGERS, roles.USERS)
    assert user.get_all_permissions() == TABLE[roles.MANAGERS] | TABLE[roles.USERS]


def test_nobody_but_a_superuser_edits_people_or_rights(make_user: Callable[..., User]) -> None:
    user = make_user("nora", *roles.ROLES)
    for action in ("add", "change", "delete"):
        for model in ("accounts.{}_user", "auth.{}_group", "wagtailcore.{}_site"):
            assert not user.has_perm(model.format(action))


def test_giving_a_role_keeps_the_others(make_user: Callable[..., User]) -> None:
    user = make_user("nora", roles.BLOGGERS)
    roles.give(user, roles.USERS)
    roles.give(user, roles.USERS)
    assert {group.name for group in user.groups.all()} == {"Bloggers", "Users"}


def test_a_change_by_hand_is_undone() -> None:
    group = Group.objects.get(name=roles.USERS.name)
    group.permissions.remove(Permission.objects.get(codename="view_client"))
    group.permissions.add(Permission.objects.get(codename="delete_user"))
    Group.objects.get(name=roles.BLOGGERS.name).delete()
    roles.ensure_roles()
    held = {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.all()}
    assert held == TABLE[roles.USERS]
    assert Group.objects.get(name=roles.BLOGGERS.name).permissions.count() == 1


def test_people_keep_their_role_and_other_groups_stay(make_user: Callable[..., User]) -> None:
    user = make_user("nora", roles.USERS)
    Group.objects.create(name="Friends").user_set.add(user)
    roles.ensure_roles()
    assert {group.name for group in user.groups.all()} == {"Friends", "Users"}


def test_a_permission_that_no_model_declares_is_named() -> None:
    with pytest.raises(LookupError, match=r"mailing\.fly"):
        roles._permissions({"mailing.fly", "mailing.view_client"})
