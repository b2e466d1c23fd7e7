from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImporterConfig(AppConfig):
    name = "importer"
    verbose_name = _("Imports")

    def ready(self) -> None:
        # The modules of an app can only be imported once all apps are loaded.
        from file_handling import wording
        from file_handling.sessions import reports
        from importer.lifecycle import report_in_language
        from importer.report import ending_texts, event_texts, finding_texts

        wording.OBSERVATIONS.register(finding_texts.OBSERVATIONS)
        wording.MESSAGES.register(ending_texts.MESSAGES)
        wording.MESSAGES.register(event_texts.MESSAGES)
        reports.register(report_in_language)
