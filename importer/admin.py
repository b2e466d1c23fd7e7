"""Imports in the admin: upload a pair, watch its session, read its findings, steer it (DOMAIN §7)."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import NotFound

from common.parsing import positive_int
from file_handling import permissions
from file_handling.admin import created_records, record_links, refuse_too_many
from file_handling.files.checks import upload_limits
from file_handling.models import UNFINISHED, Finding, ImportSession, SessionEvent
from file_handling.sessions import services
from file_handling.sessions.filters import FindingFilter
from file_handling.sessions.views import SessionReadViewSet
from importer import admin_upload, form_upload, steering
from importer.report.figures import blocks, category_counts, figure_text
from importer.reverting import PREVIEW_FIELD, shown_preview
from users import audit
from users.access.actor import actor_of
from users.access.admin import ScopedModelAdmin
from users.models import AuditAction

FINDINGS_A_PAGE = 50
EVENTS_SHOWN = 200
EVENTS_A_FETCH = 100
PLACES_SHOWN = 6
_DOWNLOADS = {"report": "error", "log": "log"}


@admin.register(ImportSession)
class ImportSessionAdmin(ScopedModelAdmin):
    list_display = (
        "title",
        "state",
        "period",
        "stat_name",
        "recap_name",
        "claims_created_count",
        "uploaded_by_name",
        "created_at",
    )
    list_filter = ("status", "created_at")
    search_fields = ("=id", "uploaded_by_name", "stat_file__name", "recap_file__name")
    ordering = ("-pk",)
    related = ("stat_file", "recap_file")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("country", *self.related)

    # --- Permissions -------------------------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        user = actor_of(request)
        return user.is_superuser_role() or (user.is_admin_territorial() and user.working_country_id() is not None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return self.has_add_permission(request)
        return permissions.may_steer(user=actor_of(request), session=obj)

    def get_urls(self) -> list[URLPattern]:
        def route(tail: str, view: Any, name: str) -> URLPattern:
            return path(
                f"<path:object_id>/{tail}", self.admin_site.admin_view(view), name=f"file_handling_importsession_{name}"
            )

        return [
            route("events/", self.events_view, "events"),
            route("findings/", self.findings_view, "findings"),
            route("download/<slug:kind>/", self.download_view, "download"),
            route("steer/<slug:act>/", self.steer_view, "steer"),
            *super().get_urls(),
        ]

    # --- The list --------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("session"), ordering="pk")
    def title(self, session: ImportSession) -> str:
        return f"{session.pk}"

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def state(self, session: ImportSession) -> SafeString:
        progress = f" {session.progress} %" if session.status in UNFINISHED else ""
        return format_html(
            '<span class="state state-{}">{}{}</span>', session.status.lower(), session.get_status_display(), progress
        )

    @admin.display(description=gettext_lazy("common period"), ordering="start_date")
    def period(self, session: ImportSession) -> str:
        if session.start_date is None or session.end_date is None:
            return ""
        first, last = (formats.date_format(day, "SHORT_DATE_FORMAT") for day in (session.start_date, session.end_date))
        return f"{first} – {last}"

    @admin.display(description=gettext_lazy("stat file"))
    def stat_name(self, session: ImportSession) -> str:
        return session.stat_file.name if session.stat_file else ""

    @admin.display(description=gettext_lazy("recap file"))
    def recap_name(self, session: ImportSession) -> str:
        return session.recap_file.name if session.recap_file else ""

    # --- Starting --------------------------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Upload a pair. The answer lists every problem at once and keeps the texts of the form, but not the files."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        user = actor_of(request)
        result = form_upload.UploadResult()
        if request.method == "POST":
            result = form_upload.start_upload(request, user=user)
            if result.session is not None:
                return HttpResponseRedirect(_page_of(result.session))
        return self.page(
            request,
            "admin/file_handling/importsession/upload.html",
            title=_("Import a pair of files"),
            status=result.status,
            errors=result.errors,
            general_errors=result.errors.get("", []),
            limits=upload_limits(),
            **admin_upload.form_context(user=user, values=request.POST if request.method == "POST" else request.GET),
        )

    # --- One session -----------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Everything about one session: its progress, its figures, its findings, and the buttons that steer it."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        session: ImportSession = self.get_object(request, unquote(object_id))
        user = actor_of(request)
        findings = Finding.objects.visible_to(user).filter(session=session)
        counts = findings.order_by().values_list("category").annotate(number=Count("pk"))
        events = list(
            SessionEvent.objects.visible_to(user).filter(session=session).order_by("-sequence")[:EVENTS_SHOWN]
        )
        buttons = steering.buttons(user=user, session=session)
        return self.page(
            request,
            "admin/file_handling/importsession/session.html",
            title=_("Import session %(number)d") % {"number": session.pk},
            session=session,
            original=session,
            unfinished=session.status in UNFINISHED,
            state_name=session.status.lower(),
            recap_pages=session.recap_file.all_pages() if session.recap_file else [],
            buttons=[button for button in buttons if button.name != "sheet"],
            names_sheet=any(button.name == "sheet" for button in buttons),
            may_delete=self.has_delete_permission(request, session) and session.status not in UNFINISHED,
            has_log=bool(session.log_file_path) or session.started_at is not None,
            blocks=_shown_blocks(session),
            categories=category_counts(counts),
            records=record_links(created_records(origin=session)),
            events=events[::-1],
            last_sequence=events[0].sequence if events else 0,
        )

    def events_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Status, progress and the events after `after`, for the page that polls."""
        session: ImportSession = self.get_object(request, unquote(object_id))
        after = positive_int(request.GET.get("after", "")) or 0
        events = SessionEvent.objects.visible_to(actor_of(request)).filter(session=session, sequence__gt=after)
        shown = {
            "status": session.status,
            "status_name": session.get_status_display(),
            "progress": session.progress,
            "events": [
                {
                    "sequence": event.sequence,
                    "at": f"{timezone.localtime(event.at):%H:%M:%S}",
                    "level": event.level,
                    "progress": event.progress,
                    "message": event.message,
                }
                for event in events.order_by("sequence")[:EVENTS_A_FETCH]
            ],
        }
        response = JsonResponse(shown)
        response["Cache-Control"] = "private, no-store"
        return response

    def findings_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What was not imported and why, filtered by category and search text."""
        session: ImportSession = self.get_object(request, unquote(object_id))
        findings = Finding.objects.visible_to(actor_of(request)).filter(session=session)
        counts = findings.order_by().values_list("category").annotate(number=Count("pk"))
        filtered = FindingFilter(request.GET, queryset=findings.defer("lines").order_by("sequence"))
        if not filtered.form.is_valid():
            raise Http404
        page = Paginator(filtered.qs, FINDINGS_A_PAGE).get_page(request.GET.get("p"))
        narrowed = audit.filter_names(request.GET.dict())
        self.record_audit(
            request, AuditAction.READ, session, data={"part": "findings", "filters": narrowed, "rows": len(page)}
        )
        query = request.GET.copy()
        query.pop("p", None)
        return self.page(
            request,
            "admin/file_handling/importsession/findings.html",
            title=_("Findings of import session %(number)d") % {"number": session.pk},
            session=session,
            findings=page,
            rows=[(finding, *_places(finding)) for finding in page],
            pages=page.paginator.get_elided_page_range(page.number),
            categories=category_counts(counts),
            category=request.GET.get("category", ""),
            search=request.GET.get("search", ""),
            query=query.urlencode(),
        )

    def download_view(self, request: HttpRequest, object_id: str, kind: str) -> HttpResponseBase:
        """The report or the log: the same answer and audit entry as in the API."""
        session: ImportSession = self.get_object(request, unquote(object_id))
        if kind not in _DOWNLOADS:
            raise Http404
        refused = refuse_too_many(request)
        if refused is not None:
            return refused
        try:
            content = (
                SessionReadViewSet.report_response(session)
                if kind == "report"
                else SessionReadViewSet.log_response(session)
            )
        except NotFound as missing:
            messages.error(request, str(missing.detail))
            return HttpResponseRedirect(_page_of(session))
        except OSError as error:
            self.show_refusal(request, error)
            return HttpResponseRedirect(_page_of(session))
        self.record_audit(request, AuditAction.DOWNLOAD, session, data={"type": _DOWNLOADS[kind]})
        return content

    # --- Steering --------------------------------------------------------------------------------------------------

    def steer_view(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """POST carries out the act; GET shows the page that confirms it, where there is one."""
        session: ImportSession = self.get_object(request, unquote(object_id))
        button = steering.BY_NAME.get(act)
        if button is None:
            raise Http404
        user = actor_of(request)
        if not permissions.may_steer(user=user, session=session):
            raise PermissionDenied
        if request.method == "POST":
            if not self._press(request, button, session) and button.needs_confirmation and button.is_shown(session):
                return HttpResponseRedirect(request.path)
        elif button.needs_confirmation and button.is_shown(session):
            return self.page(
                request,
                "admin/file_handling/importsession/revert.html",
                title=_("Revert this import?"),
                session=session,
                **shown_preview(session),
            )
        return HttpResponseRedirect(_page_of(session))

    def _press(self, request: HttpRequest, button: steering.Button, session: ImportSession) -> bool:
        """Whether the act was carried out; the page says what came of it."""
        actor = actor_of(request)
        given = {name: request.POST.get(name, "") for name in ("stat_sheet", PREVIEW_FIELD)}
        if not self.carry_out(request, lambda: steering.press(button=button, session=session, actor=actor, **given)):
            return False
        messages.success(request, str(button.success))
        return True

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Delete the session with its events, findings, report and log; the records that it imported stay."""
        session: ImportSession = self.get_object(request, unquote(object_id))
        if not self.has_delete_permission(request, session):
            raise PermissionDenied
        if request.method == "POST":
            return self._delete(request, session)
        return self.page(
            request,
            "admin/file_handling/importsession/delete.html",
            title=_("Delete this import session?"),
            session=session,
            records=record_links(created_records(origin=session)),
        )

    def _delete(self, request: HttpRequest, session: ImportSession) -> HttpResponse:
        if not self.carry_out(request, lambda: services.delete_session(actor=actor_of(request), session=session)):
            return HttpResponseRedirect(_page_of(session))
        messages.success(request, _("Import session %(number)d was deleted.") % {"number": session.pk})
        return HttpResponseRedirect(reverse("admin:file_handling_importsession_changelist"))


def _shown_blocks(session: ImportSession) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """(title, [(label, value, category of the findings behind it)]) of the session's figures, in words."""
    made = blocks(session.summary, session.outcome, is_written=session.written_at is not None)
    return [
        (block.title, [(f.label, figure_text(f.value, session.currency), f.category) for f in block.figures])
        for block in made
    ]


def _page_of(session: ImportSession) -> str:
    return reverse("admin:file_handling_importsession_change", args=[session.pk])


def _places(finding: Finding) -> tuple[list[dict[str, Any]], int]:
    """The first places of a finding, and how many more there are."""
    places = finding.locations
    return places[:PLACES_SHOWN], max(0, len(places) - PLACES_SHOWN)
