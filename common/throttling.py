"""Rate limits. The rates are REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], by scope."""

import hashlib
from typing import Any

from django.core.cache import caches
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle, UserRateThrottle
from rest_framework.views import APIView


class StoredThrottle(SimpleRateThrottle):
    """Counts in the cache "throttle", which works even while Redis is down."""

    @property
    def cache(self) -> Any:  # type: ignore[override]
        return caches["throttle"]


class LoginAddressThrottle(StoredThrottle):
    scope = "login_address"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


def hashed(typed: str) -> str:
    """A hash of the text for the key of a counter: keys are stored, and the text may be a password by mistake."""
    return hashlib.sha256(typed.encode("utf-8", "replace")).hexdigest()


class UploadThrottle(StoredThrottle, UserRateThrottle):
    scope = "upload"


class FileThrottle(StoredThrottle, UserRateThrottle):
    """Files that are sent one by one before an import, which may have hundreds of pages."""

    scope = "file"


class ExportThrottle(StoredThrottle, UserRateThrottle):
    scope = "export"
