from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = _("Accounts and countries")

    def ready(self) -> None:
        # drf-spectacular registers the scheme on import, which is possible only once the apps are loaded.
        import users.sign_in.token_scheme  # noqa: F401
        from users.accounts import deactivation_mails
        from users.models import MailPurpose
        from users.sign_in.mails import register_content

        register_content(MailPurpose.DEACTIVATION_ASKED, deactivation_mails.ASKED)
        register_content(MailPurpose.DEACTIVATION_DECIDED, deactivation_mails.DECIDED)
