from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DashboardConfig(AppConfig):
    name = "dashboard"
    verbose_name = _("Dashboard")

    def ready(self) -> None:
        # Imported here, because models exist only after all apps are loaded.
        from core.changes import follow
        from dashboard.marks import follow_merge

        follow(follow_merge)
