"""The caches of answers. What they hold can be computed again: without one an answer takes longer and is the same."""

import pickle
import re
import time
import zlib
from collections.abc import Callable
from typing import Any, ClassVar

import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.redis import RedisCache as DjangoRedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

# For so long after a failure a process does not ask the cache again: a page asks it a dozen times, and each request to
# a Redis that does not answer takes seconds.
PAUSE_SECONDS = 5


class _NeverFails(BaseCache):
    """A cache whose `get` and `set` never raise one of the `failures` of the place where it keeps its values."""

    failures: ClassVar[tuple[type[Exception], ...]]
    # Of the class: each thread has its own instance.
    _asks_again_at: ClassVar[float] = 0.0

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._unless_away(lambda: super(_NeverFails, self).get(key, default, version), default)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._unless_away(lambda: super(_NeverFails, self).set(key, value, timeout, version), None)

    def _unless_away(self, ask: Callable[[], Any], otherwise: Any) -> Any:
        own = type(self)
        if time.monotonic() < own._asks_again_at:
            return otherwise
        try:
            return ask()
        except own.failures as error:
            own._asks_again_at = time.monotonic() + PAUSE_SECONDS
            log.warning("cache_unreachable", error=type(error).__name__)
            return otherwise


class RedisCache(_NeverFails, DjangoRedisCache):
    """A cache in Redis."""

    failures = (RedisError,)

    def clear(self) -> None:
        """Delete the keys of this cache alone.

        Django's empties the whole Redis, where the queues of the workers are too, and perhaps other installations.
        """
        own = re.sub(r"([*?\[\]\\])", r"\\\1", self.make_key(""))
        client = self._cache.get_client(None, write=True)
        keys = list(client.scan_iter(match=f"{own}*", count=1000))
        if keys:
            client.delete(*keys)


class FileCache(_NeverFails, FileBasedCache):
    """A cache in a folder, with each value in a file that only the account of the server may read."""

    failures = (OSError,)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except (EOFError, pickle.UnpicklingError, zlib.error):
            # A power failure may leave a part of a file.
            self.delete(key, version=version)
            return default
