"""The admin site: which accounts may enter, and only pages with a country scope."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils.translation import gettext_lazy as _

from common.error_pages import too_many_requests
from users.access.actor import actor_of
from users.access.admin import ScopedModelAdmin
from users.models import AuditEntry, User
from users.sign_in.admin import AdminSignInForm, may_enter_admin
from users.sign_in.forms import OwnPasswordForm
from users.sign_in.language import begin_session
from users.sign_in.throttling import PasswordThrottle

RECENT_ENTRIES = 10


class ConcordAdminSite(admin.AdminSite):
    """The admin, for superusers, global admins, and territorial admins of an active country."""

    site_header = "Concord"
    site_title = "Concord"
    index_title = _("Administration")
    site_url = None
    login_form = AdminSignInForm

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        # Libraries register pages without a country scope: tokens, groups.
        if admin_class is not None and issubclass(admin_class, ScopedModelAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter_admin(request.user)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        # No row has a page outside the admin, and this view would look up any row of any table.
        return [route for route in super().get_urls() if getattr(route, "name", None) != "view_on_site"]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        was_anonymous = request.user.is_anonymous
        response = super().login(request, extra_context)
        if was_anonymous and isinstance(request.user, User):
            begin_session(request, response, request.user)
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method == "POST" and not PasswordThrottle().allow_request(request, None):  # type: ignore[arg-type]
            return too_many_requests(request)
        view = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse("admin:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Completes only the fields named in `autocomplete_fields`; Django's view would search any foreign key."""
        query = request.GET
        source = next(
            (
                page
                for model, page in self._registry.items()
                if (model._meta.app_label, model._meta.model_name) == (query.get("app_label"), query.get("model_name"))
            ),
            None,
        )
        if source is None or query.get("field_name") not in source.get_autocomplete_fields(request):
            raise PermissionDenied
        if not source.has_add_permission(request):
            raise PermissionDenied
        return super().autocomplete_view(request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        user = actor_of(request)
        recent = AuditEntry.objects.visible_to(user).filter(actor=user)[:RECENT_ENTRIES]
        return super().index(request, {"recent_entries": recent, **(extra_context or {})})
