"""The list of imports and the list of a session's findings."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.formats import format_amount, format_count
from common.tables import NOTHING, AmountColumn, CountColumn, ListTable
from file_handling.models import UNFINISHED, Finding, ImportSession, SessionStatus
from file_handling.page_parts import offer_uploaders
from file_handling.sessions.filters import FindingFilter, SessionFilter
from file_handling.sessions.views import with_session_related
from importer.report.figures import category_counts
from importer.session_pages.finding_names import code_name
from importer.session_pages.outcome import outcome_of
from importer.session_pages.sides import gap
from users import audit
from users.access.pages import FILE_TYPES, ListAnswer, ListPage
from users.access.viewsets import MayReadImports
from users.models import AuditAction

# Parameters of the findings' list that an opened finding keeps, so that it leads to the next of the same list.
KEPT_FILTERS = ("category", "code", "search")


# ------------------------------------------------------------------------------------------------ imports


class SessionTable(ListTable):
    id = tables.Column(
        gettext_lazy("Number"), linkify=("page-import", {"pk": tables.A("pk")}), attrs={"td": {"class": "day"}}
    )
    created_at = tables.DateTimeColumn(short=True, verbose_name=gettext_lazy("Date"), attrs={"td": {"class": "day"}})
    status = tables.Column(gettext_lazy("Status"))
    stat_file = tables.Column(gettext_lazy("Stat file"), accessor="stat_file__name")
    recap_file = tables.Column(gettext_lazy("Recap file"), accessor="recap_file__name")
    uploaded_by_name = tables.Column(gettext_lazy("Uploaded by"))
    country = tables.Column(gettext_lazy("Country"), accessor="country__name")
    imported = CountColumn(verbose_name=gettext_lazy("Claims imported"), accessor="pk", empty_values=())
    left_out = CountColumn(verbose_name=gettext_lazy("Claims left out"), accessor="pk", empty_values=())
    total_reimbursed_amount = AmountColumn(verbose_name=gettext_lazy("Reimbursed"))

    class Meta(ListTable.Meta):
        row_attrs = {"data-status": lambda record: record.status, "data-session": lambda record: record.pk}

    def render_id(self, value: int) -> str:
        return _("Import %(number)d") % {"number": value}

    def render_status(self, value: Any, record: ImportSession) -> SafeString:
        percent = f" {record.progress} %" if record.status in UNFINISHED else ""
        badge = format_html('<span class="badge is-{}">{}{}</span>', record.status.lower(), capfirst(value), percent)
        if not record.dry_run:
            return badge
        return format_html('{} <span class="note">{}</span>', badge, _("compare only"))

    def render_recap_file(self, value: str, record: Any) -> str:
        pages = 1 + record.recap_later_pages
        return value if pages == 1 else _("%(name)s (%(pages)d pages)") % {"name": value, "pages": pages}

    def render_imported(self, record: ImportSession) -> str:
        if record.written_at is None:
            return self.default
        return format_count(record.outcome.get("claims_to_create", 0) + record.outcome.get("claims_to_replace", 0))

    def render_left_out(self, record: ImportSession) -> str | SafeString:
        outcome = outcome_of(summary=record.summary, outcome=record.outcome, findings=[], written=None)
        if outcome is None:
            return self.default
        return format_html(
            '<a href="{}">{}</a>', reverse("page-findings", args=[record.pk]), format_count(outcome.left_out)
        )

    def render_total_reimbursed_amount(self, value: Decimal, record: ImportSession) -> str:
        return self.default if record.written_at is None else format_amount(value, record.currency, with_currency=True)

    def before_render(self, request: HttpRequest) -> None:
        if not request.user.sees_all_countries():  # type: ignore[union-attr]
            self.columns.hide("country")


class _OneOfSeveral(forms.Select):
    """A choice of one for a filter that takes several: an address may have more than one."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return [value for value in data.getlist(name) if value]


