"""The page of a session's correction workbook, the whole comparison of a corrected session, the list of corrections."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any

import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from common.errors import Conflict, InvalidWorkbook, ServiceError, WorkbookProblem, is_disk_full
from common.formats import format_amount
from common.pagination import PageNumberPagination
from common.tables import NOTHING, CountColumn, ListTable
from common.throttling import UploadThrottle
from file_handling.files.checks import upload_limits
from file_handling.models import Correction, ImportSession
from file_handling.sessions.views import with_session_related
from importer.corrections import service
from importer.corrections.from_workbook import start_from_workbook
from importer.corrections.given import has_rows
from importer.corrections.lists import CorrectionFilter
from importer.form_upload import KEY_FIELD
from importer.idempotency import read_key
from importer.report.figures import category_name
from reading.columns import KINDS, columns_of
from users import audit
from users.access.pages import ListAnswer, ListPage, PageView, holds
from users.access.refusals import carry_out
from users.access.viewsets import MayImport, MayManageAccounts, MayReadImports
from users.models import AuditAction

# Problems of a workbook on a page.
PROBLEMS_SHOWN = 200
# The headers of the fields as the files have them.
_HEADERS = {column.field: column.header for kind in reversed(KINDS) for column in columns_of(kind)}


# ------------------------------------------------------------------------------------------------ the workbook


class CorrectionWorkbookPage(PageView):
    """GET: how to correct, and the form that takes the workbook back. POST starts the corrected session."""

    permission = MayReadImports
    template_name = "importer/session/workbook.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._form(self._session(pk), [])

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = self._session(pk)
        if not holds(MayImport, request):
            raise PermissionDenied
        upload = request.FILES.get("workbook")
        if not isinstance(upload, TemporaryUploadedFile):
            return self._form(session, [WorkbookProblem(_("Choose the workbook that you corrected."))], status=400)
        # The counter of the API: uploads of both count together.
        if not UploadThrottle().allow_request(request, None):  # type: ignore[arg-type]
            return self._form(
                session, [WorkbookProblem(_("Too many uploads. Wait a while, then try again."))], status=429
            )
        try:
            key = read_key(request.POST.get(KEY_FIELD) or None)
            corrected, _repeated = start_from_workbook(session, upload=upload, user=self.user, key=key)
        except InvalidWorkbook as invalid:
            return self._form(session, invalid.problems, status=400)
        except ServiceError as refused:
            return self._form(session, [WorkbookProblem(str(refused))], status=409)
        except APIException as refused:
            return self._form(session, [WorkbookProblem(str(refused.detail))], status=refused.status_code)
        except OSError as error:
            if not is_disk_full(error):
                raise
            full = _("The server has no room left to store this. Nothing was stored; try again later.")
            return self._form(session, [WorkbookProblem(full)], status=507)
        return redirect("page-import", pk=corrected.pk)

    def _session(self, pk: int) -> ImportSession:
        session: ImportSession = self.row(with_session_related(ImportSession.objects.visible_to(self.user)), pk)
        return session

    def _form(self, session: ImportSession, problems: list[WorkbookProblem], *, status: int = 200) -> HttpResponse:
        return self.page(
            status=status,
            session=session,
            problems=problems[:PROBLEMS_SHOWN],
            more_problems=max(0, len(problems) - PROBLEMS_SHOWN),
            **correct_context(self.request, session, has_rows=has_rows(session)),
        )


def correct_context(request: HttpRequest, session: ImportSession, *, has_rows: bool) -> dict[str, Any]:
    """What the part of a page shows that offers the workbook. `has_rows`: whether it would have any."""
    return {
        "has_rows": has_rows,
        "may_send_workbook": holds(MayImport, request),
        "workbook_key": secrets.token_urlsafe(24),
        "megabytes": upload_limits()["file"],
    }


# ------------------------------------------------------------------------------------------------ the comparison


class _ChangeColumn(tables.Column):
    """An amount before and after. `amount`: "claimed" or "reimbursed"."""

    def __init__(self, *args: Any, amount: str, **kwargs: Any) -> None:
        attrs = {"th": {"class": "number"}, "td": {"class": "number"}}
        super().__init__(*args, attrs=attrs, accessor="claim_number", empty_values=(), **kwargs)
        self.amount = amount

    def render(self, record: dict[str, Any]) -> str | SafeString:
        before, after = (self._text(record[side], record["currency"]) for side in ("before", "after"))
        return before if before == after else format_html("<del>{}</del> <ins>{}</ins>", before, after)

    def _text(self, facts: dict[str, Any] | None, currency: str) -> str:
        amount = None if facts is None else facts[self.amount]
        return NOTHING if amount is None else format_amount(Decimal(amount), currency)


class ComparisonTable(ListTable):
    claim_number = tables.Column(gettext_lazy("Claim"), attrs={"td": {"class": "claim"}})
    before = tables.Column(gettext_lazy("Before"), empty_values=())
    after = tables.Column(gettext_lazy("After"), empty_values=())
    claimed = _ChangeColumn(gettext_lazy("Claimed"), amount="claimed")
    reimbursed = _ChangeColumn(gettext_lazy("Reimbursed"), amount="reimbursed")
    cells = tables.Column(gettext_lazy("Corrections"), empty_values=(), attrs={"td": {"class": "reason"}})

    class Meta(ListTable.Meta):
        row_attrs = {"data-claim": lambda record: record["claim_number"]}

    def render_before(self, value: dict[str, Any] | None) -> str | SafeString:
        return _category(value)

    def render_after(self, value: dict[str, Any] | None) -> str | SafeString:
        return _category(value)

    def render_cells(self, value: list[dict[str, Any]]) -> SafeString:
        return format_html_join(SafeString("<br>"), "{}", ((_cell_text(cell),) for cell in value))


def _category(facts: dict[str, Any] | None) -> str | SafeString:
    if facts is None:
        return _("no such claim")
    return format_html(
        '<span class="badge" data-category="{}">{}</span>', facts["category"], category_name(facts["category"])
    )


def _cell_text(cell: dict[str, Any]) -> str:
    where = {"file": cell["file_name"], "sheet": cell["sheet"], "row": cell["row"]}
    place = _("%(file)s, sheet %(sheet)s, row %(row)d") if cell["sheet"] else _("%(file)s, row %(row)d")
    if cell["removes_row"]:
        return _("%(place)s: left out") % {"place": place % where}
    return _("%(place)s, %(field)s: “%(was)s” → “%(value)s”") % {
        "place": place % where,
        "field": field_name(cell["field"]),
        "was": cell["was"],
        "value": cell["value"],
    }


def field_name(name: str) -> str:
    """The header of a field's column, as the files have it."""
    return _HEADERS.get(name, name)


