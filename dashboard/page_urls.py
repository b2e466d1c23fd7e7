"""Pages of figures, and the help. The home page is at the root (`config/urls.py`)."""

from django.urls import path

from dashboard.help import HelpPage
from users.access.pages import Stub

urlpatterns = [
    path("figures/", Stub.as_view(), name="page-figures"),
    path("figures/<slug:part>/", Stub.as_view(), name="page-figures-part"),
    path("help/", HelpPage.as_view(), name="page-help"),
    path("help/<slug:topic>/", HelpPage.as_view(), name="page-help-topic"),
]
