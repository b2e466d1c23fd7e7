"""Pages of figures, of single records, which show figures, and the help. `config/urls.py` has the home page."""

from django.urls import path

from dashboard import record_pages
from dashboard.help import HelpPage
from dashboard.pages import FiguresPage
from dashboard.renewal_page import RenewalPage

urlpatterns = [
    path("figures/", FiguresPage.as_view(), name="page-figures"),
    path("figures/<slug:part>/", FiguresPage.as_view(), name="page-figures-part"),
    path("help/", HelpPage.as_view(), name="page-help"),
    path("help/<slug:topic>/", HelpPage.as_view(), name="page-help-topic"),
    path("insured/<int:pk>/", record_pages.InsuredPage.as_view(), name="page-insured"),
    path("families/<int:pk>/", record_pages.FamilyPage.as_view(), name="page-family"),
    path("clients/<int:pk>/", record_pages.ClientPage.as_view(), name="page-client"),
    path("clients/<int:pk>/renewal/", RenewalPage.as_view(), name="page-renewal"),
    path("policies/<int:pk>/", record_pages.PolicyPage.as_view(), name="page-policy"),
    path("partners/<int:pk>/", record_pages.PartnerPage.as_view(), name="page-partner"),
    path("operators/<int:pk>/", record_pages.OperatorPage.as_view(), name="page-operator"),
    path("acts/<int:pk>/", record_pages.ActPage.as_view(), name="page-act"),
    path("act-categories/<int:pk>/", record_pages.ActCategoryPage.as_view(), name="page-act-category"),
]
