"""The columns of each kind of record in an export. Headers are in the language of the caller."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from common.exports import Column
from core.catalogue.texts import sentence_of
from core.families.texts import summary_of
from core.models import CATALOGUE_KINDS, RECORD_KINDS, Change, ClaimStatus, MembershipRole
from users.models import User

_ID = Column(_("Id"), "id", "integer")
_ORIGIN = (
    Column(_("File"), "file__name"),
    Column(_("Import session"), "import_session_id", "integer"),
)
_STATUS = Column(_("Status"), "status", "choice", ClaimStatus.choices)


def _record(*columns: Column, country: str = "") -> tuple[Column, ...]:
    """`columns` between id and country before them and origin after them. `country`: the lookup of the country."""
    return (_ID, Column(_("Country"), f"{country}country__code"), *columns, *_ORIGIN)


def _provider_number(number: Column) -> tuple[Column, ...]:
    return _record(Column(_("Provider"), "partner__name"), number, country="partner__")


CLIENTS = _record(Column(_("Client"), "name"))


def _first(*values: Any) -> Any:
    """The value that is in force: the first that there is."""
    return next((value for value in values if value not in (None, "")), None)


def _rates(*further: str) -> tuple[Column, ...]:
    """The rate in force, the typed and the observed one. `further`: the rates that count where there is neither."""
    own = ("typed_rate", "observed_rate")
    return (
        Column(_("Coverage rate"), "rate", "number", paths=(*own, *further), text=_first),
        Column(_("Typed rate"), "typed_rate", "number"),
        Column(_("Observed rate"), "observed_rate", "number"),
    )


POLICIES = _record(
    Column(_("Policy"), "number"),
    *_rates(),
    Column(_("Subscriber"), "subscriber", paths=("typed_subscriber", "deduced_subscriber"), text=_first),
    Column(_("Typed subscriber"), "typed_subscriber"),
    Column(_("Deduced subscriber"), "deduced_subscriber"),
)
PLANS = _record(
    Column(_("Policy"), "policy__number"),
    Column(_("Plan"), "name"),
    *_rates("policy__typed_rate", "policy__observed_rate"),
    country="policy__",
)
INSURED = _record(
    Column(_("Insured"), "name"), Column(_("Card number"), "card_number"), Column(_("Deduced"), "is_deduced", "yes_no")
)
SPELLINGS = _record(Column(_("Insured"), "insured__name"), Column(_("Known spelling"), "name"), country="insured__")
MEMBERSHIPS = _record(
    Column(_("Insured"), "insured__name"),
    Column(_("Card number"), "insured__card_number"),
    Column(_("Role"), "role", "choice", MembershipRole.choices),
    Column(_("Principal"), "principal__name"),
    Column(_("Policy"), "policy__number"),
    Column(_("Client"), "client__name"),
    Column(_("Plan"), "plan__name"),
    Column(_("First settlement date"), "first_settlement_date", "date"),
    Column(_("Last settlement date"), "last_settlement_date", "date"),
    country="insured__",
)
FAMILIES = _record(
    Column(_("Principal"), "insured__name"),
    Column(_("Card number"), "insured__card_number"),
    Column(_("Policy"), "policy__number"),
    Column(_("Client"), "client__name"),
    Column(_("Plan"), "plan__name"),
    Column(_("Dependants"), "dependants", "integer"),
    country="insured__",
)
PARTNERS = _record(
    Column(_("Provider"), "name"),
    Column(_("Address"), "address"),
    Column(_("Country of the provider"), "partner_country"),
)
OPERATORS = _record(Column(_("Operator"), "name"))
INVOICES = _provider_number(Column(_("Invoice"), "number"))
PAYMENTS = _provider_number(Column(_("Payment reference"), "number"))
CLAIMS = (
    *_record(
        Column(_("Claim"), "number"),
        _STATUS,
        Column(_("Settlement date"), "settlement_date", "date"),
        Column(_("Incident date"), "incident_date", "date"),
        Column(_("Claimed"), "claimed_amount", "money"),
        Column(_("Reimbursed"), "reimbursed_amount", "money"),
        Column(_("Currency"), "currency"),
        Column(_("Lines"), "line_count", "integer"),
        Column(_("Insured"), "insured__name"),
        Column(_("Card number"), "insured__card_number"),
        Column(_("Role"), "membership__role", "choice", MembershipRole.choices),
        Column(_("Policy"), "policy__number"),
        Column(_("Client"), "client__name"),
        Column(_("Provider"), "partner__name"),
    ),
    Column(_("Recap file"), "recap_file__name"),
    Column(_("Recap sheet"), "recap_sheet"),
    Column(_("Recap row"), "recap_row", "integer"),
)
CLAIM_LINES = (
    *_record(
        Column(_("Claim"), "claim__number"),
        Column(_("Line"), "position", "integer"),
        _STATUS,
        Column(_("Settlement date"), "settlement_date", "date"),
        Column(_("Incident date"), "incident_date", "date"),
        Column(_("Act category"), "category__name"),
        Column(_("Act"), "act__name"),
        Column(_("Guarantee"), "guarantee"),
        Column(_("Claimed"), "claimed_amount", "money"),
        Column(_("Reimbursed"), "reimbursed_amount", "money"),
        Column(_("Currency"), "claim__currency"),
        Column(_("Insured"), "claim__insured__name"),
        Column(_("Policy"), "claim__policy__number"),
        Column(_("Client"), "claim__client__name"),
        Column(_("Provider"), "claim__partner__name"),
        Column(_("Invoice"), "invoice__number"),
        Column(_("Payment reference"), "payment__number"),
        Column(_("Operator"), "operator__name"),
        Column(_("Note"), "note"),
        country="claim__",
    ),
    Column(_("Sheet"), "sheet"),
    Column(_("Row"), "row", "integer"),
)
REVISIONS = (
    _ID,
    Column(_("Country"), "country__code"),
    Column(_("Claim"), "number"),
    Column(_("Replaced at"), "replaced_at", "moment"),
    Column(_("Replaced by session"), "replaced_by_session_id", "integer"),
)
ACT_CATEGORIES = (_ID, Column(_("Act category"), "name"))
ACTS = (_ID, Column(_("Act"), "name"), Column(_("Act category"), "category__name"))
ACT_ALIASES = (_ID, Column(_("Alias"), "name"), Column(_("Act"), "act__name"))


def _account(first_name: str | None, last_name: str | None, email: str | None) -> str | None:
    if email is None:
        return None
    return User(first_name=first_name or "", last_name=last_name or "", email=email).display_name()


def _summary(kind: str, data: Any) -> str:
    return summary_of(Change(kind=kind, data=data))


def _sentence(kind: str, data: Any) -> str:
    return sentence_of(Change(kind=kind, data=data))


def _lines(data: Any) -> int:
    return int(data.get("moved", {}).get("lines", 0))


_CHANGED = (
    Column(_("Time"), "at", "moment"),
    Column(_("Account"), "actor_label"),
    Column(_("Undone on"), "undone_at", "moment"),
    Column(
        _("Undone by"),
        "undone_by",
        paths=tuple(f"undone_by__{name}" for name in ("first_name", "last_name", "email")),
        text=_account,
    ),
)
RECORD_CHANGES = (
    _ID,
    Column(_("Country"), "country__code"),
    Column(_("Kind"), "kind", "choice", [(kind.value, kind.label) for kind in RECORD_KINDS]),
    Column(_("Correction"), "correction", paths=("kind", "data"), text=_summary),
    *_CHANGED,
)
CATALOGUE_CHANGES = (
    _ID,
    Column(_("Kind"), "kind", "choice", [(kind.value, kind.label) for kind in CATALOGUE_KINDS]),
    Column(_("What changed"), "change", paths=("kind", "data"), text=_sentence),
    Column(_("Claim lines"), "lines", "integer", paths=("data",), text=_lines),
    *_CHANGED,
)
