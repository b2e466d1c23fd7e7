"""Authentication of API requests by token."""

from django.utils.translation import gettext_lazy as _
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import PermissionDenied

from users.models import User


class TokenAuthentication(KnoxTokenAuthentication):
    """knox's authentication; it also refuses (403) accounts whose country is inactive. Their tokens stay valid for the
    time when the country is active again."""

    def validate_user(self, auth_token: AuthToken) -> tuple[User, AuthToken]:
        user, token = super().validate_user(auth_token)
        if user.is_frozen():
            raise PermissionDenied(_("Your country is not active. Ask a global administrator."))
        return user, token
