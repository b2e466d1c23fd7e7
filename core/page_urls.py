"""Pages of records and the search. The pages of single records that show figures are in `dashboard.page_urls`."""

from django.urls import path

from core.coverage import pages as coverage
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
    path("policies/to-complete/", coverage.PoliciesToCompletePage.as_view(), name="page-policies-to-complete"),
    path("policies/<int:pk>/rate/", coverage.PolicyRatePage.as_view(), name="page-policy-rate"),
    path("policies/<int:pk>/subscriber/", coverage.PolicySubscriberPage.as_view(), name="page-policy-subscriber"),
    path("plans/to-complete/", coverage.PlansToCompletePage.as_view(), name="page-plans-to-complete"),
    path("plans/<int:pk>/rate/", coverage.PlanRatePage.as_view(), name="page-plan-rate"),
    path("partners/", lists.PartnersPage.as_view(), name="page-partners"),
    path("operators/", lists.OperatorsPage.as_view(), name="page-operators"),
    path("acts/", lists.ActsPage.as_view(), name="page-acts"),
    path("search/", SearchPage.as_view(), name="page-search"),
    path("sources/", SourcePage.as_view(), name="page-source"),
]
