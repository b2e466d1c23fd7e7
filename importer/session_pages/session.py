"""The page of a session: its progress while it waits or runs, then its outcome and what can be done with it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, DecimalField, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from common.formats import format_count
from file_handling import permissions
from file_handling.lineage import created_by_session
from file_handling.models import (
    UNFINISHED,
    Finding,
    FindingCategory,
    FindingCode,
    ImportSession,
    SessionEvent,
    SessionStatus,
)
from file_handling.page_parts import created_records
from file_handling.sessions import services
from file_handling.sessions.views import with_session_related
from importer import steering
from importer.report.figures import blocks, category_counts, figure_text
from importer.reverting import PREVIEW_FIELD, shown_preview
from importer.session_pages import progress
from importer.session_pages.compared import ComparedPart, compared
from importer.session_pages.corrections import correct_context, record_comparison
from importer.session_pages.finding_names import code_name
from importer.session_pages.outcome import CENT, LEFT_OUT, FindingSum, outcome_of
from importer.session_pages.timeline import duration, timeline
from importer.transitions import CORRECT, REVERT, TRANSITIONS
from users.access.pages import PageView
from users.access.refusals import carry_out
from users.access.viewsets import MayImport, MayReadImports

EVENTS_SHOWN = 200
# The other warnings are about a column, or about names.
WARNINGS_ABOUT_ROWS = (FindingCode.UNKNOWN_DATE, FindingCode.LOST_DIGITS, FindingCode.DEDUCED)
# What htmx does with an answer that has this header: it loads the whole page again.
RELOAD = {"HX-Refresh": "true"}
S = SessionStatus
TONES = {S.DONE: "good", S.ERROR: "bad", S.PENDING: "busy", S.PROCESSING: "busy", S.CANCELLED: "", S.REVERTED: ""}


class _OneSessionPage(PageView):
    permission = MayReadImports

    def session(self, pk: int) -> ImportSession:
        sessions = with_session_related(ImportSession.objects.visible_to(self.user)).select_related("corrects")
        session: ImportSession = self.row(sessions, pk)
        return session

    def events(self, session: ImportSession) -> list[SessionEvent]:
        """The last events, in their order."""
        newest = SessionEvent.objects.visible_to(self.user).filter(session=session).order_by("-sequence")
        return list(newest[:EVENTS_SHOWN])[::-1]


class SessionPage(_OneSessionPage):
    """One address from the upload to the end: whoever opens it sees what the server knows now."""

    template_name = "importer/session/session.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = self.session(pk)
        context = _facts(session, self.events(session)) | self._acts(session)
        if session.status in UNFINISHED:
            return self.page(**context, **_progress(session))
        sums = _finding_sums(Finding.objects.visible_to(self.user).filter(session=session))
        counts: dict[str, int] = {}
        for one in sums:
            counts[one.category] = counts.get(one.category, 0) + one.number
        is_about_rows = any(one.category != FindingCategory.WARNING or one.code in WARNINGS_ABOUT_ROWS for one in sums)
        may_have_rows = is_about_rows and CORRECT.objection(session) is None
        return self.page(
            **context,
            outcome=outcome_of(
                summary=session.summary,
                outcome=session.outcome,
                findings=sums,
                written=session.total_reimbursed_amount if session.written_at else None,
            ),
            blocks=_figures(session.summary, session.outcome, session),
            planned=_planned(session),
            lists=[row for row in category_counts(counts.items()) if row[0] not in (*LEFT_OUT, "warning")],
            warnings=[
                (one.code, code_name(one.code) or _("Other"), one.number)
                for one in sums
                if one.category == FindingCategory.WARNING
            ],
            findings=sum(counts.values()),
            created=created_records(session, created_by_session(session)),
            same_files=services.sessions_of_same_files(session=session, user=self.user),
            **correct_context(request, session, has_rows=may_have_rows),
            compared=self._compared(session),
        )

    def _compared(self, session: ImportSession) -> ComparedPart | None:
        """The first claims that the corrections of the session change."""
        found = compared(session)
        if found is not None:
            record_comparison(self, session, len(found.rows))
        return found

    def _acts(self, session: ImportSession) -> dict[str, Any]:
        buttons = steering.buttons(user=self.user, session=session)
        may_steer = permissions.may_steer(user=self.user, session=session)
        return {
            "buttons": [button for button in buttons if button.name not in ("sheet", "commit", "revert")],
            "acts": {button.name for button in buttons},
            "may_steer": may_steer,
            "may_delete": may_steer and session.status not in UNFINISHED,
            # An act that the status allows and the session does not, such as a retry without files.
            "refusals": [
                str(transition.objection(session))
                for transition in TRANSITIONS
                if may_steer and session.status in transition.from_statuses and transition.objection(session)
            ],
        }


class ProgressPage(_OneSessionPage):
    """The part of the page that polls. At rest, or when it may not be read, the whole page is loaded again."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.headers.get("HX-Request"):
            return super().dispatch(request, *args, **kwargs)
        if not request.user.is_authenticated:
            return HttpResponse(headers=RELOAD)
        try:
            return super().dispatch(request, *args, **kwargs)
        except (PermissionDenied, Http404):
            # The page says it in words; a poll that is refused would go on for ever.
            return HttpResponse(headers=RELOAD)

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = self.session(pk)
        if not request.headers.get("HX-Request"):
            return redirect("page-import", pk)
        if session.status not in UNFINISHED:
            return HttpResponse(headers=RELOAD)
        context = _facts(session, self.events(session)) | _progress(session)
        is_new = request.GET.get("seen", "") != context["news_key"]
        return render(request, "importer/session/progress.html", context | {"is_new": is_new})


