"""Pages of files."""

from django.urls import path

from users.access.pages import Stub

urlpatterns = [
    path("files/", Stub.as_view(), name="page-files"),
    path("files/<int:pk>/", Stub.as_view(), name="page-file"),
    path("files/<int:pk>/preview/", Stub.as_view(), name="page-file-preview"),
    path("files/<int:pk>/delete/", Stub.as_view(), name="page-file-delete"),
]
