"""The pages of single records with their figures: client, policy, insured, family, provider, operator, act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import Aggregate, F, Model, OuterRef, QuerySet, Subquery, TextField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Invalid
from core.catalogue.history import history_of, usage_of
from core.catalogue.pages import changes_shown
from core.coverage.services import may_type_rates
from core.coverage.texts import shown_rate, source_of_subscriber
from core.families.filters import changes_of
from core.families.rights import may_manage_families
from core.families.texts import summary_of
from core.filters import family_of
from core.models import (
    Act,
    ActCategory,
    Change,
    Claim,
    Client,
    Insured,
    Membership,
    Operator,
    Partner,
    Policy,
    Premium,
)
from core.pages.origins import Origins
from core.pages.tables import ClaimTable
from core.premiums.services import may_manage
from dashboard.asking import read_about, single_values
from dashboard.indicators.rankings import By
from dashboard.queries import OF_LINES, Scope, ScopeKind
from dashboard.record_figures import RecordFigures, record_figures
from users import audit
from users.access.pages import PageView, holds
from users.access.viewsets import MayEditCatalogue
from users.models import AuditAction, Country

# The premiums that the page of a client shows.
_PREMIUMS_SHOWN = 20
# The corrections that the page of an insured shows.
_CORRECTIONS_SHOWN = 5
_CLAIMS = ("claims", "claimed", "reimbursed", "reimbursement_rate", "cost_per_claim")


@dataclass(frozen=True)
class Fact:
    label: str
    text: str
    address: str = ""


class RecordPage(PageView):
    """One record: its facts, the key figures in its scope, the first places of rankings, its latest claims.

    `kind`: its scope in the figures. `keys`: the indicators shown; `rankings`: what is ranked within the scope.
    `list_page`, `list_title`: the list that it stands in. `lists`: (text, route) of the lists that its scope filters.
    """

    template_name = "dashboard/record.html"
    model: ClassVar[type[Model]]
    kind: ClassVar[ScopeKind]
    keys: ClassVar[Sequence[str]] = _CLAIMS
    rankings: ClassVar[Sequence[By]] = ()
    list_page: ClassVar[str] = ""
    list_title: ClassVar[str | Promise] = ""
    type_name: ClassVar[str | Promise] = ""
    lists: ClassVar[Sequence[tuple[str | Promise, str]]] = ()
    related: ClassVar[tuple[str, ...]] = ("country", "file")
    audited: ClassVar[bool] = True

    def rows(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.all().visible_to(self.user)  # type: ignore[attr-defined]
        return rows.select_related(*self.related)

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show(self.row(self.rows(), pk))

    def show(self, row: Any) -> HttpResponse:
        countries = self.countries(row)
        figures: RecordFigures | None = None
        errors: dict[str, list[str]] = {}
        try:
            params = {name: value for name, value in single_values(self.request.GET).items() if value.strip()}
            asked = read_about(countries, Scope(self.kind, row.pk), params)
            figures = record_figures(self.user, asked, params, keys=self.keys, rankings=self.rankings)
        except Invalid as refused:
            errors = refused.errors
        if self.audited:
            audit.record(actor=self.user, action=AuditAction.READ, target=row)
        claims = self._claims(figures.recent if figures else [])
        return self.page(
            status=400 if errors else 200,
            record=row,
            name=self.name_of(row),
            type_name=self.type_name,
            list_page=self.list_page,
            list_title=self.list_title,
            facts=self.facts(row),
            lists=[(text, f"{reverse(route)}?{urlencode({self._filter(): row.pk})}") for text, route in self.lists],
            board=f"{reverse('page-figures')}?{urlencode(self._scope(row))}",
            figures=figures,
            errors=errors,
            claims=claims,
            **self.origin(row),
            **self.context_of(row),
        )

    def name_of(self, row: Any) -> str:
        return str(row)

    def countries(self, row: Any) -> tuple[int, ...]:
        return (row.country_id,)

    def facts(self, row: Any) -> list[Fact]:
        return [Fact(_("Country"), row.country.name)] if self.user.sees_all_countries() else []

    def origin(self, row: Any) -> dict[str, Any]:
        """File and session that created the record."""
        origins = Origins(self.user, files=[row.file_id], sessions=[row.import_session_id])
        return {
            "has_origin": True,
            "origin": origins.place(row.file),
            "session": origins.session(row.import_session_id),
        }

    def context_of(self, row: Any) -> dict[str, Any]:
        """Further context of the template."""
        return {}

    def _scope(self, row: Any) -> dict[str, Any]:
        country = {"country": row.country_id} if self.user.sees_all_countries() and hasattr(row, "country_id") else {}
        return {self.kind: row.pk, **country}

    def _filter(self) -> str:
        """What the lists call the scope."""
        return str(self.kind)

    def _claims(self, ids: Sequence[int]) -> ClaimTable | None:
        """The claims with these ids as a table, in this order."""
        rows: QuerySet[Claim] = Claim.objects.visible_to(self.user).filter(pk__in=ids)
        found = {claim.pk: claim for claim in rows.select_related("insured", "policy", "client", "partner")}
        if not found:
            return None
        table = ClaimTable([found[pk] for pk in ids if pk in found])
        table.label = _("Latest settled claims")
        table.columns.hide("country")
        if self.kind in table.columns:
            table.columns.hide(self.kind)
        if self.kind in OF_LINES:
            table.columns.hide("policy")
        return table


class _Lines(Aggregate):
    """Texts as one, a line for each."""

    function = "string_agg"
    template = "%(function)s(%(expressions)s, chr(10))"
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "group_concat(%(expressions)s, char(10))"
        return super().as_sql(compiler, connection, template=template, **context)


class _NamedPage(RecordPage):
    """A record of a country that has other names. `names`: the relation that has them."""

    names: ClassVar[str] = ""

    def rows(self) -> QuerySet[Any]:
        # With the record, in one statement.
        names: Any = self.model._meta.get_field(self.names).related_model
        of_record = names.objects.filter(**{self.kind: OuterRef("pk")}).order_by().values(self.kind)
        return super().rows().annotate(other_names=Subquery(of_record.annotate(all=_Lines("name")).values("all")))

    def facts(self, row: Any) -> list[Fact]:
        names = sorted(row.other_names.splitlines()) if row.other_names else []
        also = [Fact(_("Also written"), ", ".join(names))] if names else []
        return [*super().facts(row), *also]


class _MergedPage(_NamedPage):
    """A record that may be merged with others, and has other names from merges."""

    names = "aliases"

    def context_of(self, row: Any) -> dict[str, Any]:
        may_merge = may_manage_families(self.user, row.country_id)
        return {"merge_address": reverse(f"page-{self.kind}-merge", args=[row.pk]) if may_merge else ""}


class ClientPage(_MergedPage):
    template_name = "dashboard/client.html"
    model = Client
    kind = "client"
    type_name = gettext_lazy("Client")
    keys = (*_CLAIMS, "insured_who_consumed", "known_insured", "cost_per_insured", "active_policies", "active_partners")
    rankings = ("act_category", "partner", "policy")
    list_page, list_title = "page-clients", gettext_lazy("Clients")
    lists = (
        (gettext_lazy("All claims"), "page-claims"),
        (gettext_lazy("Policies"), "page-policies"),
        (gettext_lazy("Insured persons"), "page-insured-list"),
        (gettext_lazy("Memberships"), "page-memberships"),
        (gettext_lazy("Premiums"), "page-premiums"),
    )

    def context_of(self, row: Client) -> dict[str, Any]:
        premiums = Premium.objects.visible_to(self.user).filter(client=row).order_by("-start")
        return super().context_of(row) | {
            "premiums": list(premiums[:_PREMIUMS_SHOWN]),
            "may_manage_premiums": may_manage(self.user, row.country_id),
            "renewal": reverse("page-renewal", args=[row.pk]),
        }


# So many plans of a policy are shown with their rates.
PLANS_SHOWN = 100


class PolicyPage(RecordPage):
    template_name = "dashboard/policy.html"
    model = Policy
    kind = "policy"
    type_name = gettext_lazy("Policy")
    keys = (*_CLAIMS, "insured_who_consumed", "known_insured", "cost_per_insured", "active_clients", "active_partners")
    rankings = ("client", "act_category", "partner")
    list_page, list_title = "page-policies", gettext_lazy("Policies")
    lists = (
        (gettext_lazy("All claims"), "page-claims"),
        (gettext_lazy("Clients"), "page-clients"),
        (gettext_lazy("Insured persons"), "page-insured-list"),
        (gettext_lazy("Memberships"), "page-memberships"),
    )

    def context_of(self, row: Policy) -> dict[str, Any]:
        plans = list(row.plans.select_related("policy").order_by("name", "id")[: PLANS_SHOWN + 1])
        return {
            "coverage": shown_rate(row),
            "subscriber_source": source_of_subscriber(row),
            "plans": [(plan, shown_rate(plan)) for plan in plans[:PLANS_SHOWN]],
            "more_plans": len(plans) > PLANS_SHOWN,
            "may_type": may_type_rates(self.user, row.country_id),
        }


class InsuredPage(_NamedPage):
    template_name = "dashboard/insured.html"
    model = Insured
    kind = "insured"
    names = "spellings"
    type_name = gettext_lazy("Insured person")
    keys = ("claims", "lines", "claimed", "reimbursed", "reimbursement_rate", "cost_per_claim", "active_partners")
    rankings = ("act_category", "act", "partner")
    list_page, list_title = "page-insured-list", gettext_lazy("Insured persons")
    lists = (
        (gettext_lazy("All claims"), "page-claims"),
        (gettext_lazy("Claim lines"), "page-claim-lines"),
    )

    def facts(self, row: Insured) -> list[Fact]:
        facts = [Fact(_("Card number"), row.card_number or "–"), *super().facts(row)]
        if row.is_deduced:
            facts.append(Fact(_("Deduced"), _("known only as the principal of a dependant; no line of their own yet")))
        return facts

    def context_of(self, row: Insured) -> dict[str, Any]:
        memberships = row.memberships.select_related("principal", "policy", "client", "plan").order_by("id")
        changes = changes_of(Change.objects.visible_to(self.user), model=Insured._meta.label_lower, pk=row.pk)
        return {
            "memberships": list(memberships),
            "may_correct": may_manage_families(self.user, row.country_id),
            "corrections": [(one, summary_of(one)) for one in changes.order_by("-pk")[:_CORRECTIONS_SHOWN]],
        }


class FamilyPage(RecordPage):
    """A principal on a policy with the dependants there (DOMAIN §12). The id is that of the principal's membership."""

    template_name = "dashboard/family.html"
    model = Membership
    kind = "family"
    type_name = gettext_lazy("Family")
    keys = (*_CLAIMS, "insured_who_consumed", "known_insured", "cost_per_insured", "active_partners")
    rankings = ("insured", "act_category", "partner")
    list_page, list_title = "page-families", gettext_lazy("Families")
    lists = (
        (gettext_lazy("All claims"), "page-claims"),
        (gettext_lazy("Claim lines"), "page-claim-lines"),
        (gettext_lazy("Memberships"), "page-memberships"),
    )
    related = ("insured__country", "policy", "client", "file")

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.row(self.rows(), pk)
        head = (
            Membership.objects.visible_to(self.user)
            .filter(policy=row.policy_id, insured=row.principal_id or row.insured_id)
            .order_by(F("principal").asc(nulls_first=True), "id")
            .first()
        )
        if head is not None and head.pk != row.pk:
            return redirect("page-family", pk=head.pk)
        return self.show(row)

    def name_of(self, row: Membership) -> str:
        return row.insured.name

    def countries(self, row: Membership) -> tuple[int, ...]:
        return (row.insured.country_id,)

    def facts(self, row: Membership) -> list[Fact]:
        facts = [
            Fact(_("Principal"), row.insured.name, reverse("page-insured", args=[row.insured_id])),
            Fact(_("Policy"), row.policy.number, reverse("page-policy", args=[row.policy_id])),
        ]
        if row.client is not None:
            facts.append(Fact(_("Client"), row.client.name, reverse("page-client", args=[row.client.pk])))
        if self.user.sees_all_countries():
            facts.append(Fact(_("Country"), row.insured.country.name))
        return facts

    def context_of(self, row: Membership) -> dict[str, Any]:
        members = family_of(row).select_related("insured", "client", "plan").order_by("id")
        return {"members": list(members), "may_correct": may_manage_families(self.user, row.insured.country_id)}


