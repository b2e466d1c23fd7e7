"""Two imports with nearly the same names of each kind, and the review list as the API shows it."""

from __future__ import annotations

from typing import Any

from core import models as core
from tests.support.api_user import ApiUser, Json
from tests.support.pairs import Cells, line, matching_pair

EARLY, LATE = "10/02/2024", "20/11/2024"
KOFI, KOFFI = "AMEGAN KOFI", "AMEGAN KOFFI"


def of(number: str, name: str = KOFI, **fields: str) -> Cells:
    return line(number, **({"beneficiary": name, "main_insured": name, "settlement_date": EARLY} | fields))


FIRST = matching_pair(
    of("A1", invoice_number="F1", payment_reference="C1", operator="MENSAH AKOU"),
    of("A2", invoice_number="F2", operator="MENSAH AKOU"),
    of("A3", "LAWSON AFI", policy_number="99"),
)
# Another spelling of the client, the provider and the operator; the same person, policy, invoice and payment.
SECOND = matching_pair(
    of(
        "B1", settlement_date=LATE, employer="PORT DE LOMEE", partner="CLINIQUE BIASSA", operator="MENSA AKOU",
        invoice_number="F1", payment_reference="C1", plan="PLAN B",
    ),
    of("B2", KOFFI, settlement_date=LATE, employer="PORT DE LOMEE", partner="CLINIQUE BIASSA"),
)  # fmt: skip
THIRD = matching_pair(
    of("C1", settlement_date="21/11/2024", employer="PORT DE LOMEE", partner="CLINIQUE BIASSA", operator="MENSA AKOU"),
)


def pairs(api: ApiUser, **filters: str) -> list[Json]:
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return list(api.get(f"review-pairs/?{query}")["results"])


def waiting(api: ApiUser) -> dict[str, Json]:
    """Kind → its only waiting pair."""
    found = pairs(api, state="waiting")
    assert len({one["kind"] for one in found}) == len(found), found
    return {one["kind"]: one for one in found}


def decide(api: ApiUser, pair: Json, decision: str, status: int = 200, query: str = "", **more: Any) -> Json:
    response = api.client.post(
        f"/api/v1/review-pairs/{pair['id']}/decide/{query}", {"decision": decision, **more}, format="json"
    )
    assert response.status_code == status, response.content.decode()
    return dict(response.json())


def totals() -> dict[str, Any]:
    """Per table the number of rows, and the sums of the country."""
    sums = [
        sorted(str(value) for value in model.objects.values_list("claimed_amount", "reimbursed_amount"))
        for model in (core.Claim, core.ClaimLine)
    ]
    return {"claims": core.Claim.objects.count(), "lines": core.ClaimLine.objects.count(), "sums": sums}


def sums_of_figures(api: ApiUser) -> Json:
    found = api.get("dashboard/portfolio/")["indicators"]
    return {one["key"]: one["value"] for one in found if one["key"] in ("claims", "lines", "claimed", "reimbursed")}


def dump() -> dict[str, list[Any]]:
    """Every record of the country, without the list itself and the history of changes."""
    models = [
        core.Client, core.Partner, core.Operator, core.Insured, core.InsuredSpelling, core.Membership, core.Policy,
        core.Plan, core.Invoice, core.Payment, core.Claim, core.ClaimLine, core.Premium, core.ClientAlias,
        core.PartnerAlias, core.OperatorAlias,
    ]  # fmt: skip
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}