class SessionPageFilter(SessionFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_uploaders(self)
        statuses = [(value, capfirst(label)) for value, label in SessionStatus.choices]
        self.form.fields["status"].widget = _OneOfSeveral(choices=[("", _("All")), *statuses])


class ImportsPage(ListPage):
    permission = MayReadImports
    template_name = "importer/session/imports.html"
    model = ImportSession
    table_class = SessionTable
    filterset_class = SessionPageFilter
    title = gettext_lazy("Imports")
    lead = gettext_lazy("Each import is one stat file with its recap: what it imported, and what it left out.")
    export = "import-session-export"
    main_filters = ("status", "created", "user", "country")
    orderings = {
        "-created_at": gettext_lazy("Newest first"),
        "created_at": gettext_lazy("Oldest first"),
        "-completed_at": gettext_lazy("Ended last first"),
    }

    def rows(self) -> QuerySet[Any]:
        return with_session_related(super().rows())


# ------------------------------------------------------------------------------------------------ findings


class GapColumn(tables.Column):
    """The difference of an amount between stat and recap. `amount`: "claimed" or "reimbursed"."""

    def __init__(self, *args: Any, amount: str, **kwargs: Any) -> None:
        def style(record: Finding) -> str:
            return "number differs" if self.gap(record) else "number"

        attrs = {"th": {"class": "number"}, "td": {"class": style}}
        super().__init__(*args, attrs=attrs, accessor="pk", empty_values=(), **kwargs)
        self.amount = amount

    def gap(self, record: Finding) -> Decimal | None:
        return gap(getattr(record, f"stat_{self.amount}"), getattr(record, f"recap_{self.amount}"))

    def render(self, record: Finding) -> str:
        difference = self.gap(record)
        return NOTHING if difference is None else format_amount(difference, record.session.currency)


class FindingTable(ListTable):
    sequence = CountColumn(verbose_name=gettext_lazy("Number"))
    claim_number = tables.Column(gettext_lazy("Claim"), empty_values=(), attrs={"td": {"class": "claim"}})
    category = tables.Column(gettext_lazy("Category"))
    observation = tables.Column(gettext_lazy("Reason"), attrs={"td": {"class": "reason"}})
    claimed_gap = GapColumn(gettext_lazy("Difference claimed"), amount="claimed")
    reimbursed_gap = GapColumn(gettext_lazy("Difference reimbursed"), amount="reimbursed")
    stat_claimed = AmountColumn(verbose_name=gettext_lazy("Claimed, stat"), currency="session__currency")
    recap_claimed = AmountColumn(verbose_name=gettext_lazy("Claimed, recap"), currency="session__currency")
    stat_reimbursed = AmountColumn(verbose_name=gettext_lazy("Reimbursed, stat"), currency="session__currency")
    recap_reimbursed = AmountColumn(verbose_name=gettext_lazy("Reimbursed, recap"), currency="session__currency")

    class Meta(ListTable.Meta):
        row_attrs = {"data-finding": lambda record: record.sequence}

    def before_render(self, request: HttpRequest) -> None:
        self.request = request

    def render_category(self, value: Any, record: Finding) -> SafeString:
        return format_html('<span class="badge" data-category="{}">{}</span>', record.category, capfirst(value))

    def render_claim_number(self, value: str, record: Finding) -> SafeString:
        address = reverse("page-finding", args=[record.session_id, record.sequence])
        if kept := kept_filters(self.request):
            address += f"?{kept}"
        return format_html(
            '<a href="{}">{}</a>', address, value or _("Finding %(number)d") % {"number": record.sequence}
        )


def kept_filters(request: HttpRequest) -> str:
    """The filters of the findings' list in the address of the request, as a query string."""
    query = request.GET.copy()
    for name in set(query) - set(KEPT_FILTERS):
        del query[name]
    for name in list(query):
        query.setlist(name, [value for value in query.getlist(name) if value])
        if not query.getlist(name):
            del query[name]
    return query.urlencode()


class FindingPageFilter(FindingFilter):
    """Offers the codes that the session has. Its rows are those of one session."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows: Any = self.queryset
        combined = rows.order_by("code").exclude(code="").values_list("code", flat=True).distinct()
        codes = dict.fromkeys(code for one in combined for code in one.split(","))
        widget = _OneOfSeveral(choices=[("", _("All")), *((code, code_name(code)) for code in codes)])
        self.form.fields["code"].widget = widget


class FindingsPage(ListPage):
    """What a session did not import and why, and its warnings."""

    permission = MayReadImports
    template_name = "importer/session/findings.html"
    model = Finding
    table_class = FindingTable
    filterset_class = FindingPageFilter
    # The category has links of its own above the list.
    main_filters = ("search", "code")
    more_filters = ("category",)
    orderings = {
        "sequence": gettext_lazy("As listed in the report"),
        "claim_number": gettext_lazy("Claim number"),
        "-stat_reimbursed": gettext_lazy("Largest reimbursed amount, stat file"),
        "-recap_reimbursed": gettext_lazy("Largest reimbursed amount, recap"),
        "-stat_claimed": gettext_lazy("Largest claimed amount, stat file"),
    }

    @property
    def title(self) -> str:  # type: ignore[override]
        return _("Findings of import %(number)d") % {"number": self.session.pk}

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        sessions = ImportSession.objects.visible_to(self.user).select_related("country")
        self.session: ImportSession = self.row(sessions, kwargs["pk"])
        self.groups = list(
            super()
            .rows()
            .filter(session=self.session)
            .order_by()
            .values_list("category", "code")
            .annotate(number=Count("pk"))
        )
        return super().get(request, **kwargs)

    def rows(self) -> QuerySet[Any]:
        # Only a finding that is opened shows its lines, which are by far the largest column.
        return super().rows().filter(session=self.session).defer("lines")

    def extra(self) -> dict[str, Any]:
        counts: dict[str, int] = {}
        for category, _code, number in self.groups:
            counts[category] = counts.get(category, 0) + number
        chosen = self.request.GET.getlist("category")
        return {
            "session": self.session,
            "categories": [(*row, chosen == [row[0]]) for row in category_counts(counts.items())],
            "all": sum(counts.values()),
        }

    def _answer(self, rows: QuerySet[Any], ordering: str) -> ListAnswer:
        answer = super()._answer(rows, ordering)
        for finding in answer.rows:
            finding.session = self.session
        audit.record(
            actor=self.user,
            action=AuditAction.READ,
            target=self.session,
            data={
                "part": "findings",
                "filters": audit.filter_names(self.request.GET.dict()),
                "rows": len(answer.rows),
            },
        )
        return answer

    def _downloads(self) -> list[tuple[str, str]]:
        query = self.request.GET.copy()
        for name in ("page", "cursor", "page_size"):
            query.pop(name, None)
        address = reverse("import-session-findings-export", args=[self.session.pk])
        downloads = []
        for kind in FILE_TYPES:
            query["format"] = kind
            downloads.append((kind, f"{address}?{query.urlencode()}"))
        return downloads
