"""The cache in Redis."""

import re
import time
from collections.abc import Callable
from typing import Any, ClassVar

import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache as DjangoRedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

# After a failure this process leaves Redis alone for so long: a page asks the cache a dozen times, and each request to
# a Redis that does not answer takes seconds.
PAUSE_SECONDS = 5


class RedisCache(DjangoRedisCache):
    """Django's, with two differences.

    `get` and `set` never raise because of Redis: what the cache holds can be computed again, so without Redis an answer
    takes longer and is the same.

    `clear` deletes the keys of this cache alone. Django's empties the whole Redis, where the queues of the workers are
    too, and perhaps other installations.
    """

    # Of the class: each thread has its own instance.
    _asks_again_at: ClassVar[float] = 0.0

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._unless_away(lambda: super(RedisCache, self).get(key, default, version), default)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._unless_away(lambda: super(RedisCache, self).set(key, value, timeout, version), None)

    def clear(self) -> None:
        own = re.sub(r"([*?\[\]\\])", r"\\\1", self.make_key(""))
        client = self._cache.get_client(None, write=True)
        keys = list(client.scan_iter(match=f"{own}*", count=1000))
        if keys:
            client.delete(*keys)

    @staticmethod
    def _unless_away(ask: Callable[[], Any], otherwise: Any) -> Any:
        if time.monotonic() < RedisCache._asks_again_at:
            return otherwise
        try:
            return ask()
        except RedisError as error:
            RedisCache._asks_again_at = time.monotonic() + PAUSE_SECONDS
            log.warning("cache_unreachable", error=type(error).__name__)
            return otherwise