class ComparisonPage(PageView):
    """Every claim that a corrected session has otherwise than the session that it corrects."""

    permission = MayReadImports
    template_name = "importer/session/comparison.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        sessions = ImportSession.objects.visible_to(self.user).select_related("country", "corrects")
        session: ImportSession = self.row(sessions, pk)
        rows, refusal = _compared(session)
        pages = PageNumberPagination()
        try:
            found = pages.paginate_queryset(rows, Request(request))
        except APIException:
            return redirect("page-import-comparison", pk)
        record_comparison(self, session, len(found))
        first = (pages.number - 1) * pages.size + 1
        return self.page(
            session=session,
            refusal=refusal,
            answer=ListAnswer(found, pages.count, pages.is_exact, first, pages.previous, pages.next),
            table=_comparison_table(found),
        )


def _compared(session: ImportSession) -> tuple[list[dict[str, Any]], str]:
    """The claims that the corrections change, with the currency of their amounts, or why there is no comparison."""
    # Imported here: a web process loads the frames library once it needs it.
    from importer.corrections.comparison import compared_claims

    if session.corrects_id is None:
        return [], _("This session does not correct another one, so there is nothing to compare.")
    try:
        return [row | {"currency": session.currency} for row in compared_claims(session)], ""
    except Conflict as conflict:
        return [], str(conflict)


def _comparison_table(rows: list[dict[str, Any]]) -> ComparisonTable:
    table = ComparisonTable(rows)
    table.label = gettext_lazy("What the corrections change")
    return table


