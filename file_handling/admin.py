"""Uploaded files in the admin: list, preview, download, delete (DOMAIN §1)."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.formats import format_count
from common.parsing import positive_int
from common.throttling import ExportThrottle
from file_handling import permissions
from file_handling.converters import services as converter_services
from file_handling.converters.forms import ConverterForm
from file_handling.converters.services import may_manage_converters
from file_handling.files import services
from file_handling.files.preview import preview_file
from file_handling.files.views import attachment, unreadable
from file_handling.lineage import created_by_file, created_by_session, record_kinds
from file_handling.models import Converter, File, ImportSession
from reading.problems import UnreadableFile
from users.access.actor import actor_of
from users.access.admin import ScopedModelAdmin
from users.access.service_admin import ServiceAdmin
from users.accounts.forms import ServiceForm
from users.models import AuditAction

PREVIEW_ROWS = 20
MAX_PREVIEW_ROWS = 100
NOTHING = "–"


def refuse_too_many(request: HttpRequest) -> HttpResponse | None:
    """The answer 429 for an account that downloads too often, else None. The count is shared with the API."""
    if ExportThrottle().allow_request(request, None):  # type: ignore[arg-type]
        return None
    return HttpResponse(_("Too many downloads. Wait a while, then try again."), status=429, content_type="text/plain")


def created_records(*, origin: File | ImportSession) -> list[tuple[str, str, int]]:
    """(name, address of the list or "", count) of each kind of record that a file or session created."""
    counts = created_by_file(origin) if isinstance(origin, File) else created_by_session(origin)
    created = []
    for kind in record_kinds(type(origin)):
        meta, count = kind.model._meta, counts[kind.name]
        # The catalogue is shared by all countries, so its lists have no filter by file or session.
        if not count or not kind.session_field or not hasattr(kind.model, "country_path"):
            continue
        address = ""
        if admin.site.is_registered(kind.model):
            page = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
            address = f"{page}?{kind.origin_field(type(origin))}={origin.pk}"
        created.append((str(meta.verbose_name_plural), address, count))
    return created


class FirstPages(ChangeList):
    """Only first pages: a recap of two hundred pages is one row of the list."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        return super().get_queryset(request, exclude_parameters).filter(first_page=None).annotate(later=Count("pages"))


