from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = _("Insurance records")

    def ready(self) -> None:
        # Imported here, because models exist only after all apps are loaded.
        from core.lineage import RECORD_KINDS
        from file_handling.lineage import register

        register(RECORD_KINDS)
