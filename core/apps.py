from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = _("Insurance records")

    def ready(self) -> None:
        # Imported here, because models exist only after all apps are loaded.
        from core.changes import follow, object_to_undo
        from core.lineage import RECORD_KINDS
        from core.merge.services import objection_to_parting
        from core.review.following import follow_merge
        from file_handling.lineage import register

        register(RECORD_KINDS)
        object_to_undo(objection_to_parting)
        follow(follow_merge)
