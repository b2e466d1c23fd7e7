"""The OpenAPI security scheme of our tokens. A separate module, because importing it earlier would be circular."""

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme


class TokenScheme(KnoxTokenScheme):
    target_class = "users.sign_in.authentication.TokenAuthentication"
