"""Pages of records and the search. The pages of single records that show figures are in `dashboard.page_urls`."""

from django.urls import path

from core.merge.pages import ClientMergePage, OperatorMergePage, PartnerMergePage
from core.pages import corrections, lists
from core.pages.claim import ClaimPage
from core.pages.search import SearchPage
from core.pages.source import SourcePage
from core.review.pages import PairPage, ReviewPage

urlpatterns = [
    path("claims/", lists.ClaimsPage.as_view(), name="page-claims"),
    path("claims/<int:pk>/", ClaimPage.as_view(), name="page-claim"),
    path("claim-lines/", lists.ClaimLinesPage.as_view(), name="page-claim-lines"),
    path("insured/", lists.InsuredPage.as_view(), name="page-insured-list"),
    path("insured/<int:pk>/merge/", corrections.MergePage.as_view(), name="page-insured-merge"),
    path("insured/<int:pk>/name/", corrections.NamePage.as_view(), name="page-insured-name"),
    path("insured/<int:pk>/split/", corrections.SplitPage.as_view(), name="page-insured-split"),
    path("memberships/<int:pk>/attach/", corrections.AttachPage.as_view(), name="page-membership-attach"),
    path("memberships/<int:pk>/role/", corrections.RolePage.as_view(), name="page-membership-role"),
    path("families/", lists.FamiliesPage.as_view(), name="page-families"),
    path("families/changes/", lists.RecordChangesPage.as_view(), name="page-family-changes"),
    path("families/changes/<int:pk>/", corrections.ChangePage.as_view(), name="page-family-change"),
    path("memberships/", lists.MembershipsPage.as_view(), name="page-memberships"),
    path("clients/", lists.ClientsPage.as_view(), name="page-clients"),
    path("policies/", lists.PoliciesPage.as_view(), name="page-policies"),
    path("partners/", lists.PartnersPage.as_view(), name="page-partners"),
    path("operators/", lists.OperatorsPage.as_view(), name="page-operators"),
    path("acts/", lists.ActsPage.as_view(), name="page-acts"),
    path("clients/<int:pk>/merge/", ClientMergePage.as_view(), name="page-client-merge"),
    path("partners/<int:pk>/merge/", PartnerMergePage.as_view(), name="page-partner-merge"),
    path("operators/<int:pk>/merge/", OperatorMergePage.as_view(), name="page-operator-merge"),
    path("review/", ReviewPage.as_view(), name="page-review"),
    path("review/<int:pk>/", PairPage.as_view(), name="page-review-pair"),
    path("search/", SearchPage.as_view(), name="page-search"),
    path("sources/", SourcePage.as_view(), name="page-source"),
]
