"""Pages of the reporting currency and its rates, for the accounts that see all countries."""

from __future__ import annotations

from typing import Any, ClassVar

import django_tables2 as tables
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import ServiceError
from common.tables import DayColumn, ListTable
from common.throttling import UploadThrottle
from core.currencies import services
from core.currencies.fixed import fixed_currencies, fixed_text, rate_text
from core.currencies.forms import RateForm, RateSheetForm
from core.currencies.services import OUTCOMES
from core.currencies.views import RateFilter, template_response
from core.models import ExchangeRate, ReportingCurrency
from users.access.pages import ListPage, PageView
from users.access.refusals import show_refusal
from users.access.viewsets import MayManageRates


class RateTable(ListTable):
    currency = tables.Column(gettext_lazy("Currency"), linkify=("page-rate", {"pk": tables.A("pk")}))
    start = DayColumn(gettext_lazy("From"))
    text = tables.Column(gettext_lazy("Rate"), accessor="pk")
    author = tables.Column(gettext_lazy("Entered by"), accessor="author__display_name")
    changed_at = DayColumn(gettext_lazy("Changed on"))

    class Meta(ListTable.Meta):
        pass

    def render_text(self, record: ExchangeRate) -> str:
        return rate_text(record.base, record.rate, record.currency)


class CurrenciesPage(ListPage):
    """The reporting currency with its form, and the rates."""

    permission = MayManageRates
    template_name = "core/currencies/list.html"
    model = ExchangeRate
    table_class = RateTable
    filterset_class = RateFilter
    title = gettext_lazy("Currencies")
    lead = gettext_lazy(
        "Money is never added across currencies. With a reporting currency and its rates, a consolidated block stands"
        " beside the figures: each amount at the rate of its settlement date."
    )
    main_filters = ("currency", "base")
    orderings: ClassVar[dict[str, Any]] = {
        "currency,-start": gettext_lazy("Currency, newest first"),
        "-start": gettext_lazy("Newest first"),
        "start": gettext_lazy("Oldest first"),
    }

    def rows(self) -> Any:
        return super().rows().select_related("author")

    def extra(self) -> dict[str, Any]:
        setting = ReportingCurrency.objects.visible_to(self.user).first()
        base = setting.currency if setting else ""
        return {"reporting": base, "fixed": [fixed_text(base, one) for one in fixed_currencies(base)] if base else []}


class ReportingCurrencyPage(PageView):
    """Sets the reporting currency; an empty field removes it."""

    permission = MayManageRates
    http_method_names = ["post"]

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            code = services.set_reporting_currency(actor=self.user, currency=request.POST.get("currency", ""))
        except ServiceError as refused:
            show_refusal(request, refused)
        else:
            message = _("The reporting currency is %(currency)s.") % {"currency": code}
            messages.success(request, message if code else _("There is no reporting currency any more."))
        return redirect("page-currencies")


class RatePage(PageView):
    """The form of a new rate, or of one that it changes."""

    permission = MayManageRates
    template_name = "core/currencies/rate.html"

    def form(self, data: Any = None) -> RateForm:
        pk = self.kwargs.get("pk")
        row = None if pk is None else self.row(ExchangeRate.objects.visible_to(self.user), pk)
        return RateForm(data, actor=self.user, row=row)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.shown(self.form())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.form(request.POST)
        saved = form.saved()
        if saved is None:
            return self.shown(form, status=400)
        messages.success(request, _("“%(name)s” was saved.") % {"name": saved})
        return redirect("page-currencies")

    def shown(self, form: RateForm, *, status: int = 200) -> HttpResponse:
        setting = ReportingCurrency.objects.visible_to(self.user).first()
        base = form.row.base if form.row else setting.currency if setting else ""
        return self.page(form=form, rate=form.row, base=base, status=status)


class RateDeletePage(PageView):
    permission = MayManageRates
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, **kwargs: Any) -> HttpResponse:
        row = self.row(ExchangeRate.objects.visible_to(self.user), pk)
        services.delete_rate(actor=self.user, rate=row)
        messages.success(request, _("“%(name)s” was deleted.") % {"name": row})
        return redirect("page-currencies")


class RateImportPage(PageView):
    """A sheet of rates: first the preview, then, with the signed rows of the preview, the import."""

    permission = MayManageRates
    template_name = "core/currencies/import.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.page(form=RateSheetForm(actor=self.user))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = RateSheetForm(request.POST, request.FILES, actor=self.user)
        # The counter is that of the API.
        if form.is_valid() and not UploadThrottle().allow_request(request, None):  # type: ignore[arg-type]
            form.add_error(None, _("Too many uploads. Wait a while, then try again."))
            return self.page(form=form, status=429)
        rows, signed_rows = form.rows()
        if rows is None:
            return self.page(form=form, status=400)
        counts = {outcome: sum(row.outcome == outcome for row in rows) for outcome in OUTCOMES}
        return self.page(
            form=form, rows=rows, counts=counts, good=counts["new"] + counts["update"], signed_rows=signed_rows
        )


class RateTemplatePage(PageView):
    permission = MayManageRates

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return template_response()
