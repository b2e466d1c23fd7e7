"""The account that makes a request, for the API and for the admin."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from rest_framework.request import Request

from users.models import User


def actor_of(request: HttpRequest | Request) -> User:
    """The signed-in account. Raises PermissionDenied for an anonymous request."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
