"""Pages of countries: list, detail, create, change, open and deactivate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Conflict, ServiceError
from common.tables import AmountColumn, ListTable
from users.access.pages import ListPage, PageView, holds
from users.access.refusals import show_refusal
from users.access.viewsets import MayManageAccounts, MayManageCountries
from users.accounts import countries, deactivations
from users.accounts.forms import CountryForm, DeactivationForm
from users.accounts.pages import history_of
from users.accounts.views import CountryFilter
from users.models import Country, CountryDeactivation, DeactivationStatus, DeactivationVote, User

REQUESTS_SHOWN = 10


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
        return self.shown(self.row(Country.objects.visible_to(self.user), pk))

    def post(self, request: HttpRequest, pk: int, **kwargs: Any) -> HttpResponse:
        """Ask for the deactivation of the country."""
        if not holds(MayManageCountries, request):
            raise PermissionDenied
        country: Country = self.row(Country.objects.visible_to(self.user), pk)
        form = DeactivationForm(request.POST, actor=self.user, country=country)
        asked = form.saved()
        if asked is None:
            return self.shown(country, form=form, status=400)
        messages.success(request, _outcome(asked))
        return redirect("page-country", pk=country.pk)

    def shown(self, country: Country, *, form: DeactivationForm | None = None, status: int = 200) -> HttpResponse:
        may_change = holds(MayManageCountries, self.request)
        requests = _requests(self.user, country) if may_change else []
        pending = next((one for one in requests if one.row.status == DeactivationStatus.PENDING), None)
        return self.page(
            country=country,
            may_change=may_change,
            decides_alone=self.user.is_superuser_role(),
            pending=pending,
            requests=[one for one in requests if one is not pending],
            form=form or DeactivationForm(actor=self.user, country=country),
            history=history_of(self.user, country),
            status=status,
        )


@dataclass(frozen=True)
class ShownRequest:
    """A request as the page shows it to one account."""

    row: CountryDeactivation
    votes: list[DeactivationVote]
    may_vote: bool
    may_withdraw: bool

    @property
    def approvals(self) -> int:
        return deactivations.approvals(self.votes)


def _requests(user: User, country: Country) -> list[ShownRequest]:
    """The last requests about the country, the newest first."""
    deactivations.expire_due()
    rows = CountryDeactivation.objects.visible_to(user).filter(country=country).prefetch_related("votes")
    found = []
    for row in rows.order_by("-pk")[:REQUESTS_SHOWN]:
        votes = list(row.votes.all())
        found.append(
            ShownRequest(row, votes, deactivations.may_vote(user, row, votes), deactivations.may_withdraw(user, row))
        )
    return found


def _outcome(request: CountryDeactivation) -> str:
    """What a reader learns after asking, voting or withdrawing."""
    match request.status:
        case DeactivationStatus.PENDING:
            return _("The request waits for the votes of the other global administrators. They get an e-mail.")
        case DeactivationStatus.APPROVED:
            return _("“%(name)s” is inactive; its accounts can no longer sign in.") % {"name": request.country}
        case DeactivationStatus.WITHDRAWN:
            return _("The request was withdrawn.")
        case _:
            return _("The request was rejected: “%(name)s” stays active.") % {"name": request.country}


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
    """Activate a country; deactivate it as a superuser; approve, reject or withdraw the pending request."""

    permission = MayManageCountries
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, act: str, **kwargs: Any) -> HttpResponse:
        acts: dict[str, Callable[[Country], str]] = {
            "activate": lambda country: self._set_active(country, is_active=True),
            "deactivate": lambda country: self._set_active(country, is_active=False),
            deactivations.APPROVE: lambda country: self._vote(country, deactivations.APPROVE),
            deactivations.REJECT: lambda country: self._vote(country, deactivations.REJECT),
            "withdraw": self._withdraw,
        }
        if act not in acts:
            raise Http404
        country = self.row(Country.objects.visible_to(self.user), pk)
        try:
            messages.success(request, acts[act](country))
        except ServiceError as refused:
            show_refusal(request, refused)
        return redirect("page-country", pk=country.pk)

    def _set_active(self, country: Country, *, is_active: bool) -> str:
        country = countries.set_country_active(actor=self.user, country=country, is_active=is_active)
        if is_active:
            return _("“%(name)s” is active.") % {"name": country}
        return _("“%(name)s” is inactive; its accounts can no longer sign in.") % {"name": country}

    def _vote(self, country: Country, choice: str) -> str:
        voted = deactivations.vote(actor=self.user, request=self._request(country), choice=choice)
        if voted.status == DeactivationStatus.PENDING:
            return _("Your vote was counted. The request waits for further votes.")
        return _outcome(voted)

    def _withdraw(self, country: Country) -> str:
        return _outcome(deactivations.withdraw(actor=self.user, request=self._request(country)))

    def _request(self, country: Country) -> CountryDeactivation:
        """The request that the form was about: another one may be pending meanwhile."""
        named = self.request.POST.get("request", "")
        rows = CountryDeactivation.objects.visible_to(self.user).filter(country=country)
        found = rows.filter(pk=int(named)).first() if named.isdecimal() and len(named) < 19 else None
        if found is None:
            raise Conflict(_("There is no such request any more. Read the page again."))
        return found
