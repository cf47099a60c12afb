"""Typed reading of the environment, whose errors are one sentence that names the variable.

`settings.py` is the only user. Values come from the process environment, then from the file that
ENV_FILE names (`.env` beside `manage.py` unless set); a variable that is set wins over the file.
One that is set to nothing counts as not set.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")


class Environment:
    def __init__(self, base_dir: Path) -> None:
        self._base_dir = base_dir
        env_file = Path(os.environ.get("ENV_FILE", base_dir / ".env"))
        if env_file.is_file():
            environ.Env.read_env(str(env_file))

    def text(self, name: str, default: str = "") -> str:
        return os.environ.get(name, "").strip() or default

    def secret(self, name: str) -> str:
        """Return a variable that has no default: without it nothing starts."""
        value = self.text(name)
        if not value:
            raise ImproperlyConfigured(
                f"{name} is not set. Copy .env.example to .env, or set {name} in the environment."
            )
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.text(name).lower()
        if value in {"", "on", "true", "yes", "1", "off", "false", "no", "0"}:
            return default if not value else value in {"on", "true", "yes", "1"}
        raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}.")

    def number(self, name: str, default: int, *, at_least: int = 0) -> int:
        value = self._read(name, str(default), int, "a whole number")
        if value < at_least:
            raise ImproperlyConfigured(f"{name} must be at least {at_least}, not {value}.")
        return value

    def choice(self, name: str, default: str, among: Iterable[str]) -> str:
        """Return the one of `among` that is named, in whatever case."""
        value = self.text(name, default)
        for known in among:
            if known.lower() == value.lower():
                return known
        raise ImproperlyConfigured(f"{name} cannot be {value!r}. See .env.example.")

    def words(self, name: str) -> list[str]:
        """Return the comma-separated parts, without blanks around them and without empty ones."""
        return [word.strip() for word in self.text(name).split(",") if word.strip()]

    def path(self, name: str, default: str) -> Path:
        """Return a path; a relative one starts at the folder of `manage.py`."""
        return self._base_dir / self.text(name, default)

    def database(self, name: str, default: str) -> dict[str, Any]:
        return self._read(name, default, _database, "a database URL")

    def cache(self, name: str, default: str) -> dict[str, Any]:
        return self._read(name, default, _cache, "a cache URL")

    def email(self, name: str, default: str) -> dict[str, Any]:
        return self._read(name, default, environ.Env.email_url_config, "a mail server URL")

    def _read(self, name: str, default: str, parse: Callable[[str], T], kind: str) -> T:
        try:
            return parse(self.text(name, default))
        except (ValueError, KeyError, TypeError, environ.ImproperlyConfigured):
            # The value is left out, and so is the cause: they may hold a password.
            raise ImproperlyConfigured(f"{name} is not {kind}. See .env.example.") from None


def _database(url: str) -> dict[str, Any]:
    if urlsplit(url).scheme not in environ.Env.DB_SCHEMES:
        raise ValueError  # the parser would only warn, and show the password
    config: dict[str, Any] = environ.Env.db_url_config(url)
    return config


def _cache(url: str) -> dict[str, Any]:
    config: dict[str, Any] = environ.Env.cache_url_config(url)
    if config["BACKEND"].endswith(".RedisCache"):
        config["BACKEND"] = "site_project.caches.RedisCache"
        # A server that is silent is as good as away.
        config["OPTIONS"] = {"socket_connect_timeout": 2, "socket_timeout": 2}
    elif config["BACKEND"].endswith(".FileBasedCache"):
        config["BACKEND"] = "site_project.caches.FileCache"
        config["OPTIONS"] = {"MAX_ENTRIES": 10_000}
    return config


def for_pages(config: dict[str, Any], *, kept: bool) -> dict[str, Any]:
    """Return the cache of whole pages: a place of its own beside the cache of `config`.

    Its Redis is Django's own, which raises: a drop that has failed must not look like one.
    """
    if not kept:
        return {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
    if config["BACKEND"].endswith(".RedisCache"):
        return config | {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "KEY_PREFIX": "pages",
        }
    return config | {"LOCATION": f"{config.get('LOCATION', '')}/pages"}