@admin.register(File)
class FileAdmin(ScopedModelAdmin):
    audited = True
    list_display = ("name", "file_type", "weight", "page_count", "uploaded_by_name", "uploaded_at")
    list_filter = ("file_type", "uploaded_at")
    search_fields = ("name", "pages__name", "uploaded_by_name")
    ordering = ("-pk",)
    fields: ClassVar[Any] = (
        "name",
        "file_type",
        "weight",
        "country",
        "uploaded_by_name",
        "uploaded_by_email",
        "uploaded_at",
        "sha256",
        "conversion",
        "first_page",
        "page_list",
        "session_list",
        "record_list",
    )
    readonly_fields = fields
    change_form_template = "admin/file_handling/file/detail.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return FirstPages

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user = actor_of(request)
        if obj is None:
            return user.is_superuser_role() or (user.is_admin_territorial() and user.working_country_id() is not None)
        return permissions.may_delete_file(user=user, file=obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/download/", view(self.download_view), name="file_handling_file_download"),
            path("<path:object_id>/preview/", view(self.preview_view), name="file_handling_file_preview"),
            *super().get_urls(),
        ]

    # --- Columns and fields -----------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("size"), ordering="size")
    def weight(self, file: File) -> str:
        return filesizeformat(file.size)

    @admin.display(description=gettext_lazy("pages"))
    def page_count(self, file: File) -> int:
        return 1 + int(getattr(file, "later", 0))

    @admin.display(description=gettext_lazy("converted by"))
    def conversion(self, file: File) -> str:
        return file.converted_by() or NOTHING

    @admin.display(description=gettext_lazy("later pages"))
    def page_list(self, file: File) -> str | SafeString:
        pages = [(_file_page(page.pk), page.name) for page in file.pages.order_by("pk")]
        return format_html_join("", '<a href="{}">{}</a><br>', pages) or NOTHING

    @admin.display(description=gettext_lazy("import sessions"))
    def session_list(self, file: File) -> str | SafeString:
        sessions = ImportSession.objects.filter(Q(stat_file=file) | Q(recap_file=file)).order_by("-pk")
        rows = [
            (
                reverse("admin:file_handling_importsession_change", args=[session.pk]),
                str(session),
                session.get_status_display(),
            )
            for session in sessions
        ]
        return format_html_join("", '<a href="{}">{}</a> · {}<br>', rows) or NOTHING

    @admin.display(description=gettext_lazy("records created from it"))
    def record_list(self, file: File) -> str | SafeString:
        return record_links(created_records(origin=file)) or NOTHING

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["may_delete"] = self.has_delete_permission(request, kwargs.get("obj"))
        return super().render_change_form(request, context, *args, **kwargs)

    # --- Content -----------------------------------------------------------------------------------------------

    def download_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        file: File = self.get_object(request, unquote(object_id))
        refused = refuse_too_many(request)
        if refused is not None:
            return refused
        try:
            content = file.file.open("rb")
        except FileNotFoundError as missing:
            raise Http404 from missing
        self.record_audit(request, AuditAction.DOWNLOAD, file, label=file.name)
        return attachment(content=content, name=file.name)

    def preview_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The first rows of a file, of the sheet in the query. Audited, because they contain personal data."""
        file: File = self.get_object(request, unquote(object_id))
        refused = refuse_too_many(request)
        if refused is not None:
            return refused
        rows = positive_int(request.GET.get("rows", str(PREVIEW_ROWS))) or PREVIEW_ROWS
        shown, problem = None, ""
        try:
            shown = preview_file(file, rows=min(rows, MAX_PREVIEW_ROWS), sheet=request.GET.get("sheet") or None)
        except UnreadableFile as reason:
            problem = unreadable(reason.problems[0])
        if shown is not None:
            self.record_audit(request, AuditAction.PREVIEW, file, label=file.name)
        return self.page(
            request,
            "admin/file_handling/file/preview.html",
            title=_("Preview: %(name)s") % {"name": file.name},
            status=200 if shown is not None else 400,
            file=file,
            shown=shown,
            problem=problem,
        )

    # --- Deleting --------------------------------------------------------------------------------------------------

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """GET shows what is deleted and what stays; POST deletes with the service that the API uses."""
        file: File = self.get_object(request, unquote(object_id))
        if not self.has_delete_permission(request, file):
            raise PermissionDenied
        if request.method == "POST":
            return self._delete(request, file)
        return self.page(
            request,
            "admin/file_handling/file/delete.html",
            title=_("Delete this file?"),
            file=file,
            pages=file.all_pages(),
            records=created_records(origin=file),
            sessions=ImportSession.objects.filter(Q(stat_file=file) | Q(recap_file=file)).count(),
        )

    def _delete(self, request: HttpRequest, file: File) -> HttpResponse:
        actor, force = actor_of(request), request.POST.get("force") == "yes"
        if not self.carry_out(request, lambda: services.delete_file(actor=actor, file=file, force=force)):
            return HttpResponseRedirect(_file_page(file.pk))
        messages.success(request, _("“%(name)s” was deleted.") % {"name": file.name})
        return HttpResponseRedirect(reverse("admin:file_handling_file_changelist"))


def _file_page(pk: int) -> str:
    return reverse("admin:file_handling_file_change", args=[pk])


def record_links(records: list[tuple[str, str, int]]) -> SafeString:
    """`created_records` as links, with their counts."""
    lines = [
        (format_html('<a href="{}">{}</a>', address, name) if address else name, format_count(count))
        for name, address, count in records
    ]
    return format_html_join("", "{}: {}<br>", lines)


@admin.register(Converter)
class ConverterAdmin(ServiceAdmin):
    """Converters, for superusers alone."""

    list_display = ("name", "endings", "url", "version", "is_active")
    ordering = ("name",)

    @admin.display(description=gettext_lazy("file extensions"))
    def endings(self, converter: Converter) -> str:
        return ", ".join(converter.extensions)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_manage_converters(actor_of(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_manage_converters(actor_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_manage_converters(actor_of(request))

    def form_for(self, request: HttpRequest, row: Any, data: Any) -> ServiceForm:
        return ConverterForm(data, actor=actor_of(request), converter=row)

    def saved_response(self, request: HttpRequest, form: Any, saved: Any) -> HttpResponse:
        if form.secret:
            return self._secret_page(request, saved, form.secret)
        return super().saved_response(request, form, saved)

    def acts_on(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        return [("check", _("Check")), ("rotate", _("Renew the secret"))]

    def acts(self) -> list[tuple[str, Callable[[HttpRequest, Any], HttpResponse | None]]]:
        return [("check", self._check), ("rotate", self._rotate)]

    def _check(self, request: HttpRequest, converter: Converter) -> None:
        checked = converter_services.check(actor=actor_of(request), converter=converter)
        messages.success(request, _("The converter answers. Its version: %(version)s") % {"version": checked.version})

    def _rotate(self, request: HttpRequest, converter: Converter) -> HttpResponse:
        return self._secret_page(request, *converter_services.rotate(actor=actor_of(request), converter=converter))

    def _secret_page(self, request: HttpRequest, converter: Converter, secret: str) -> HttpResponse:
        return self.page(
            request,
            "admin/file_handling/converter/secret.html",
            title=str(converter),
            original=converter,
            secret=secret,
        )
