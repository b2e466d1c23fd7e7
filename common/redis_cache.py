"""The cache in Redis."""

import re

from django.core.cache.backends.redis import RedisCache as DjangoRedisCache


class RedisCache(DjangoRedisCache):
    """Django's, but `clear` deletes the keys of this cache alone. Django's empties the whole Redis, where the queues of
    the workers are too, and perhaps other installations.
    """

    def clear(self) -> None:
        own = re.sub(r"([*?\[\]\\])", r"\\\1", self.make_key(""))
        client = self._cache.get_client(None, write=True)
        keys = list(client.scan_iter(match=f"{own}*", count=1000))
        if keys:
            client.delete(*keys)
