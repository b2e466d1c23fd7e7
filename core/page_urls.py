"""Pages of records and the search. The pages of single records that show figures are in `dashboard.page_urls`."""

from django.urls import path

from core.catalogue import pages as catalogue
from core.coverage import pages as coverage
from core.currencies import pages as currencies
from core.merge.pages import ClientMergePage, OperatorMergePage, PartnerMergePage
from core.pages import corrections, lists
from core.pages.claim import ClaimPage
from core.pages.search import SearchPage
from core.pages.source import SourcePage
from core.premiums import pages as premiums
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
    path("policies/to-complete/", coverage.PoliciesToCompletePage.as_view(), name="page-policies-to-complete"),
    path("policies/<int:pk>/rate/", coverage.PolicyRatePage.as_view(), name="page-policy-rate"),
    path("policies/<int:pk>/subscriber/", coverage.PolicySubscriberPage.as_view(), name="page-policy-subscriber"),
    path("plans/to-complete/", coverage.PlansToCompletePage.as_view(), name="page-plans-to-complete"),
    path("plans/<int:pk>/rate/", coverage.PlanRatePage.as_view(), name="page-plan-rate"),
    path("partners/", lists.PartnersPage.as_view(), name="page-partners"),
    path("operators/", lists.OperatorsPage.as_view(), name="page-operators"),
    path("acts/", lists.ActsPage.as_view(), name="page-acts"),
    path("clients/<int:pk>/merge/", ClientMergePage.as_view(), name="page-client-merge"),
    path("partners/<int:pk>/merge/", PartnerMergePage.as_view(), name="page-partner-merge"),
    path("operators/<int:pk>/merge/", OperatorMergePage.as_view(), name="page-operator-merge"),
    path("review/", ReviewPage.as_view(), name="page-review"),
    path("review/<int:pk>/", PairPage.as_view(), name="page-review-pair"),
    path("premiums/", premiums.PremiumsPage.as_view(), name="page-premiums"),
    path("premiums/new/", premiums.PremiumFormPage.as_view(), name="page-premium-new"),
    path("premiums/changes/", premiums.PremiumChangesPage.as_view(), name="page-premium-changes"),
    path("premiums/import/", premiums.PremiumImportPage.as_view(), name="page-premium-import"),
    path("premiums/import/template/", premiums.PremiumTemplatePage.as_view(), name="page-premium-template"),
    path("premiums/<int:pk>/", premiums.PremiumPage.as_view(), name="page-premium"),
    path("premiums/<int:pk>/change/", premiums.PremiumFormPage.as_view(), name="page-premium-change"),
    path("premiums/<int:pk>/delete/", premiums.PremiumDeletePage.as_view(), name="page-premium-delete"),
    path("premiums/<int:pk>/undo/", premiums.PremiumUndoPage.as_view(), name="page-premium-undo"),
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
