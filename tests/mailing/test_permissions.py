"""The owner rule, and what Wagtail's own views ask: rows of ours, and pictures."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.base import ContentFile
from PIL import Image as Pillow
from wagtail.images import get_image_model
from wagtail.models import Collection
from wagtail.permissions import policy_registry

from accounts import roles
from accounts.models import User
from mailing.models import Client, ClientList, Mailing, Message
from mailing.permissions import OwnedPolicy, OwnPicturesPolicy, may_change, sees_every_owner
from tests.factories import NOW, make_client, make_list, make_mailing

pytestmark = pytest.mark.django_db

People = dict[str, Any]

Image = get_image_model()


@pytest.fixture
def people(
    alice: User,
    bob: User,
    manager: User,
    blogger: User,
    admin: User,
    make_user: Callable[..., User],
) -> People:
    blocked = make_user("blocked", roles.USERS, roles.MANAGERS)
    blocked.is_active = False
    return {
        "alice": alice,
        "bob": bob,
        "both": make_user("both", roles.MANAGERS, roles.USERS),
        "manager": manager,
        "blogger": blogger,
        "admin": admin,
        "blocked": blocked,
        "anonymous": AnonymousUser(),
    }


def test_managers_and_superusers_see_every_owner(people: People) -> None:
    assert {name for name, person in people.items() if sees_every_owner(person)} == {
        "both",
        "manager",
        "admin",
    }


def test_only_the_owner_changes_a_row(people: People) -> None:
    row = make_client(people["alice"])
    assert {name for name, person in people.items() if may_change(person, row)} == {"alice"}
    assert not may_change(people["blocked"], make_client(people["blocked"]))


class TestOwnedPolicy:
    @pytest.mark.parametrize("model", [Client, ClientList, Message, Mailing])
    def test_wagtails_views_find_it_for_each_model(self, model: type[Any]) -> None:
        assert type(policy_registry.get_by_type(model)) is OwnedPolicy

    def test_a_row_is_seen_by_owner_and_managers_and_changed_by_the_owner(
        self, people: People
    ) -> None:
        policy, row = OwnedPolicy(Mailing), make_mailing(people["alice"])

        def allowed(action: str) -> set[str]:
            return {
                name
                for name, person in people.items()
                if policy.user_has_permission_for_instance(person, action, row)
            }

        assert allowed("view") == {"alice", "both", "manager", "admin"}
        assert allowed("change") == allowed("delete") == {"alice"}

    def test_ownership_alone_is_not_enough(self, blogger: User) -> None:
        """One who has lost the role of a user has rows, but may do nothing with them."""
        policy, row = OwnedPolicy(Client), make_client(blogger)
        for action in ("view", "change", "delete"):
            assert not policy.user_has_permission_for_instance(blogger, action, row)

    def test_any_of_several_actions(self, people: People) -> None:
        policy, row = OwnedPolicy(Client), make_client(people["alice"])
        both = {"view", "change"}
        assert policy.user_has_any_permission_for_instance(people["manager"], both, row)
        assert not policy.user_has_any_permission_for_instance(people["bob"], both, row)
        assert not policy.user_has_any_permission_for_instance(
            people["manager"], {"change", "delete"}, row
        )

    @pytest.mark.parametrize("action", ["view", "change", "delete"])
    def test_lists_and_single_rows_give_the_same_answer(self, people: People, action: str) -> None:
        policy = OwnedPolicy(ClientList)
        rows = [make_list(people[name]) for name in ("alice", "bob", "both", "blogger", "admin")]
        for name, person in people.items():
            one_by_one = {
                row.pk
                for row in rows
                if policy.user_has_permission_for_instance(person, action, row)
            }
            found = policy.instances_user_has_permission_for(person, action)
            assert set(found.values_list("pk", flat=True)) == one_by_one, name

    def test_a_deleted_mailing_is_in_no_list(self, alice: User) -> None:
        make_mailing(alice, deleted_at=NOW)
        assert not OwnedPolicy(Mailing).instances_user_has_permission_for(alice, "view").exists()


class TestOwnPictures:
    @pytest.fixture
    def pictures(self, people: People) -> dict[str, Any]:
        """Alice and Bob have pictures for letters, and the blogger has one for posts."""
        return {
            "alices": picture("alices", "Letters", people["alice"]),
            "bobs": picture("bobs", "Letters", people["bob"]),
            "posts": picture("posts", "Blog", people["blogger"]),
            "loose": picture("loose", "Root", people["alice"]),
        }

    @pytest.fixture
    def policy(self) -> OwnPicturesPolicy:
        found = policy_registry.get_by_type(Image)
        assert isinstance(found, OwnPicturesPolicy)
        return found

    def test_users_choose_among_their_own_and_others_by_collection(
        self, people: People, pictures: dict[str, Any], policy: OwnPicturesPolicy
    ) -> None:
        by_pk = {image.pk: name for name, image in pictures.items()}
        chosen = {
            name: {
                by_pk[pk]
                for pk in policy.instances_user_has_permission_for(person, "choose").values_list(
                    "pk", flat=True
                )
            }
            for name, person in people.items()
        }
        assert chosen == {
            "alice": {"alices"},
            "bob": {"bobs"},
            "both": {"alices", "bobs", "posts"},
            "manager": {"alices", "bobs", "posts"},
            "blogger": {"posts"},
            "admin": set(pictures),
            "blocked": set(),
            "anonymous": set(),
        }

    @pytest.mark.parametrize("action", ["choose", "change", "delete"])
    def test_lists_and_single_pictures_give_the_same_answer(
        self, people: People, pictures: dict[str, Any], policy: OwnPicturesPolicy, action: str
    ) -> None:
        for name, person in people.items():
            one_by_one = {
                image.pk
                for image in pictures.values()
                if policy.user_has_permission_for_instance(person, action, image)
            }
            found = policy.instances_user_has_permission_for(person, action)
            assert set(found.values_list("pk", flat=True)) == one_by_one, name

    def test_users_change_their_own_only(
        self, people: People, pictures: dict[str, Any], policy: OwnPicturesPolicy
    ) -> None:
        changed = {
            name
            for name, person in people.items()
            if policy.user_has_permission_for_instance(person, "change", pictures["alices"])
        }
        assert changed == {"alice", "admin"}

    def test_who_may_add_may_open_the_chooser(
        self, people: People, policy: OwnPicturesPolicy
    ) -> None:
        may = {n for n, person in people.items() if policy.user_has_permission(person, "choose")}
        assert may == {"alice", "bob", "both", "manager", "blogger", "admin"}

    def test_the_chooser_offers_the_collections_one_may_add_to(
        self, people: People, policy: OwnPicturesPolicy
    ) -> None:
        def offered(name: str, action: str) -> set[str]:
            found = policy.collections_user_has_permission_for(people[name], action)
            return {str(name) for name in found.values_list("name", flat=True)}

        assert offered("alice", "choose") == {"Letters"}
        assert offered("blogger", "choose") == {"Blog"}
        assert offered("manager", "choose") == {"Letters", "Blog"}
        assert offered("manager", "add") == {"Blog"}
        assert offered("blocked", "choose") == set()


def picture(name: str, collection: str, owner: User) -> Any:
    stream = BytesIO()
    Pillow.new("RGB", (8, 8), "navy").save(stream, "PNG")
    return Image.objects.create(
        title=name,
        file=ContentFile(stream.getvalue(), f"{name}.png"),
        collection=Collection.objects.get(name=collection),
        uploaded_by_user=owner,
    )
