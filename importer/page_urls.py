"""Pages of imports: the list, a new import, a session, its findings."""

from django.urls import path

from users.access.pages import Stub

urlpatterns = [
    path("imports/", Stub.as_view(), name="page-imports"),
    path("imports/new/", Stub.as_view(), name="page-import-new"),
    path("imports/<int:pk>/", Stub.as_view(), name="page-import"),
    path("imports/<int:pk>/progress/", Stub.as_view(), name="page-import-progress"),
    path("imports/<int:pk>/findings/", Stub.as_view(), name="page-findings"),
    path("imports/<int:pk>/findings/<int:sequence>/", Stub.as_view(), name="page-finding"),
    path("imports/<int:pk>/revert/", Stub.as_view(), name="page-import-revert"),
    path("imports/<int:pk>/delete/", Stub.as_view(), name="page-import-delete"),
    path("imports/<int:pk>/<slug:act>/", Stub.as_view(), name="page-import-act"),
]
