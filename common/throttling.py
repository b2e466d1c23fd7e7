"""How often one may knock. Rates are REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], by scope."""

import hashlib
from typing import Any

from django.core.cache import caches
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle, UserRateThrottle
from rest_framework.views import APIView


class _StoredThrottle(SimpleRateThrottle):
    """Counts in the cache kept for it, which answers even while the broker's service is away."""

    @property
    def cache(self) -> Any:  # type: ignore[override]
        return caches["throttle"]


class LoginAddressThrottle(_StoredThrottle):
    scope = "login_address"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class LoginAccountThrottle(_StoredThrottle):
    """By the account tried, whoever tries it, whether or not it exists."""

    scope = "login_account"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        data = request.data if isinstance(request.data, dict) else {}
        tried = str(data.get("username", "")).strip().casefold()
        # Hashed, because the key is stored and what was typed may be anything, a password in the wrong field too.
        return self.cache_format % {"scope": self.scope, "ident": hashlib.sha256(tried.encode()).hexdigest()}


class UploadThrottle(_StoredThrottle, UserRateThrottle):
    scope = "upload"


class ExportThrottle(_StoredThrottle, UserRateThrottle):
    scope = "export"
