"""Pages of records and the search. The pages of single records that show figures are in `dashboard.page_urls`."""

from django.urls import path

from core.catalogue import pages as catalogue
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
    path("act-categories/", lists.ActCategoriesPage.as_view(), name="page-act-categories"),
    path("acts/candidates/", catalogue.CandidatesPage.as_view(), name="page-act-candidates"),
    path("acts/<int:pk>/catalogue/", catalogue.EditPage.as_view(), name="page-act-catalogue"),
    path(
        "act-categories/candidates/",
        catalogue.CategoryCandidatesPage.as_view(),
        name="page-act-category-candidates",
    ),
    path(
        "act-categories/<int:pk>/catalogue/",
        catalogue.CategoryEditPage.as_view(),
        name="page-act-category-catalogue",
    ),
    path("catalogue-changes/", catalogue.ChangesPage.as_view(), name="page-catalogue-changes"),
    path("catalogue-changes/<int:pk>/undo/", catalogue.UndoPage.as_view(), name="page-catalogue-undo"),
    path("search/", SearchPage.as_view(), name="page-search"),
    path("sources/", SourcePage.as_view(), name="page-source"),
]
