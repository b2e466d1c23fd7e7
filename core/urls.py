from django.urls import path
from rest_framework.routers import SimpleRouter

from core import views
from core.catalogue.api import CatalogueChangeViewSet
from core.currencies.views import RateViewSet, ReportingCurrencyView
from core.families.views import RecordChangeViewSet
from core.premiums.views import PremiumViewSet
from core.review.views import ReviewPairViewSet

router = SimpleRouter()
router.register("claims", views.ClaimViewSet, basename="claim")
router.register("claim-lines", views.ClaimLineViewSet, basename="claim-line")
router.register("claim-revisions", views.ClaimRevisionViewSet, basename="claim-revision")
router.register("clients", views.ClientViewSet, basename="client")
router.register("policies", views.PolicyViewSet, basename="policy")
router.register("plans", views.PlanViewSet, basename="plan")
router.register("insured", views.InsuredViewSet, basename="insured")
router.register("insured-spellings", views.InsuredSpellingViewSet, basename="insured-spelling")
router.register("memberships", views.MembershipViewSet, basename="membership")
router.register("families", views.FamilyViewSet, basename="family")
router.register("family-changes", RecordChangeViewSet, basename="family-change")
router.register("partners", views.PartnerViewSet, basename="partner")
router.register("operators", views.OperatorViewSet, basename="operator")
router.register("invoices", views.InvoiceViewSet, basename="invoice")
router.register("payments", views.PaymentViewSet, basename="payment")
router.register("act-categories", views.ActCategoryViewSet, basename="act-category")
router.register("acts", views.ActViewSet, basename="act")
router.register("act-aliases", views.ActAliasViewSet, basename="act-alias")
router.register("catalogue-changes", CatalogueChangeViewSet, basename="catalogue-change")
router.register("review-pairs", ReviewPairViewSet, basename="review-pair")
router.register("premiums", PremiumViewSet, basename="premium")
router.register("exchange-rates", RateViewSet, basename="exchange-rate")

urlpatterns = [
    path("reporting-currency/", ReportingCurrencyView.as_view(), name="reporting-currency"),
    *router.urls,
]
