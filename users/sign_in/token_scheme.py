"""How the description of the API calls our tokens. Apart from them: it stands on views, which stand on them."""

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme


class TokenScheme(KnoxTokenScheme):
    target_class = "users.sign_in.authentication.TokenAuthentication"
