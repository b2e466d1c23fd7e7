from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FileHandlingConfig(AppConfig):
    name = "file_handling"
    verbose_name = _("Files and import sessions")

    def ready(self) -> None:
        # The modules of an app can only be imported once all apps are loaded.
        from file_handling import problem_texts, wording
        from file_handling.converters import texts

        wording.MESSAGES.register(problem_texts.MESSAGES)
        wording.MESSAGES.register(texts.MESSAGES)