def record_comparison(page: PageView, session: ImportSession, rows: int) -> None:
    audit.record(actor=page.user, action=AuditAction.READ, target=session, data={"part": "comparison", "rows": rows})


# ------------------------------------------------------------------------------------------------ the list


class CorrectionTable(ListTable):
    made_at = tables.DateTimeColumn(short=True, verbose_name=gettext_lazy("Made on"), attrs={"td": {"class": "day"}})
    file_name = tables.Column(gettext_lazy("File"))
    sheet = tables.Column(gettext_lazy("Sheet"))
    row = CountColumn(verbose_name=gettext_lazy("Row"))
    claim_number = tables.Column(gettext_lazy("Claim"), attrs={"td": {"class": "broken"}})
    field = tables.Column(gettext_lazy("Field"), empty_values=())
    was = tables.Column(gettext_lazy("Text as read"))
    value = tables.Column(gettext_lazy("Corrected text"))
    author_name = tables.Column(gettext_lazy("Author"))
    session = tables.Column(pgettext_lazy("noun", "Import"), accessor="session_id")
    country = tables.Column(gettext_lazy("Country"), accessor="country__name")
    withdraw = tables.Column("", accessor="pk", empty_values=())

    class Meta(ListTable.Meta):
        row_attrs = {"data-correction": lambda record: record.pk}

    # The form of a row has it. "" for a reader who may not withdraw.
    csrf_token = ""

    def before_render(self, request: HttpRequest) -> None:
        if not request.user.sees_all_countries():  # type: ignore[union-attr]
            self.columns.hide("country")

    def render_field(self, value: str) -> str:
        return field_name(value) if value else _("whole row left out")

    def render_session(self, value: int) -> SafeString:
        text = _("Import %(number)d") % {"number": value}
        return format_html('<a href="{}">{}</a>', reverse("page-import", args=[value]), text)

    def render_withdraw(self, record: Correction) -> str | SafeString:
        if record.withdrawn_at is not None:
            return _("withdrawn")
        if not self.csrf_token:
            return ""
        return format_html(
            '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
            '<button type="submit" class="quiet">{}</button></form>',
            reverse("page-correction-withdraw", args=[record.pk]),
            self.csrf_token,
            _("Withdraw"),
        )


class CorrectionPageFilter(CorrectionFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.form.fields["field"]
        field.choices = [(name, field_name(name) if name else label) for name, label in field.choices]


class CorrectionsPage(ListPage):
    """The corrected cells and left-out rows of the files that the account may see."""

    permission = MayReadImports
    model = Correction
    template_name = "importer/session/corrections.html"
    table_class = CorrectionTable
    filterset_class = CorrectionPageFilter
    title = gettext_lazy("Corrections")
    lead = gettext_lazy(
        "A corrected cell or a left-out row applies to every later import of the same file, until it is withdrawn. The"
        " files themselves are never changed."
    )
    export = "correction-export"
    main_filters = ("claim_number", "field", "withdrawn", "country")
    orderings = {
        "-made_at": gettext_lazy("Newest first"),
        "made_at": gettext_lazy("Oldest first"),
        "claim_number": gettext_lazy("Claim number"),
    }
    personal = True

    def rows(self) -> QuerySet[Any]:
        return super().rows().select_related("country")

    def table(self, rows: list[Any]) -> ListTable:
        table = super().table(rows)
        if isinstance(table, CorrectionTable) and holds(MayManageAccounts, self.request):
            table.csrf_token = get_token(self.request)
        return table


class CorrectionWithdrawPage(PageView):
    """POST withdraws a correction; whatever comes of it is said on the list."""

    permission = MayManageAccounts

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.row(Correction.objects.visible_to(self.user), pk)
        return redirect("page-corrections")

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        correction: Correction = self.row(Correction.objects.visible_to(self.user), pk)
        if carry_out(request, lambda: service.withdraw(correction=correction, actor=self.user)):
            messages.success(request, _("The correction was withdrawn. It applies to no later import."))
        return redirect("page-corrections")
