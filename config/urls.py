"""Every route of Concord."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.utils.translation import gettext_lazy as _
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import AllowAny

from config.health import health

admin.site.site_header = "Concord"
admin.site.site_title = "Concord"
admin.site.index_title = _("Administration")

api: list[URLPattern | URLResolver] = [
    path("", include("users.urls")),
    path("", include("file_handling.urls")),
    path("", include("core.urls")),
    path("", include("importer.urls")),
    # The description of the API holds no data: who writes a client needs it before they have an account.
    path("schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(permission_classes=[AllowAny]), name="docs"),
]

urlpatterns = [
    path("health/", health, name="health"),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api)),
]
