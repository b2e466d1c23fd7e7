"""Every route of Concord."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from config.health import health
from dashboard.home import HomePage
from users.sign_in.language import choose_language

api: list[URLPattern | URLResolver] = [
    path("", include("users.urls")),
    path("", include("file_handling.urls")),
    path("", include("notifications.urls")),
    path("", include("core.urls")),
    path("", include("importer.urls")),
    path("", include("dashboard.urls")),
    # The description of the API contains no data, and the developer of a client needs it before having an account.
    path("schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(permission_classes=[AllowAny]), name="docs"),
]

urlpatterns = [
    path("", HomePage.as_view(), name="start"),
    path("health/", health, name="health"),
    path("admin/", admin.site.urls),
    # Open to all, because the sign-in page has a language switch, too.
    path("language/", choose_language, name="set_language"),
    path("account/", include("users.sign_in.page_urls")),
    path("", include("users.page_urls")),
    path("", include("file_handling.page_urls")),
    path("", include("notifications.page_urls")),
    path("", include("importer.page_urls")),
    path("", include("core.page_urls")),
    path("", include("dashboard.page_urls")),
    path("api/v1/", include(api)),
]

handler400 = "common.error_pages.bad_request"
handler403 = "common.error_pages.permission_denied"
handler404 = "common.error_pages.not_found"
handler500 = "common.error_pages.server_error"
