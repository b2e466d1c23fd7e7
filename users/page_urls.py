"""Pages of accounts, countries, the audit trail and the help."""

from django.urls import path

from users.access.pages import Stub

urlpatterns = [
    path("accounts/", Stub.as_view(), name="page-accounts"),
    path("accounts/new/", Stub.as_view(), name="page-account-new"),
    path("accounts/import/", Stub.as_view(), name="page-account-import"),
    path("accounts/<int:pk>/", Stub.as_view(), name="page-account"),
    path("countries/", Stub.as_view(), name="page-countries"),
    path("countries/new/", Stub.as_view(), name="page-country-new"),
    path("countries/<int:pk>/", Stub.as_view(), name="page-country"),
    path("audit/", Stub.as_view(), name="page-audit"),
    path("help/", Stub.as_view(), name="page-help"),
    path("help/<slug:topic>/", Stub.as_view(), name="page-help-topic"),
]
