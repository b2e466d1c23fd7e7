"""Pages of files."""

from django.urls import path

from file_handling.files import pages

urlpatterns = [
    path("files/", pages.FilesPage.as_view(), name="page-files"),
    path("files/<int:pk>/", pages.FilePage.as_view(), name="page-file"),
    path("files/<int:pk>/preview/", pages.FilePreviewPage.as_view(), name="page-file-preview"),
    path("files/<int:pk>/delete/", pages.FileDeletePage.as_view(), name="page-file-delete"),
]
