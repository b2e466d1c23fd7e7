"""The base class of admin pages whose rows are changed by service functions."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from users.access.admin import ScopedModelAdmin
from users.accounts.forms import ServiceForm
from users.models import AuditAction


class ServiceAdmin(ScopedModelAdmin):
    """Pages that change rows by service functions. The form shows the errors that those raise."""

    def form_for(self, request: HttpRequest, row: Any, data: Any) -> ServiceForm:
        raise NotImplementedError

    def acts_on(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        """(name, label) of the row's buttons, beside the form."""
        return []

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._form_page(request, None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        if not self.has_change_permission(request, row):
            return super().change_view(request, object_id, form_url, extra_context)
        return self._form_page(request, row)

    def _form_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        form = self.form_for(request, row, request.POST if request.method == "POST" else None)
        if request.method == "POST" and (saved := form.saved()) is not None:
            return self.saved_response(request, form, saved)
        if self.audited and row is not None and request.method == "GET":
            self.record_audit(request, AuditAction.READ, row)
        return self.page(
            request,
            "admin/users/form.html",
            title=str(row) if row else _("Add %(name)s") % {"name": self.opts.verbose_name},
            form=form,
            original=row,
            acts=self.acts_on(request, row) if row else [],
        )

    def saved_response(self, request: HttpRequest, form: Any, saved: Any) -> HttpResponse:
        messages.success(request, _("“%(name)s” was saved.") % {"name": saved})
        return HttpResponseRedirect(self.address("changelist"))

    def address(self, name: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        view = self.admin_site.admin_view(self.act_view)
        return [path("<path:object_id>/act/<slug:act>/", view, name=name), *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        change = dict(self.acts()).get(act)
        if change is None:
            raise Http404
        answer: list[HttpResponse | None] = []
        if request.method == "POST" and self.carry_out(request, lambda: answer.append(change(request, row))):
            (page,) = answer
            if page is not None:
                return page
        return HttpResponseRedirect(self.address("change", row.pk))

    def acts(self) -> list[tuple[str, Callable[[HttpRequest, Any], HttpResponse | None]]]:
        """(name, function) of each act. A function returns a page, or None for the page of the row."""
        return []
