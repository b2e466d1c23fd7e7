"""The tables of the lists of records. A name links to the page of its record."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from common.tables import AmountColumn, CountColumn, DayColumn, ListTable, StateColumn
from core.families.texts import summary_of
from core.models import Change, ClaimLine


def link_to(page: str, label: Any, path: str) -> tables.Column:
    """A column with the text of `path`, a record or one of its fields, as a link to the record's page.

    `path` is the accessor of the text, such as `insured__name`; the record is what stands before the last part.
    """
    record = path.rpartition("__")[0]
    pk = f"{record}_id" if record and "__" not in record else f"{record}__pk" if record else "pk"
    return tables.Column(label, accessor=path, linkify=(page, {"pk": tables.A(pk)}))


class CountryColumn(tables.Column):
    """The country of a record, for the accounts that see several."""

    def __init__(self, accessor: str = "country__name") -> None:
        super().__init__(_("Country"), accessor=accessor)


class ClaimTable(ListTable):
    number = link_to("page-claim", _("Claim"), "number")
    status = StateColumn(_("Status"))
    settlement_date = DayColumn(_("Settlement date"))
    insured = link_to("page-insured", _("Insured"), "insured__name")
    policy = link_to("page-policy", _("Policy"), "policy__number")
    client = link_to("page-client", _("Client"), "client__name")
    partner = link_to("page-partner", _("Provider"), "partner__name")
    claimed_amount = AmountColumn(_("Claimed"))
    reimbursed_amount = AmountColumn(_("Reimbursed"))
    country = CountryColumn()

    class Meta(ListTable.Meta):
        attrs = {"class": "list claims"}


class ClaimLineTable(ListTable):
    claim = link_to("page-claim", _("Claim"), "claim__number")
    position = CountColumn(_("Line"))
    settlement_date = DayColumn(_("Settlement date"))
    act = link_to("page-act", _("Act"), "act__name")
    category = tables.Column(_("Act category"), accessor="category__name")
    operator = link_to("page-operator", _("Operator"), "operator__name")
    claimed_amount = AmountColumn(_("Claimed"), currency="claim__currency")
    reimbursed_amount = AmountColumn(_("Reimbursed"), currency="claim__currency")
    source = tables.Column(_("File, sheet, row"), empty_values=(), accessor="row")

    class Meta(ListTable.Meta):
        attrs = {"class": "list claims"}

    def render_source(self, record: ClaimLine) -> str:
        place = [record.file.name if record.file else "", record.sheet, str(record.row)]
        return " · ".join(part for part in place if part)


class InsuredTable(ListTable):
    name = link_to("page-insured", _("Name"), "name")
    card_number = tables.Column(_("Card number"))
    is_deduced = tables.BooleanColumn(verbose_name=_("Deduced"), yesno=(_("yes"), _("no")))
    country = CountryColumn()

    class Meta(ListTable.Meta):
        pass


class MembershipTable(ListTable):
    insured = link_to("page-insured", _("Insured"), "insured__name")
    role = tables.Column(_("Role"))
    principal = link_to("page-insured", _("Principal"), "principal__name")
    policy = link_to("page-policy", _("Policy"), "policy__number")
    client = link_to("page-client", _("Client"), "client__name")
    plan = tables.Column(_("Plan"), accessor="plan__name")
    first_settlement_date = DayColumn(_("First settlement date"))
    last_settlement_date = DayColumn(_("Last settlement date"))

    class Meta(ListTable.Meta):
        pass


class FamilyTable(ListTable):
    insured = tables.Column(_("Principal"), accessor="insured__name", linkify=("page-family", {"pk": tables.A("pk")}))
    policy = link_to("page-policy", _("Policy"), "policy__number")
    client = link_to("page-client", _("Client"), "client__name")
    plan = tables.Column(_("Plan"), accessor="plan__name")
    dependants = CountColumn(_("Dependants"))

    class Meta(ListTable.Meta):
        pass


class RecordChangeTable(ListTable):
    pk = tables.Column(_("Number"), linkify=("page-family-change", {"pk": tables.A("pk")}))
    kind = tables.Column(_("Kind"))
    summary = tables.Column(_("Correction"), accessor="data", empty_values=(), orderable=False)
    at = DayColumn(_("Day"))
    actor_label = tables.Column(_("Account"))
    undone_at = DayColumn(_("Undone on"))
    country = CountryColumn()

    class Meta(ListTable.Meta):
        pass

    def render_summary(self, record: Change) -> str:
        return summary_of(record)


class ClientTable(ListTable):
    name = link_to("page-client", _("Client"), "name")
    file = tables.Column(_("First seen in"), accessor="file__name")
    country = CountryColumn()

    class Meta(ListTable.Meta):
        pass


class PolicyTable(ListTable):
    number = link_to("page-policy", _("Policy"), "number")
    file = tables.Column(_("First seen in"), accessor="file__name")
    country = CountryColumn()

    class Meta(ListTable.Meta):
        pass


class PartnerTable(ListTable):
    name = link_to("page-partner", _("Provider"), "name")
    address = tables.Column(_("Address"))
    partner_country = tables.Column(_("Country of the provider"))
    file = tables.Column(_("First seen in"), accessor="file__name")
    country = CountryColumn()

    class Meta(ListTable.Meta):
        pass


class OperatorTable(ListTable):
    name = link_to("page-operator", _("Operator"), "name")
    file = tables.Column(_("First seen in"), accessor="file__name")
    country = CountryColumn()

    class Meta(ListTable.Meta):
        pass


class ActTable(ListTable):
    name = link_to("page-act", _("Act"), "name")
    category = tables.Column(_("Act category"), accessor="category__name")
    aliases = tables.ManyToManyColumn(verbose_name=_("Aliases"))

    class Meta(ListTable.Meta):
        pass
