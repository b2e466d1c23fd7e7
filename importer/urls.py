from django.urls import path
from rest_framework.routers import SimpleRouter

from common.throttling import ExportThrottle
from file_handling.sessions.views import EventViewSet, FindingViewSet
from importer.corrections.download import CorrectionWorkbookViewSet
from importer.corrections.views import CorrectionViewSet
from importer.live.stream import EventStreamView
from importer.views import ImportSessionViewSet

router = SimpleRouter()
router.register("import-sessions", ImportSessionViewSet, basename="import-session")
router.register("corrections", CorrectionViewSet, basename="correction")

urlpatterns = [
    *router.urls,
    path(
        "import-sessions/<str:pk>/corrections/workbook/",
        CorrectionWorkbookViewSet.as_view({"get": "retrieve"}),
        name="import-session-corrections-workbook",
    ),
    path(
        "import-sessions/<str:session_pk>/findings/",
        FindingViewSet.as_view({"get": "list"}),
        name="import-session-findings",
    ),
    path(
        "import-sessions/<str:session_pk>/findings/export/",
        FindingViewSet.as_view({"get": "export"}, throttle_classes=[ExportThrottle], basename="finding"),
        name="import-session-findings-export",
    ),
    path(
        "import-sessions/<str:session_pk>/events/", EventViewSet.as_view({"get": "list"}), name="import-session-events"
    ),
    path(
        "import-sessions/<str:session_pk>/events/stream/",
        EventStreamView.as_view(),
        name="import-session-events-stream",
    ),
]
