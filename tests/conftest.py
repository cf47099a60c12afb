"""The cast and the stage: people of every role, and settings that make tests quick."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.core.cache import caches
from django.db import connections
from django.test import Client, override_settings

from accounts import roles
from accounts.models import User
from site_project import page_drops
from tests.certificates import Certificates

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """On SQLite use a file: a database in memory has no journal mode and is no other process's."""
    database = connections["default"].settings_dict
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def quick_settings() -> Iterator[None]:
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        STORAGES={
            "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
            "private": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        },
    ):
        yield


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Rate limits and figures live in the cache; they must not reach from one test to the next.

    Nor does what is to be dropped within a second, in the midst of another test.
    """
    page_drops._drops.flush()
    for kept in caches.all():
        kept.clear()
    yield
    for kept in caches.all():
        kept.clear()


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(name: str, *user_roles: roles.Role, superuser: bool = False) -> User:
        create = User.objects.create_superuser if superuser else User.objects.create_user
        user = create(f"{name}@people.test", PASSWORD, first_name=name.capitalize())
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        user.groups.add(*Group.objects.filter(name__in=[role.name for role in user_roles]))
        return user

    return make


@pytest.fixture
def alice(make_user: Callable[..., User]) -> User:
    """A user who keeps clients and mails them."""
    return make_user("alice", roles.USERS)


@pytest.fixture
def bob(make_user: Callable[..., User]) -> User:
    """Another user: must see nothing of Alice."""
    return make_user("bob", roles.USERS)


@pytest.fixture
def manager(make_user: Callable[..., User]) -> User:
    return make_user("manager", roles.MANAGERS)


@pytest.fixture
def blogger(make_user: Callable[..., User]) -> User:
    return make_user("blogger", roles.BLOGGERS)


@pytest.fixture
def admin(make_user: Callable[..., User]) -> User:
    return make_user("admin", superuser=True)


@pytest.fixture
def browse() -> Callable[[User | None], Client]:
    """Return a browser that is signed in as somebody."""

    def browser(user: User | None = None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            # As after the first page: noting the session is no part of what is tested.
            session = client.session
            session["seen_at"] = int(time.time())
            session.save()
        return client

    return browser


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))
