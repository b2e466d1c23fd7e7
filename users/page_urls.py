"""Pages of signing in, accounts, countries and the audit trail."""

from django.urls import path

from users.access.audit_page import AuditPage
from users.accounts import country_pages, pages
from users.sign_in.account_pages import SignInPage

urlpatterns = [
    path("sign-in/", SignInPage.as_view(), name="sign-in"),
    path("accounts/", pages.AccountsPage.as_view(), name="page-accounts"),
    path("accounts/new/", pages.AccountFormPage.as_view(), name="page-account-new"),
    path("accounts/import/", pages.AccountImportPage.as_view(), name="page-account-import"),
    path("accounts/<int:pk>/", pages.AccountPage.as_view(), name="page-account"),
    path("accounts/<int:pk>/change/", pages.AccountFormPage.as_view(), name="page-account-change"),
    path("accounts/<int:pk>/<slug:act>/", pages.AccountActPage.as_view(), name="page-account-act"),
    path("countries/", country_pages.CountriesPage.as_view(), name="page-countries"),
    path("countries/new/", country_pages.CountryFormPage.as_view(), name="page-country-new"),
    path("countries/<int:pk>/", country_pages.CountryPage.as_view(), name="page-country"),
    path("countries/<int:pk>/change/", country_pages.CountryFormPage.as_view(), name="page-country-change"),
    path("countries/<int:pk>/<slug:act>/", country_pages.CountryActPage.as_view(), name="page-country-act"),
    path("audit/", AuditPage.as_view(), name="page-audit"),
]
