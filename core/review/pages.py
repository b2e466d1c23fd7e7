"""The review list as pages (DOMAIN §12): the list, one pair with both records beside each other, the answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import NotFound, ValidationError

from common.errors import Invalid, ServiceError
from common.filter_form import PLACES
from common.parsing import positive_int
from common.tables import ListTable, StateColumn
from core.families.rights import may_manage_families
from core.merge.texts import moved_words
from core.models import Change, ReviewDecision, ReviewKind, ReviewPair, ReviewState
from core.review.comparison import compared, marked_names
from core.review.facts import facts_of
from core.review.filters import ReviewPairFilter
from core.review.services import decide, preview_decision, suggested
from core.review.views import with_policy
from users import audit
from users.access.pages import ListPage, PageView, holds
from users.access.refusals import carry_out
from users.access.viewsets import MayReadReview, MayReview
from users.models import AuditAction

RECORD_PAGES = {
    ReviewKind.INSURED: "page-insured",
    ReviewKind.CLIENT: "page-client",
    ReviewKind.PARTNER: "page-partner",
    ReviewKind.OPERATOR: "page-operator",
}


def waiting_address() -> str:
    return f"{reverse('page-review')}?{urlencode({'state': ReviewState.WAITING.value})}"


class ReviewTable(ListTable):
    kind = tables.Column(gettext_lazy("Kind"))
    names = tables.Column(gettext_lazy("The two names"), accessor="one_name")
    policy = tables.Column(gettext_lazy("Policy"), accessor="policy_number")
    # Before the columns that a narrow screen hides until the table is scrolled.
    answer = tables.TemplateColumn(
        template_name="core/review_answer.html", verbose_name=gettext_lazy("Answer"), empty_values=(), accessor="pk"
    )
    state = StateColumn(gettext_lazy("State"))
    found_at = tables.DateTimeColumn(short=True, verbose_name=gettext_lazy("Listed on"), attrs={"td": {"class": "day"}})
    decided_label = tables.Column(gettext_lazy("Answered by"))
    decided_at = tables.DateTimeColumn(
        short=True, verbose_name=gettext_lazy("Answered on"), attrs={"td": {"class": "day"}}
    )
    country = tables.Column(gettext_lazy("Country"), accessor="country__name")

    class Meta(ListTable.Meta):
        row_attrs = {"data-pair": lambda record: record.pk}

    def render_names(self, record: ReviewPair) -> SafeString:
        address = reverse("page-review-pair", args=[record.pk])
        return format_html('<a href="{}">{} / {}</a>', address, record.one_name, record.other_name)

    def render_state(self, value: str) -> SafeString:
        return format_html('<span class="badge is-{}">{}</span>', value, ReviewState(value).label)


class ReviewPage(ListPage):
    """All pairs. Without a filter, those that wait. POST answers a row with "different"."""

    permission = MayReadReview
    model = ReviewPair
    template_name = "core/review_list.html"
    table_class = ReviewTable
    filterset_class = ReviewPairFilter
    title = gettext_lazy("Review list")
    lead = gettext_lazy(
        "Imports list records with nearly the same name here. Say of each pair whether they are the same: then they"
        " are merged; or different: then nobody is asked again."
    )
    export = "review-pair-export"
    main_filters = ("search", "kind", "state", "country")
    orderings = {
        "id": gettext_lazy("Oldest first"),
        "-id": gettext_lazy("Newest first"),
        "one_name": gettext_lazy("Name"),
        "-decided_at": gettext_lazy("Last answer first"),
    }
    personal = True

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return super().get(request, **kwargs) if request.GET else redirect(waiting_address())

    def post(self, request: HttpRequest) -> HttpResponse:
        if not holds(MayReview, request):
            raise PermissionDenied
        pair = self.row(self.rows(), positive_int(request.POST.get("pair", "")) or 0)
        if carry_out(request, lambda: decide(actor=self.user, pair=pair, decision=ReviewDecision.DIFFERENT)):
            messages.success(request, said(pair, None))
        return redirect(self._same_page())

    def _same_page(self) -> str:
        """The address of the form: the same page of the list. The first one, where that page has no row any more."""
        filters = self.filterset_class(self.request.GET, self.rows(), request=self.request)
        ordering = self.request.GET.get("ordering") or self.default_ordering()
        query = self.request.GET.copy()
        try:
            has_rows = ordering in self.orderings and bool(self._answer(filters.qs, ordering).rows)
        except (ValidationError, NotFound):
            has_rows = False
        if not has_rows:
            for name in PLACES:
                query.pop(name, None)
        return f"{self.request.path}?{query.urlencode()}"

    def rows(self) -> QuerySet[Any]:
        return with_policy(super().rows()).select_related("country")

    def table(self, rows: list[Any]) -> ListTable:
        reviews = holds(MayReview, self.request)
        for row in rows:
            waits = row.state == ReviewState.WAITING
            row.may_answer = waits and reviews and may_manage_families(self.user, row.country_id)
            row.is_answered = bool(row.decision) and not waits
        table = super().table(rows)
        if not self.user.sees_all_countries():
            table.columns.hide("country")
        if not any(row.is_answered for row in rows):
            # So the answers have room.
            table.columns.hide("decided_label")
            table.columns.hide("decided_at")
        return table

    def extra(self) -> dict[str, Any]:
        answered = {"state": ReviewState.SAME.value, "ordering": "-decided_at"}
        different = answered | {"state": ReviewState.DIFFERENT.value}
        address = reverse("page-review")
        return {
            "see_also": [
                (_("Waiting"), waiting_address()),
                (_("Answered: the same"), f"{address}?{urlencode(answered)}"),
                (_("Answered: different"), f"{address}?{urlencode(different)}"),
            ]
        }


class PairPage(PageView):
    """Both records beside each other. POST answers, or shows what a merge would move."""

    permission = MayReadReview
    template_name = "core/review_pair.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._shown(self._pair(pk))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        pair = self._pair(pk)
        if not holds(MayReview, request):
            raise PermissionDenied
        decision, keep = request.POST.get("decision", ""), positive_int(request.POST.get("keep", ""))
        if request.POST.get("step") == "preview":
            return self._previewed(pair, keep)
        done: list[Any] = []
        if carry_out(request, lambda: done.append(decide(actor=self.user, pair=pair, decision=decision, keep=keep))):
            messages.success(request, said(pair, done[0].change))
            return redirect(self._next(pair))
        return redirect("page-review-pair", pk=pk)

    def _pair(self, pk: int) -> Any:
        rows = with_policy(ReviewPair.objects.visible_to(self.user)).select_related("country", "change")
        return self.row(rows, pk)

    def _previewed(self, pair: Any, keep: int | None) -> HttpResponse:
        try:
            change = preview_decision(actor=self.user, pair=pair, decision=ReviewDecision.SAME, keep=keep).change
        except ServiceError as refused:
            reasons = refused.sentences() if isinstance(refused, Invalid) else [str(refused)]
            return self._shown(pair, status=400, refusals=reasons, keep=keep)
        audit.record(actor=self.user, action=AuditAction.PREVIEW, target=pair, data={"decision": "same"})
        assert change is not None
        return self._shown(pair, preview=moved_words(change), keep=change.data["kept"])

    def _shown(self, pair: Any, *, status: int = 200, keep: int | None = None, **more: Any) -> HttpResponse:
        kind = ReviewKind(pair.kind)
        facts = facts_of(kind, (pair.one_id, pair.other_id), with_files=True)
        audit.record(actor=self.user, action=AuditAction.READ, target=pair)
        one, other = (facts.get(id_) for id_ in (pair.one_id, pair.other_id))
        names = marked_names(one.name if one else pair.one_name, other.name if other else pair.other_name)
        return self.page(
            status=status,
            pair=pair,
            state=ReviewState(pair.state),
            records=[
                (id_, pieces, reverse(RECORD_PAGES[kind], args=[id_]) if id_ in facts else "")
                for id_, pieces in zip((pair.one_id, pair.other_id), names, strict=True)
            ],
            rows=compared(kind, one, other) if one and other else [],
            keep=keep or (suggested(pair) if one and other else None),
            may_decide=may_manage_families(self.user, pair.country_id),
            can_decide=pair.state in (ReviewState.WAITING, ReviewState.DIFFERENT) and one and other,
            **more,
        )

    def _next(self, pair: Any) -> str:
        """The next pair of the same kind that waits, else the list."""
        following = ReviewPair.objects.visible_to(self.user).waiting().filter(kind=pair.kind, country=pair.country_id)
        found = following.filter(pk__gt=pair.pk).order_by("pk").first() or following.order_by("pk").first()
        return waiting_address() if found is None else reverse("page-review-pair", args=[found.pk])


def said(pair: ReviewPair, change: Change | None) -> str:
    """What an answer did, as a sentence. `change`: the merge of the answer "the same"."""
    names = {"one": pair.one_name, "other": pair.other_name}
    if change is None:
        return _("%(one)s and %(other)s are different. Nobody is asked again.") % names
    return _("%(one)s and %(other)s are one record now.") % names
