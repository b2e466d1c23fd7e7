"""Pages of records and the search. The pages of single records that show figures are in `dashboard.page_urls`."""

from django.urls import path

from core.currencies import pages as currencies
from core.pages import lists
from core.pages.claim import ClaimPage
from core.pages.search import SearchPage
from core.pages.source import SourcePage

urlpatterns = [
    path("claims/", lists.ClaimsPage.as_view(), name="page-claims"),
    path("claims/<int:pk>/", ClaimPage.as_view(), name="page-claim"),
    path("claim-lines/", lists.ClaimLinesPage.as_view(), name="page-claim-lines"),
    path("insured/", lists.InsuredPage.as_view(), name="page-insured-list"),
    path("memberships/", lists.MembershipsPage.as_view(), name="page-memberships"),
    path("clients/", lists.ClientsPage.as_view(), name="page-clients"),
    path("policies/", lists.PoliciesPage.as_view(), name="page-policies"),
    path("partners/", lists.PartnersPage.as_view(), name="page-partners"),
    path("operators/", lists.OperatorsPage.as_view(), name="page-operators"),
    path("acts/", lists.ActsPage.as_view(), name="page-acts"),
    path("currencies/", currencies.CurrenciesPage.as_view(), name="page-currencies"),
    path("currencies/reporting/", currencies.ReportingCurrencyPage.as_view(), name="page-reporting-currency"),
    path("currencies/new/", currencies.RatePage.as_view(), name="page-rate-new"),
    path("currencies/import/", currencies.RateImportPage.as_view(), name="page-rate-import"),
    path("currencies/template/", currencies.RateTemplatePage.as_view(), name="page-rate-template"),
    path("currencies/<int:pk>/", currencies.RatePage.as_view(), name="page-rate"),
    path("currencies/<int:pk>/delete/", currencies.RateDeletePage.as_view(), name="page-rate-delete"),
    path("search/", SearchPage.as_view(), name="page-search"),
    path("sources/", SourcePage.as_view(), name="page-source"),
]
