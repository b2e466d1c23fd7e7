"""Pages of countries: list, detail, create, change, open and deactivate."""

from __future__ import annotations

from typing import Any, ClassVar

import django_tables2 as tables
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.tables import AmountColumn, ListTable
from users.access.pages import ListPage, PageView, holds
from users.access.viewsets import MayManageAccounts, MayManageCountries
from users.accounts import countries
from users.accounts.forms import CountryForm
from users.accounts.pages import history_of
from users.accounts.views import CountryFilter
from users.models import Country


class CountryTable(ListTable):
    name = tables.Column(gettext_lazy("Name"), linkify=("page-country", {"pk": tables.A("pk")}))
    code = tables.Column(gettext_lazy("Code"))
    currency_code = tables.Column(gettext_lazy("Currency"))
    tolerance = AmountColumn(verbose_name=gettext_lazy("Tolerance"), currency="currency_code")
    state = tables.Column(gettext_lazy("State"), accessor="is_active")

    class Meta(ListTable.Meta):
        pass

    def render_state(self, record: Country) -> str:
        tone, text = ("good", _("active")) if record.is_active else ("", _("inactive"))
        return format_html('<span class="badge {}">{}</span>', tone, text)


class CountriesPage(ListPage):
    permission = MayManageAccounts
    template_name = "users/countries/list.html"
    model = Country
    table_class = CountryTable
    filterset_class = CountryFilter
    title = gettext_lazy("Countries")
    lead = gettext_lazy("Each country has its own claims, files and accounts. Nobody of one country sees another.")
    main_filters = ("is_active",)
    orderings: ClassVar[dict[str, Any]] = {"name": gettext_lazy("Name"), "code": gettext_lazy("Code")}

    def extra(self) -> dict[str, Any]:
        return {"may_create": holds(MayManageCountries, self.request)}


class CountryPage(PageView):
    permission = MayManageAccounts
    template_name = "users/countries/country.html"

    def get(self, request: HttpRequest, pk: int, **kwargs: Any) -> HttpResponse:
        country: Country = self.row(Country.objects.visible_to(self.user), pk)
        return self.page(
            country=country,
            may_change=holds(MayManageCountries, request),
            history=history_of(self.user, country),
        )


class CountryFormPage(PageView):
    """Create a country, or change one."""

    permission = MayManageCountries
    template_name = "users/countries/form.html"

    def form(self, data: Any = None) -> CountryForm:
        pk = self.kwargs.get("pk")
        country = None if pk is None else self.row(Country.objects.visible_to(self.user), pk)
        return CountryForm(data, actor=self.user, country=country)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.form()
        return self.page(form=form, country=form.country)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.form(request.POST)
        saved = form.saved()
        if saved is None:
            return self.page(form=form, country=form.country, status=400)
        messages.success(request, _("“%(name)s” was saved.") % {"name": saved})
        return redirect("page-country", pk=saved.pk)


class CountryActPage(PageView):
    permission = MayManageCountries
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, act: str, **kwargs: Any) -> HttpResponse:
        if act not in ("activate", "deactivate"):
            raise Http404
        country = self.row(Country.objects.visible_to(self.user), pk)
        country = countries.set_country_active(actor=self.user, country=country, is_active=act == "activate")
        if country.is_active:
            messages.success(request, _("“%(name)s” is active.") % {"name": country})
        else:
            messages.success(
                request, _("“%(name)s” is inactive; its accounts can no longer sign in.") % {"name": country}
            )
        return redirect("page-country", pk=country.pk)
