"""Django's caches, in Redis as one that nobody depends on, in files as one that can hold a lock."""

from __future__ import annotations

import logging
import os
import random
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from django.core.cache.backends import redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

_LOOKED_AT = 0.01
"""How many of the writes look whether there are too many files."""


class RedisCache(redis.RedisCache):
    """Django's, with each failure of the server taken for a miss.

    So pages answer, and letters leave; what is lost meanwhile are the limits on log-ins and the
    sign of a living worker. `/readyz` tells, since it reads back what it has written.
    """

    def add(self, *args: Any, **kwargs: Any) -> bool:
        with _Forgiven():
            return super().add(*args, **kwargs)
        return True

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        with _Forgiven():
            return super().get(key, default, version)
        return default

    def set(self, *args: Any, **kwargs: Any) -> None:
        with _Forgiven():
            super().set(*args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        with _Forgiven():
            return super().touch(*args, **kwargs)
        return False

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        with _Forgiven():
            return super().delete(*args, **kwargs)
        return False

    def get_many(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        with _Forgiven():
            return super().get_many(*args, **kwargs)
        return {}

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        with _Forgiven():
            return super().has_key(*args, **kwargs)
        return False

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        with _Forgiven():
            return super().incr(key, delta, version)
        raise ValueError(f"Key {key!r} not found")

    def set_many(self, data: dict[Any, Any], *args: Any, **kwargs: Any) -> list[Any]:
        with _Forgiven():
            return super().set_many(data, *args, **kwargs)
        return list(data)

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        with _Forgiven():
            super().delete_many(*args, **kwargs)

    def clear(self) -> None:
        with _Forgiven():
            super().clear()


class _Forgiven:
    """Takes what Redis raises inside for a miss."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, RedisError):
            return False
        logger.warning("the cache keeps nothing: %s", type(error).__name__)
        return True


class FileCache(FileBasedCache):
    """Django's, with an `add` that only one of several processes can win.

    Django looks first and writes then, so two may both have added. And it lists the whole folder
    before each write, to see whether there are too many files: here one write in a hundred does.
    A file that is damaged would fail for as long as it is there: here it is removed.
    """

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - pickle raises whatever the bytes lead it to
            logger.warning("a file of the cache is damaged: %s", type(error).__name__)
            self.delete(key, version)
            return default

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        if self.has_key(key, version):  # which removes what has expired
            return False
        self._createdir()  # type: ignore[attr-defined]
        self._cull()
        descriptor, path = tempfile.mkstemp(dir=self._dir)  # type: ignore[attr-defined]
        try:
            with os.fdopen(descriptor, "wb") as file:
                self._write_content(file, timeout, value)  # type: ignore[attr-defined]
            os.link(path, self._key_to_file(key, version))  # type: ignore[attr-defined]
        except FileExistsError:
            return False
        finally:
            with suppress(FileNotFoundError):
                Path(path).unlink()
        return True

    def _cull(self) -> None:
        if random.random() < _LOOKED_AT:  # noqa: S311 - no secret
            super()._cull()  # type: ignore[misc]
