"""Whom the token of a request stands for."""

from django.utils.translation import gettext_lazy as _
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import PermissionDenied

from users.models import User


class TokenAuthentication(KnoxTokenAuthentication):
    """knox's, which also refuses (403) accounts that are frozen with their country: their tokens wait with them."""

    def validate_user(self, auth_token: AuthToken) -> tuple[User, AuthToken]:
        user, token = super().validate_user(auth_token)
        if user.is_frozen():
            raise PermissionDenied(_("Your country is not active. Ask a global administrator."))
        return user, token