class PartnerPage(_MergedPage):
    model = Partner
    kind = "partner"
    type_name = gettext_lazy("Provider")
    keys = (*_CLAIMS, "insured_who_consumed", "cost_per_insured", "active_clients", "active_operators")
    rankings = ("act", "client", "act_category")
    list_page, list_title = "page-partners", gettext_lazy("Providers")
    lists = (
        (gettext_lazy("All claims"), "page-claims"),
        (gettext_lazy("Claim lines"), "page-claim-lines"),
    )

    def facts(self, row: Partner) -> list[Fact]:
        return [
            Fact(_("Address"), row.address or "–"),
            Fact(_("Country of the provider"), row.partner_country or "–"),
            *super().facts(row),
        ]


class OperatorPage(_MergedPage):
    model = Operator
    kind = "operator"
    type_name = gettext_lazy("Operator")
    keys = ("claims", "lines", "claimed", "reimbursed", "cost_per_claim", "active_clients", "active_partners")
    rankings = ("act_category", "partner", "client")
    list_page, list_title = "page-operators", gettext_lazy("Operators")
    lists = (
        (gettext_lazy("All claims"), "page-claims"),
        (gettext_lazy("Claim lines"), "page-claim-lines"),
    )


class CataloguePage(RecordPage):
    """A part of the catalogue, which all countries share: the figures are those of the countries that one may see."""

    template_name = "dashboard/catalogue.html"
    edit_page: ClassVar[str] = ""
    audited = False

    def countries(self, row: Any) -> tuple[int, ...]:
        visible = Country.objects.visible_to(self.user)
        return tuple(visible.order_by("pk").values_list("pk", flat=True))

    def origin(self, row: Any) -> dict[str, Any]:
        # The catalogue is shared by all countries, so a page must not show the file of one country.
        return {"has_origin": False}

    def context_of(self, row: Any) -> dict[str, Any]:
        may_edit = holds(MayEditCatalogue, self.request)
        return {
            "usage": usage_of(row, user=self.user),
            "is_act": isinstance(row, Act),
            "edit": reverse(self.edit_page, args=[row.pk]) if may_edit else "",
            "history": changes_shown(history_of(row, user=self.user)) if may_edit else [],
        }


