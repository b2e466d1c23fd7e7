from django.urls import include, path
from rest_framework.routers import SimpleRouter

from users.access.audit_api import AuditViewSet
from users.accounts.deactivation_views import DeactivationViewSet
from users.accounts.views import AccountViewSet, CountryViewSet
from users.sign_in.password_views import LogoutEverywhereView, PasswordChangeView, PasswordResetView, PasswordSetView
from users.sign_in.views import LoginView, LogoutView, MeView

router = SimpleRouter()
router.register("users", AccountViewSet, basename="users")
router.register("audit", AuditViewSet, basename="audit")
router.register("countries", CountryViewSet, basename="countries")
router.register("country-deactivations", DeactivationViewSet, basename="country-deactivations")

urlpatterns = [
    path("auth/login/", LoginView.as_view(), name="auth-login"),
    path("auth/logout/", LogoutView.as_view(), name="auth-logout"),
    path("auth/logout-all/", LogoutEverywhereView.as_view(), name="auth-logout-all"),
    path("auth/password/change/", PasswordChangeView.as_view(), name="auth-password-change"),
    path("auth/password/reset/", PasswordResetView.as_view(), name="auth-password-reset"),
    path("auth/password/set/", PasswordSetView.as_view(), name="auth-password-set"),
    # Before the router, whose pattern `users/<pk>/` matches this path too.
    path("users/me/", MeView.as_view(), name="users-me"),
    path("", include(router.urls)),
]
