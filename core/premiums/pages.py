"""Pages of premiums (DOMAIN §9): list, one premium with its history, new, change, delete, import, all changes."""

from __future__ import annotations

from typing import Any, ClassVar

import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Conflict, Gone, Invalid
from common.formats import format_amount
from common.parsing import positive_int
from common.tables import AmountColumn, CountColumn, DayColumn, ListTable
from common.throttling import UploadThrottle
from core.models import Client, Premium, PremiumRevision
from core.pages.lists import RecordsPage
from core.pages.tables import CountryColumn, link_to
from core.premiums import services
from core.premiums.filters import PremiumFilter, PremiumRevisionFilter
from core.premiums.forms import PremiumFileForm, PremiumForm
from core.premiums.history import changes_of, value_changes, visible_changes, what_changed
from core.premiums.views import template_response
from users import audit
from users.access.pages import PageView, holds
from users.access.refusals import carry_out
from users.access.viewsets import MayManagePremiums
from users.models import AuditAction

# The changes that the page of a premium shows.
_CHANGES_SHOWN = 50


class PremiumTable(ListTable):
    client = link_to("page-client", gettext_lazy("Client"), "client__name")
    start = DayColumn(gettext_lazy("Start"))
    end = DayColumn(gettext_lazy("End"))
    amount = AmountColumn(gettext_lazy("Amount"))
    insured_count = CountColumn(gettext_lazy("Headcount"))
    source = tables.Column(gettext_lazy("Source"), empty_values=(), accessor="row")
    author = tables.Column(gettext_lazy("Entered by"), accessor="author__display_name")
    country = CountryColumn()
    open = tables.Column(
        gettext_lazy("Premium"), accessor="pk", linkify=("page-premium", {"pk": tables.A("pk")}), empty_values=()
    )

    class Meta(ListTable.Meta):
        pass

    def render_source(self, record: Premium) -> str:
        return source_of(record)

    def render_open(self, record: Premium) -> str:
        return _("No. %(number)d") % {"number": record.pk}


class ChangeTable(ListTable):
    at = tables.DateTimeColumn(verbose_name=gettext_lazy("Time"), short=True)
    actor_label = tables.Column(gettext_lazy("Who"))
    kind = tables.Column(gettext_lazy("Action"), empty_values=(), accessor="pk")
    premium = tables.Column(
        gettext_lazy("Premium"), accessor="premium_id", linkify=("page-premium", {"pk": tables.A("premium_id")})
    )
    client = tables.Column(gettext_lazy("Client"), empty_values=(), accessor="client_id")
    values = tables.Column(gettext_lazy("Values"), empty_values=(), accessor="pk")
    country = CountryColumn()

    class Meta(ListTable.Meta):
        pass

    names: ClassVar[dict[int, str]] = {}

    def render_kind(self, record: PremiumRevision) -> str:
        return what_changed(record)

    def render_client(self, record: PremiumRevision) -> str:
        return self.names.get(record.client_id, "–")

    def render_values(self, record: PremiumRevision) -> str:
        return " · ".join(
            _("%(label)s: %(before)s → %(after)s") % {"label": one.label, "before": one.before, "after": one.after}
            for one in value_changes(record)
        )


def source_of(premium: Premium) -> str:
    """Where a premium comes from, as a text."""
    if not premium.file_name:
        return _("typed")
    place = [premium.file_name, premium.sheet, str(premium.row or "")]
    return " · ".join(part for part in place if part)


class PremiumsPage(RecordsPage):
    template_name = "core/premiums/list.html"
    model = Premium
    table_class = PremiumTable
    filterset_class = PremiumFilter
    title = gettext_lazy("Premiums")
    lead = gettext_lazy("What clients pay for their cover, from the first to the last day.")
    export = "premium-export"
    main_filters = ("search", "covers", "country")
    more_filters = ("start", "end", "currency")
    orderings = {
        "-start": gettext_lazy("Latest start first"),
        "start": gettext_lazy("Earliest start first"),
        "end": gettext_lazy("Earliest end first"),
        "-amount": gettext_lazy("Largest amount first"),
        "-id": gettext_lazy("Newest first"),
    }
    sums = {"amount": gettext_lazy("Premiums")}
    related = ("client", "author", "country")

    def extra(self) -> dict[str, Any]:
        return {
            "may_manage": holds(MayManagePremiums, self.request),
            "see_also": [(_("All changes of premiums"), reverse("page-premium-changes"))],
        }


class PremiumChangesPage(RecordsPage):
    """Every change of every premium, also of the deleted ones."""

    template_name = "core/premiums/changes.html"
    model = PremiumRevision
    table_class = ChangeTable
    filterset_class = PremiumRevisionFilter
    title = gettext_lazy("Changes of premiums")
    lead = gettext_lazy("What was entered, changed and deleted, by whom and when.")
    main_filters = ("premium", "country")
    more_filters = ()
    orderings = {"-id": gettext_lazy("Newest first"), "id": gettext_lazy("Oldest first")}
    related = ("country",)

    def table(self, rows: list[Any]) -> ListTable:
        table = super().table(rows)
        clients = Client.objects.visible_to(self.user).filter(pk__in={row.client_id for row in rows})
        table.names = dict(clients.values_list("pk", "name"))
        return table


