"""Every route of Concord."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import AllowAny

from config.health import health
from users.sign_in.pages import start_page

api: list[URLPattern | URLResolver] = [
    path("", include("users.urls")),
    path("", include("file_handling.urls")),
    path("", include("core.urls")),
    path("", include("importer.urls")),
    path("", include("dashboard.urls")),
    # The description of the API contains no data, and the developer of a client needs it before having an account.
    path("schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(permission_classes=[AllowAny]), name="docs"),
]

urlpatterns = [
    path("", start_page, name="start"),
    path("health/", health, name="health"),
    path("admin/", admin.site.urls),
    # Stores the language in a cookie. Open to all, because the sign-in page has a language switch, too.
    path("language/", set_language, name="set_language"),
    path("account/", include("users.sign_in.page_urls")),
    path("", include("users.page_urls")),
    path("", include("file_handling.page_urls")),
    path("", include("importer.page_urls")),
    path("", include("core.page_urls")),
    path("", include("dashboard.page_urls")),
    path("api/v1/", include(api)),
]

handler400 = "common.error_pages.bad_request"
handler403 = "common.error_pages.permission_denied"
handler404 = "common.error_pages.not_found"
handler500 = "common.error_pages.server_error"
