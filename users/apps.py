from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = _("Accounts and countries")

    def ready(self) -> None:
        # drf-spectacular registers the scheme on import, which is possible only once the apps are loaded.
        import users.sign_in.token_scheme  # noqa: F401