class _PremiumPage(PageView):
    """A page about one premium."""

    def premium(self) -> Premium:
        rows = Premium.objects.visible_to(self.user).select_related("client", "country", "author")
        premium: Premium = self.row(rows, self.kwargs["pk"])
        return premium


class PremiumPage(_PremiumPage):
    """A premium and its history. Of a deleted one, the history alone."""

    template_name = "core/premiums/premium.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        changes = changes_of(self.user, str(pk), not_found=Http404, refused=PermissionDenied)
        premium = None if not Premium.objects.filter(pk=pk).exists() else self.premium()
        shown = list(changes[:_CHANGES_SHOWN])
        client = Client.objects.visible_to(self.user).filter(pk=shown[0].client_id).first() if shown else None
        country_id = premium.country_id if premium else shown[0].country_id
        audit.record(actor=self.user, action=AuditAction.READ, target=premium or Premium(pk=pk), country_id=country_id)
        return self.page(
            number=pk,
            premium=premium,
            client=premium.client if premium else client,
            source=source_of(premium) if premium else "",
            may_manage=premium is not None and services.may_manage(self.user, premium.country_id),
            may_undo=bool(shown) and services.may_manage(self.user, country_id),
            changes=[(one, what_changed(one), value_changes(one)) for one in shown],
        )


class PremiumFormPage(_PremiumPage):
    """Enter a premium, or change one."""

    permission = MayManagePremiums
    template_name = "core/premiums/form.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.shown: Premium | None = None
        return super().dispatch(request, *args, **kwargs)

    def form(self, data: Any = None) -> PremiumForm:
        if "pk" in self.kwargs:
            self.shown = self.premium()
            return PremiumForm(data, actor=self.user, premium=self.shown)
        return PremiumForm(data, actor=self.user, initial=self._preset())

    def _preset(self) -> dict[str, Any]:
        """The client that a link names with `?client=`."""
        named = self.request.GET.get("client", "")
        if not named.isdecimal():
            return {}
        client = Client.objects.visible_to(self.user).filter(pk=int(named[:18])).first()
        return {} if client is None else {"client": client.name, "country": client.country_id}

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self._page(self.form())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.form(request.POST)
        saved = form.saved()
        if saved is None:
            return self._page(form, status=400)
        amount = format_amount(saved.amount, saved.currency, with_currency=True)
        message = _("The premium of %(amount)s was saved.") % {"amount": amount}
        messages.success(request, message)
        return redirect("page-premium", pk=saved.pk)

    def _page(self, form: PremiumForm, *, status: int = 200) -> HttpResponse:
        return self.page(form=form, premium=self.shown, suggestions=form.suggestions(), status=status)


class PremiumDeletePage(_PremiumPage):
    """Asks before it deletes a premium."""

    permission = MayManagePremiums
    template_name = "core/premiums/delete.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.page(premium=self.premium())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        premium = self.premium()
        if not carry_out(request, lambda: services.delete_premium(actor=self.user, premium=premium)):
            return redirect("page-premium", pk=pk)
        messages.success(request, _("The premium was deleted. Its history stays."))
        return redirect("page-premiums")


class PremiumUndoPage(PageView):
    """Asks before the newest change of a premium is undone, also of a deleted one."""

    permission = MayManagePremiums
    template_name = "core/premiums/undo.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        newest = visible_changes(self.user, pk).first()
        if newest is None:
            # Says why there is none: another country's, unknown, or without any change.
            changes_of(self.user, str(pk), not_found=Http404, refused=PermissionDenied)
        objections = [_("This premium has no change that can be undone.")]
        if newest is not None:
            objections = []
            try:
                services.undo_change(actor=self.user, revision=newest, dry_run=True)
            except Invalid as refused:
                objections = refused.sentences()
            except (Conflict, Gone) as changed:
                objections = [str(changed)]
        return self._asked(pk, newest, objections)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        change = visible_changes(self.user, pk).filter(pk=positive_int(request.POST.get("change", "")) or 0).first()
        if change is None:
            changes_of(self.user, str(pk), not_found=Http404, refused=PermissionDenied)
            return self._asked(pk, None, [_("This premium has no such change.")], status=400)
        if carry_out(request, lambda: services.undo_change(actor=self.user, revision=change)):
            messages.success(request, _("The change was undone."))
        return redirect("page-premium", pk=pk)

    def _asked(
        self, pk: int, change: PremiumRevision | None, objections: list[str], *, status: int = 200
    ) -> HttpResponse:
        return self.page(
            number=pk,
            change=change,
            what=what_changed(change) if change else "",
            values=value_changes(change) if change else [],
            objections=objections,
            status=status,
        )


class PremiumImportPage(PageView):
    """A file of premiums: first the preview, then, with the signed rows of the preview, the premiums."""

    permission = MayManagePremiums
    template_name = "core/premiums/import.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(form=PremiumFileForm(actor=self.user))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PremiumFileForm(request.POST, request.FILES, actor=self.user)
        # The counter is that of the API.
        if form.is_valid() and not UploadThrottle().allow_request(request, None):  # type: ignore[arg-type]
            form.add_error(None, _("Too many uploads. Wait a while, then try again."))
            return self.page(form=form, status=429)
        judged, signed_rows = form.judged()
        if judged is None:
            return self.page(form=form, status=400)
        return self.page(judged=judged, signed_rows=signed_rows)


class PremiumTemplatePage(PageView):
    """The workbook to fill in."""

    permission = MayManagePremiums

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return template_response(self.user)
