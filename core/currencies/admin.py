"""The reporting currency and its rates in the admin, for the accounts that see all countries (DOMAIN §14)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.formats import format_day
from core.currencies import services
from core.currencies.fixed import rate_text
from core.currencies.forms import RateForm, ReportingCurrencyForm
from core.models import ExchangeRate, ReportingCurrency
from users.access.actor import actor_of
from users.access.service_admin import ServiceAdmin
from users.accounts.forms import ServiceForm

Acts = list[tuple[str, Callable[[HttpRequest, Any], HttpResponse | None]]]


class _CurrencyAdmin(ServiceAdmin):
    """Pages for the accounts that may change currencies; nobody else reads them."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return services.may_manage_rates(actor_of(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return services.may_manage_rates(actor_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return services.may_manage_rates(actor_of(request))


class ReportingCurrencyAdmin(_CurrencyAdmin):
    """The one reporting currency, or none."""

    list_display = ("currency", "changed_on")
    ordering = ("pk",)

    @admin.display(description=gettext_lazy("changed on"), ordering="changed_at")
    def changed_on(self, setting: ReportingCurrency) -> str:
        return format_day(setting.changed_at.date())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not self.visible_rows(request).exists()

    def form_for(self, request: HttpRequest, row: Any, data: Any) -> ServiceForm:
        return ReportingCurrencyForm(data, actor=actor_of(request), row=row)

    def acts_on(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        return [("remove", _("Remove the reporting currency"))]

    def acts(self) -> Acts:
        return [("remove", self._remove)]

    def _remove(self, request: HttpRequest, setting: ReportingCurrency) -> HttpResponse:
        services.set_reporting_currency(actor=actor_of(request), currency=None)
        messages.success(request, _("There is no reporting currency any more."))
        return HttpResponseRedirect(self.address("changelist"))


class ExchangeRateAdmin(_CurrencyAdmin):
    """Dated rates. Those of another base than the reporting currency are kept, and do not count."""

    list_display = ("currency", "start", "rate_written", "base", "author_name", "changed_on")
    list_filter = ("base", "currency")
    # So Django calls the filter of a text without choices.
    lookups = ("base", "currency")
    search_fields = ("currency", "base", "file_name")
    date_hierarchy = "start"
    ordering = ("currency", "-start", "pk")
    related = ("author",)

    @admin.display(description=gettext_lazy("rate"), ordering="rate")
    def rate_written(self, rate: ExchangeRate) -> str:
        return rate_text(rate.base, rate.rate, rate.currency)

    @admin.display(description=gettext_lazy("entered by"), ordering="author__last_name")
    def author_name(self, rate: ExchangeRate) -> str:
        return rate.author.display_name() if rate.author else ""

    @admin.display(description=gettext_lazy("changed on"), ordering="changed_at")
    def changed_on(self, rate: ExchangeRate) -> str:
        return format_day(rate.changed_at.date())

    def form_for(self, request: HttpRequest, row: Any, data: Any) -> ServiceForm:
        return RateForm(data, actor=actor_of(request), row=row)

    def acts_on(self, request: HttpRequest, row: Any) -> list[tuple[str, str]]:
        return [("remove", _("Delete the rate"))]

    def acts(self) -> Acts:
        return [("remove", self._remove)]

    def _remove(self, request: HttpRequest, rate: ExchangeRate) -> HttpResponse:
        services.delete_rate(actor=actor_of(request), rate=rate)
        messages.success(request, _("“%(name)s” was deleted.") % {"name": rate})
        return HttpResponseRedirect(self.address("changelist"))