class ActPage(CataloguePage):
    model = Act
    kind = "act"
    type_name = gettext_lazy("Act")
    keys = ("claims", "lines", "claimed", "reimbursed", "reimbursement_rate", "insured_who_consumed", "active_partners")
    rankings = ("partner", "client", "policy")
    list_page, list_title = "page-acts", gettext_lazy("Acts")
    edit_page = "page-act-catalogue"
    lists = (
        (gettext_lazy("All claims"), "page-claims"),
        (gettext_lazy("Claim lines"), "page-claim-lines"),
    )
    related = ("category",)

    def facts(self, row: Act) -> list[Fact]:
        aliases = [alias.name for alias in row.aliases.order_by("name")]
        return [
            Fact(_("Act category"), row.category.name, reverse("page-act-category", args=[row.category_id])),
            Fact(_("Also written"), ", ".join(aliases) or "–"),
        ]


class ActCategoryPage(CataloguePage):
    model = ActCategory
    kind = "act_category"
    type_name = gettext_lazy("Act category")
    keys = ActPage.keys
    rankings = ("act", "partner", "client")
    list_page, list_title = "page-act-categories", gettext_lazy("Act categories")
    edit_page = "page-act-category-catalogue"
    lists = (
        (gettext_lazy("All claims"), "page-claims"),
        (gettext_lazy("Claim lines"), "page-claim-lines"),
        (gettext_lazy("Acts"), "page-acts"),
    )
    related = ()

    def _filter(self) -> str:
        return "category"

    def facts(self, row: ActCategory) -> list[Fact]:
        aliases = [alias.name for alias in row.aliases.order_by("name")]
        return [Fact(_("Also written"), ", ".join(aliases) or "–")]