class SessionActPage(_OneSessionPage):
    """POST carries out one of the acts of `importer.steering`; whatever comes of it is said on the session's page."""

    permission = MayImport

    def get(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        if act not in steering.BY_NAME:
            raise Http404
        return redirect("page-import", self.session(pk).pk)

    def post(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        button = steering.BY_NAME.get(act)
        if button is None:
            raise Http404
        session = self.steerable(pk)
        if _is_done_already(button, session) or self.press(button, session):
            return redirect("page-import", pk)
        return self.refused(pk)

    def refused(self, pk: int) -> HttpResponse:
        """The page that shows why the act was refused."""
        return redirect("page-import", pk)

    def steerable(self, pk: int) -> ImportSession:
        session = self.session(pk)
        if not permissions.may_steer(user=self.user, session=session):
            raise PermissionDenied
        return session

    def press(self, button: steering.Button, session: ImportSession) -> bool:
        given = {name: self.request.POST.get(name, "") for name in ("stat_sheet", PREVIEW_FIELD)}
        if not carry_out(
            self.request, lambda: steering.press(button=button, session=session, actor=self.user, **given)
        ):
            return False
        messages.success(self.request, str(button.success))
        return True


class SessionRevertPage(SessionActPage):
    """GET shows what would go and what would stay; POST does that, or shows how the situation has changed."""

    template_name = "importer/session/revert.html"

    def get(self, request: HttpRequest, pk: int, act: str = REVERT.name) -> HttpResponse:
        session = self.steerable(pk)
        objection = REVERT.objection(session)
        if objection is not None:
            messages.error(request, str(objection))
            return redirect("page-import", pk)
        title = _("Revert import %(number)d?") % {"number": session.pk}
        return self.page(title=title, session=session, **shown_preview(session))

    def post(self, request: HttpRequest, pk: int, act: str = REVERT.name) -> HttpResponse:
        return super().post(request, pk, act)

    def refused(self, pk: int) -> HttpResponse:
        may_revert = REVERT.objection(self.session(pk)) is None
        return redirect("page-import-revert" if may_revert else "page-import", pk)


class SessionDeletePage(_OneSessionPage):
    """GET shows what is deleted and what stays; POST deletes with the service that the API uses."""

    permission = MayImport
    template_name = "importer/session/delete.html"

    def session(self, pk: int) -> ImportSession:
        session = super().session(pk)
        if not permissions.may_steer(user=self.user, session=session):
            raise PermissionDenied
        return session

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = self.session(pk)
        return self.page(
            title=_("Delete import %(number)d?") % {"number": session.pk},
            session=session,
            is_unfinished=session.status in UNFINISHED,
            may_revert=REVERT.objection(session) is None,
            created=created_records(session, created_by_session(session)),
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = self.session(pk)
        if not carry_out(request, lambda: services.delete_session(actor=self.user, session=session)):
            return redirect("page-import", pk)
        messages.success(request, _("Import %(number)d was deleted.") % {"number": pk})
        return redirect("page-imports")


def _is_done_already(button: steering.Button, session: ImportSession) -> bool:
    """Whether the act was just carried out: a form that is sent twice must not be answered by an error."""
    transition = button.transition
    if transition.to_status is None or transition.objection(session) is None:
        return False
    is_running = transition.calls_worker and session.status == S.PROCESSING
    return session.status == transition.to_status or is_running


def _facts(session: ImportSession, events: list[SessionEvent]) -> dict[str, Any]:
    took = ""
    if session.started_at and session.completed_at:
        took = duration(session.completed_at - session.started_at)
    return {
        "title": _("Import %(number)d") % {"number": session.pk},
        "session": session,
        "unfinished": session.status in UNFINISHED,
        "tone": TONES.get(S(session.status), "warn"),
        "timeline": timeline(events),
        "took": took,
        "recap_pages": 1 + getattr(session, "recap_later_pages", 0),
        "has_log": bool(session.log_file_path) or session.started_at is not None,
    }


def _progress(session: ImportSession) -> dict[str, Any]:
    key, sentence = progress.news(session)
    return {"steps": progress.steps(session), "news_key": key, "news": sentence}


def _finding_sums(findings: QuerySet[Finding]) -> list[FindingSum]:
    """Number and reimbursed amount of the findings, by category and code."""
    reimbursed = Coalesce(
        "recap_reimbursed", "stat_reimbursed", output_field=DecimalField(max_digits=20, decimal_places=2)
    )
    rows = (
        findings.order_by()
        .values_list("category", "code")
        .annotate(number=Count("pk"), amount=Sum(reimbursed))
        .order_by("category", "code")
    )
    # SQLite adds decimals as floats.
    return [FindingSum(cat, code, number, (amount or Decimal(0)).quantize(CENT)) for cat, code, number, amount in rows]


def _figures(
    summary: Any, outcome: dict[str, Any], session: ImportSession
) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """(title, [(label, value, category of the findings behind it)]) of each block of figures."""
    made = blocks(summary, outcome, is_written=session.written_at is not None)
    return [
        (block.title, [(one.label, figure_text(one.value, session.currency), one.category) for one in block.figures])
        for block in made
    ]


def _planned(session: ImportSession) -> list[tuple[str, str, str]]:
    """What a commit would write: the figures that the review approves; none for another status."""
    if session.status != S.REVIEW:
        return []
    reviewed = session.outcome.get("reviewed") or {}
    made = _figures(reviewed.get("summary"), reviewed.get("plan", {}), session)
    zero = format_count(0)
    return [row for row in made[-1][1] if row[1] != zero] if made else []
