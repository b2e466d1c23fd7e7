from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        # Imported here, because models exist only after all apps are loaded.
        from notifications import mails
        from users.models import MailPurpose
        from users.sign_in.mails import register_content

        register_content(MailPurpose.IMPORT, mails.IMPORT)
        register_content(MailPurpose.SUMMARY, mails.SUMMARY)
        register_content(MailPurpose.WEBHOOK, mails.WEBHOOK)
