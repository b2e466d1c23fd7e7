"""The same rows of two countries as the API's own tests have."""

from tests.api.conftest import _own_storage, benin, togo  # noqa: F401
