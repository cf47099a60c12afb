"""Who may see and change whose rows: the one owner rule.

`OwnedQuerySet.visible_to` asks `sees_every_owner`; screens ask `may_change`; Wagtail's own views
ask the policies below, which are built from the same two.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.permission_policies.collections import CollectionOwnershipPermissionPolicy

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User
    from mailing.models.owned import OwnedModel

    Person = User | AnonymousUser


def sees_every_owner(user: Person) -> bool:
    """Managers and superusers see all rows; seeing is not changing."""
    return user.has_perm("mailing.view_every_owner")


def may_change(user: Person, row: OwnedModel) -> bool:
    """Only the owner changes a row, whatever else a person may be."""
    return user.is_active and row.owner_id == user.pk


class OwnedPolicy(ModelPermissionPolicy):
    """The owner rule for the few Wagtail views that ask a policy (previews, log entries)."""

    def user_has_permission_for_instance(self, user: Person, action: str, instance: Any) -> bool:
        if not super().user_has_permission_for_instance(user, action, instance):
            return False
        if action == "view":
            return may_change(user, instance) or sees_every_owner(user)
        return may_change(user, instance)

    def user_has_any_permission_for_instance(
        self, user: Person, actions: Collection[str], instance: Any
    ) -> bool:
        return any(self.user_has_permission_for_instance(user, a, instance) for a in actions)

    def instances_user_has_any_permission_for(
        self, user: Person, actions: Collection[str]
    ) -> QuerySet[Any]:
        instances = super().instances_user_has_any_permission_for(user, actions)
        visible: QuerySet[Any] = instances.visible_to(user)
        return visible if set(actions) == {"view"} else visible.filter(owner=user.pk)


class OwnPicturesPolicy(CollectionOwnershipPermissionPolicy):
    """Pictures: who may add to a collection may also choose there, but only what is theirs.

    Stock Wagtail shows everything in a collection to all who may choose in it. Our users share the
    collection "Letters", where they only have "add", so nobody sees another's pictures.
    """

    def user_has_permission(self, user: Person, action: str) -> bool:
        if action == "choose" and self._check_perm(user, ["add"]):
            return True
        return bool(super().user_has_permission(user, action))

    def user_has_any_permission_for_instance(
        self, user: Person, actions: Collection[str], instance: Any
    ) -> bool:
        if super().user_has_any_permission_for_instance(user, actions, instance):
            return True
        owns = getattr(instance, self.owner_field_name) == user
        return owns and "choose" in actions and self._check_perm(user, ["add"], instance.collection)

    def instances_user_has_any_permission_for(
        self, user: Person, actions: Collection[str]
    ) -> QuerySet[Any]:
        instances = super().instances_user_has_any_permission_for(user, actions)
        if "choose" not in actions or not user.is_authenticated or user.is_superuser:
            return instances
        own = Q(
            collection__in=self._collections_with_perm(user, ["add"]),
            **{self.owner_field_name: user},
        )
        return instances | self.model._default_manager.filter(own)

    def collections_user_has_any_permission_for(
        self, user: Person, actions: Collection[str]
    ) -> QuerySet[Any]:
        actions = {*actions, "add"} if "choose" in actions else actions
        return super().collections_user_has_any_permission_for(user, actions)
