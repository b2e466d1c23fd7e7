from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FileHandlingConfig(AppConfig):
    name = "file_handling"
    verbose_name = _("Files and import sessions")
