"""The lists of records: the same rows, filters and orderings as in the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.tables import ListTable
from core import filters
from core.families.filters import FamilyListFilter, RecordChangeFilter, heads_of_families
from core.models import (
    Act,
    ActCategory,
    Change,
    Claim,
    ClaimLine,
    Client,
    Insured,
    Membership,
    Operator,
    Partner,
    Policy,
)
from core.pages import tables
from users.access.pages import ListPage, holds
from users.access.viewsets import MayEditCatalogue

_NAMES = {"name": _("Name"), "-name": _("Name, Z first"), "-id": _("Newest first")}
_PERIOD = "claims"


class RecordsPage(ListPage):
    """A list of one kind of record. `related`: the rows that the table shows too; `ranked`: its name in rankings."""

    main_filters: ClassVar[Sequence[str]] = ("search", "country")
    related: ClassVar[tuple[str, ...]] = ("country", "file")
    ranked: ClassVar[str] = ""

    def rows(self) -> Any:
        return super().rows().select_related(*self.related) if self.related else super().rows()

    def extra(self) -> dict[str, Any]:
        if not self.ranked:
            return {}
        address = f"{reverse('page-figures-part', args=['rankings'])}?by={self.ranked}"
        return {"see_also": [(_("Ranking by cost"), address)]}

    def table(self, rows: list[Any]) -> ListTable:
        table = super().table(rows)
        if "country" in table.columns and not self.user.sees_all_countries():
            table.columns.hide("country")
        return table


class ClaimsPage(RecordsPage):
    model = Claim
    table_class = tables.ClaimTable
    filterset_class = filters.ClaimFilter
    title = _("Claims")
    lead = _("Claims on which stat file and recap agree. Search by number, person, card, policy or provider.")
    export = "claim-export"
    main_filters = ("search", "settlement_date", "status", "country")
    more_filters = ("incident_date", "claimed_amount", "reimbursed_amount", "role", "delay", "incident_unknown")
    orderings = {
        "-settlement_date": _("Latest settlement first"),
        "settlement_date": _("Earliest settlement first"),
        "-claimed_amount": _("Largest claimed amount first"),
        "-reimbursed_amount": _("Largest reimbursed amount first"),
        "number": _("Number"),
        "-id": _("Newest import first"),
    }
    sums = {"claimed_amount": _("Claimed"), "reimbursed_amount": _("Reimbursed")}
    personal = True
    related = ("insured", "policy", "client", "partner", "country")

    def default_ordering(self) -> str:
        # An index has the settlement dates of each country, but none those of all countries together.
        of_one = not self.user.sees_all_countries() or self.request.GET.get("country")
        return super().default_ordering() if of_one else "-id"


class ClaimLinesPage(RecordsPage):
    model = ClaimLine
    table_class = tables.ClaimLineTable
    filterset_class = filters.ClaimLineFilter
    title = _("Claim lines")
    lead = _("The medical acts of the claims, each with the file, sheet and row from which it was read.")
    export = "claim-line-export"
    main_filters = ("number", "claim_settlement_date", "country")
    more_filters = ("settlement_date", "incident_date", "claimed_amount", "status", "claim_status")
    orderings = {
        "": _("Claim by claim"),
        "-reimbursed_amount": _("Largest reimbursed amount first"),
        "-claimed_amount": _("Largest claimed amount first"),
        "-settlement_date": _("Latest settlement first"),
    }
    sums = {"claimed_amount": _("Claimed"), "reimbursed_amount": _("Reimbursed")}
    sums_by = "claim__currency"
    personal = True
    related = ("claim", "act", "category", "operator", "file")

    def rows(self) -> Any:
        # The API's own order: the lines of a country are read in this order from one index.
        return super().rows().order_by("claim_id", "position")


class InsuredPage(RecordsPage):
    model = Insured
    table_class = tables.InsuredTable
    filterset_class = filters.InsuredFilter
    title = _("Insured persons")
    lead = _("Search by name, in any order of the words, or by the whole card number.")
    export = "insured-export"
    main_filters = ("search", _PERIOD, "country")
    more_filters = ("first_claim", "claims_role", "is_deduced")
    ranked = "insured"
    orderings = {"-id": _("Newest first"), "name": _("Name"), "-name": _("Name, Z first")}
    personal = True


class MembershipsPage(RecordsPage):
    model = Membership
    table_class = tables.MembershipTable
    filterset_class = filters.MembershipFilter
    title = _("Memberships")
    lead = _("Insured persons under their policies, with role and principal.")
    export = "membership-export"
    main_filters = ("search", "role", "country")
    more_filters = ("first_settlement_date", "claims", "first_claim")
    orderings = {"-id": _("Newest first"), "id": _("Oldest first")}
    personal = True
    related = ("insured", "principal", "policy", "client", "plan")


class FamiliesPage(RecordsPage):
    model = Membership
    table_class = tables.FamilyTable
    filterset_class = FamilyListFilter
    title = _("Families")
    lead = _("A principal on a policy, with the dependants there. Search by the principal's name or card number.")
    export = "family-export"
    main_filters = ("search", "has_dependants", "country")
    more_filters = ()
    orderings = {"-id": _("Newest first"), "id": _("Oldest first")}
    personal = True
    related = ("insured", "policy", "client", "plan")
    ranked = "family"

    def rows(self) -> Any:
        return heads_of_families(super().rows())

    def extra(self) -> dict[str, Any]:
        links = super().extra()["see_also"]
        return {"see_also": [*links, (_("Corrections of persons"), reverse("page-family-changes"))]}


class RecordChangesPage(RecordsPage):
    model = Change
    table_class = tables.RecordChangeTable
    filterset_class = RecordChangeFilter
    title = _("Corrections of persons")
    lead = _(
        "Who merged, split, named or attached whom, and when. Each can be undone while nothing later depends on it."
    )
    export = "family-change-export"
    main_filters = ("kind", "at", "undone", "country")
    more_filters = ()
    orderings = {"-id": _("Newest first"), "id": _("Oldest first")}
    personal = True
    related = ("country", "undone_by")

    def rows(self) -> Any:
        return super().rows().filter(country__isnull=False)


class ClientsPage(RecordsPage):
    model = Client
    table_class = tables.ClientTable
    filterset_class = filters.ClientFilter
    title = _("Clients")
    lead = _("Employers that have policies for their employees.")
    export = "client-export"
    main_filters = ("search", _PERIOD, "country")
    more_filters = ("first_claim",)
    ranked = "client"
    orderings = _NAMES


class PoliciesPage(RecordsPage):
    model = Policy
    table_class = tables.PolicyTable
    filterset_class = filters.PolicyFilter
    title = _("Policies")
    lead = _("Contracts; one may cover several clients.")
    export = "policy-export"
    main_filters = ("search", _PERIOD, "country")
    more_filters = ("first_claim", "to_complete", "typed_rate", "typed_subscriber")
    ranked = "policy"
    personal = True
    orderings = {"number": _("Number"), "-id": _("Newest first")}

    def extra(self) -> dict[str, Any]:
        links = super().extra()["see_also"]
        return {"see_also": [*links, (_("Policies to complete"), reverse("page-policies-to-complete"))]}


class PartnersPage(RecordsPage):
    model = Partner
    table_class = tables.PartnerTable
    filterset_class = filters.PartnerFilter
    title = _("Providers")
    lead = _("Clinics, pharmacies and others that give care.")
    export = "partner-export"
    main_filters = ("search", _PERIOD, "country")
    more_filters = ("first_claim",)
    ranked = "partner"
    orderings = _NAMES


class OperatorsPage(RecordsPage):
    model = Operator
    table_class = tables.OperatorTable
    filterset_class = filters.OperatorFilter
    title = _("Operators")
    lead = _("Persons who entered claims into the claims system.")
    export = "operator-export"
    main_filters = ("search", _PERIOD, "country")
    more_filters = ("first_claim",)
    ranked = "operator"
    orderings = _NAMES
    personal = True


class ActsPage(RecordsPage):
    model = Act
    table_class = tables.ActTable
    filterset_class = filters.ActFilter
    title = _("Acts")
    lead = _("The medical acts of the catalogue, which all countries share, with their other names.")
    export = "act-export"
    main_filters = ("search",)
    more_filters = ()
    ranked = "act"
    orderings = _NAMES
    related = ("category",)

    def rows(self) -> Any:
        return super().rows().prefetch_related("aliases")

    def extra(self) -> dict[str, Any]:
        return {"see_also": [*super().extra()["see_also"], *_of_catalogue(self.request, "page-act-candidates")]}


class ActCategoriesPage(RecordsPage):
    model = ActCategory
    table_class = tables.ActCategoryTable
    filterset_class = filters.ActCategoryFilter
    title = _("Act categories")
    lead = _("The categories of the catalogue, which all countries share, with their other names.")
    export = "act-category-export"
    main_filters = ("search",)
    more_filters = ()
    ranked = "act_category"
    orderings = _NAMES
    related = ()

    def rows(self) -> Any:
        return super().rows().prefetch_related("aliases")

    def extra(self) -> dict[str, Any]:
        links = _of_catalogue(self.request, "page-act-category-candidates")
        return {"see_also": [*super().extra()["see_also"], *links]}


def _of_catalogue(request: HttpRequest, candidates: str) -> list[tuple[Any, str]]:
    """Links between the pages of the catalogue, those of its changes for the accounts that may change it."""
    links = [(_("Acts"), "page-acts"), (_("Act categories"), "page-act-categories")]
    if holds(MayEditCatalogue, request):
        links += [(_("Nearly the same names"), candidates), (_("Changes"), "page-catalogue-changes")]
    return [(text, address) for text, name in links if (address := reverse(name)) != request.path]
