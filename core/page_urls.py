"""Pages of records and the search."""

from django.urls import path

from core import pages
from users.access.pages import Stub

urlpatterns = [
    path("claims/", Stub.as_view(), name="page-claims"),
    path("claims/<int:pk>/", Stub.as_view(), name="page-claim"),
    path("claim-lines/", Stub.as_view(), name="page-claim-lines"),
    path("insured/", Stub.as_view(), name="page-insured-list"),
    path("insured/<int:pk>/", Stub.as_view(), name="page-insured"),
    path("families/<int:pk>/", Stub.as_view(), name="page-family"),
    path("clients/", pages.ClientsPage.as_view(), name="page-clients"),
    path("clients/<int:pk>/", Stub.as_view(), name="page-client"),
    path("policies/", Stub.as_view(), name="page-policies"),
    path("policies/<int:pk>/", Stub.as_view(), name="page-policy"),
    path("partners/", Stub.as_view(), name="page-partners"),
    path("partners/<int:pk>/", Stub.as_view(), name="page-partner"),
    path("operators/", Stub.as_view(), name="page-operators"),
    path("operators/<int:pk>/", Stub.as_view(), name="page-operator"),
    path("acts/", Stub.as_view(), name="page-acts"),
    path("acts/<int:pk>/", Stub.as_view(), name="page-act"),
    path("search/", Stub.as_view(), name="page-search"),
    path("sources/", Stub.as_view(), name="page-source"),
]
