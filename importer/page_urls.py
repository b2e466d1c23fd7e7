"""Pages of imports: the list, a new import, a session, its findings, its corrections."""

from django.urls import path

from importer.new_import import MissingPages, NewImportPage, WaitingFiles
from importer.session_pages import corrections, lists, session
from importer.session_pages.correct import CorrectFindingPage
from importer.session_pages.finding import FindingPage

urlpatterns = [
    path("imports/", lists.ImportsPage.as_view(), name="page-imports"),
    path("imports/new/", NewImportPage.as_view(), name="page-import-new"),
    path("imports/new/waiting/", WaitingFiles.as_view(), name="page-import-new-waiting"),
    path("imports/new/missing-pages/", MissingPages.as_view(), name="page-import-new-missing-pages"),
    path("imports/<int:pk>/", session.SessionPage.as_view(), name="page-import"),
    path("imports/<int:pk>/progress/", session.ProgressPage.as_view(), name="page-import-progress"),
    path("imports/<int:pk>/findings/", lists.FindingsPage.as_view(), name="page-findings"),
    path("imports/<int:pk>/findings/<int:sequence>/", FindingPage.as_view(), name="page-finding"),
    path(
        "imports/<int:pk>/findings/<int:sequence>/correct/", CorrectFindingPage.as_view(), name="page-finding-correct"
    ),
    path("imports/<int:pk>/corrections/", corrections.CorrectionWorkbookPage.as_view(), name="page-import-corrections"),
    path("imports/<int:pk>/comparison/", corrections.ComparisonPage.as_view(), name="page-import-comparison"),
    path("imports/<int:pk>/revert/", session.SessionRevertPage.as_view(), name="page-import-revert"),
    path("imports/<int:pk>/delete/", session.SessionDeletePage.as_view(), name="page-import-delete"),
    path("imports/<int:pk>/<slug:act>/", session.SessionActPage.as_view(), name="page-import-act"),
    path("corrections/", corrections.CorrectionsPage.as_view(), name="page-corrections"),
    path(
        "corrections/<int:pk>/withdraw/",
        corrections.CorrectionWithdrawPage.as_view(),
        name="page-correction-withdraw",
    ),
]
