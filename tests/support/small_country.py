"""A country whose claims a test writes one by one, without an import, and its account that asks for figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from core import models as core
from core.data_versions import MEMBERSHIPS, PREMIUMS, claims_of, renew
from core.rates import recompute
from tests.support.api_user import ApiUser, Json

DAY = date(2024, 6, 15)


@dataclass(frozen=True)
class Act:
    """A line of a claim; names of what it refers to, None where it refers to nothing."""

    claimed: int = 5000
    reimbursed: int = 4000
    act: str | None = "PARACETAMOL"
    category: str = "PHARMACIE"
    operator: str | None = "AMA"
    invoice: str | None = None


class SmallCountry(ApiUser):
    """Records are named and made once. The claims that are added count once `save` has written them."""

    def __init__(self, code: str = "TG", currency: str = "XOF") -> None:
        super().__init__(code)
        self.country.currency_code = currency
        self.country.save()
        self._records: dict[tuple[Any, ...], Any] = {}
        self._claims: list[core.Claim] = []
        self._lines: list[core.ClaimLine] = []

    def client_named(self, name: str) -> core.Client:
        return self._once(core.Client, country=self.country, name=name, key=name)

    def policy(self, number: str) -> core.Policy:
        return self._once(core.Policy, country=self.country, number=number, key=number)

    def partner(self, name: str) -> core.Partner:
        return self._once(core.Partner, country=self.country, name=name, key=name)

    def insured(self, name: str) -> core.Insured:
        return self._once(core.Insured, country=self.country, name=name, name_key=name)

    def operator(self, name: str) -> core.Operator:
        return self._once(core.Operator, country=self.country, name=name, key=name)

    def category(self, name: str) -> core.ActCategory:
        return core.ActCategory.objects.get_or_create(key=name, defaults={"name": name})[0]

    def act(self, name: str, category: str) -> core.Act:
        return core.Act.objects.get_or_create(key=name, defaults={"name": name, "category": self.category(category)})[0]

    def membership(self, insured: str, policy: str, client: str | None, principal: str | None) -> core.Membership:
        """A principal without a principal, else a spouse, a child or another dependant by the first letter."""
        roles = {"S": "spouse", "C": "child"}
        return self._once(
            core.Membership,
            insured=self.insured(insured),
            policy=self.policy(policy),
            client=None if client is None else self.client_named(client),
            principal=None if principal is None else self.insured(principal),
            role="primary" if principal is None else roles.get(insured[0], "other"),
        )

    def claim(
        self,
        *acts: Act,
        settled: date = DAY,
        incident: date | None = None,
        insured: str = "AFI",
        principal: str | None = None,
        client: str | None = "PORT",
        policy: str = "1",
        partner: str = "BIASA",
        currency: str = "",
        status: str = "settled",
        number: str = "",
    ) -> core.Claim:
        """A claim of its lines, by default of one."""
        acts = acts or (Act(),)
        claim = core.Claim(
            country=self.country,
            number=number or f"N{len(self._claims) + core.Claim.objects.count():06d}",
            status=status,
            membership=self.membership(insured, policy, client, principal),
            insured=self.insured(insured),
            policy=self.policy(policy),
            client=None if client is None else self.client_named(client),
            partner=self.partner(partner),
            settlement_date=settled,
            incident_date=incident,
            claimed_amount=Decimal(sum(one.claimed for one in acts)),
            reimbursed_amount=Decimal(sum(one.reimbursed for one in acts)),
            currency=currency or self.country.currency_code,
            line_count=len(acts),
            fingerprint="f",
        )
        self._claims.append(claim)
        for position, one in enumerate(acts, 1):
            self._lines.append(self._line(claim, position, one))
        return claim

    def _line(self, claim: core.Claim, position: int, one: Act) -> core.ClaimLine:
        invoice = one.invoice and self._once(core.Invoice, partner=claim.partner, number=one.invoice, key=one.invoice)
        return core.ClaimLine(
            claim=claim,
            position=position,
            status=claim.status,
            act=None if one.act is None else self.act(one.act, one.category),
            category=self.category(one.category),
            operator=None if one.operator is None else self.operator(one.operator),
            invoice=invoice or None,
            settlement_date=claim.settlement_date,
            incident_date=claim.incident_date,
            claimed_amount=Decimal(one.claimed),
            reimbursed_amount=Decimal(one.reimbursed),
            sheet="Feuil1",
            row=position + 1,
        )

    def premium(
        self,
        amount: str | int,
        start: date,
        end: date,
        *,
        client: str = "PORT",
        insured: int | None = None,
        currency: str = "",
    ) -> core.Premium:
        """A premium of a client, in the currency of the country."""
        renew(self.country.pk, {PREMIUMS})
        return core.Premium.objects.create(
            country=self.country,
            client=self.client_named(client),
            amount=Decimal(amount),
            currency=currency or self.country.currency_code,
            start=start,
            end=end,
            insured_count=insured,
        )

    def save(self) -> SmallCountry:
        """Write the claims as an import does: with the dates of their memberships, observed rates and new versions."""
        core.Claim.objects.bulk_create(self._claims)
        for line in self._lines:
            line.claim_id = line.claim.pk
        core.ClaimLine.objects.bulk_create(self._lines)
        for claim in self._claims:
            membership = claim.membership
            days = [day for day in (membership.first_settlement_date, claim.settlement_date) if day]
            membership.first_settlement_date = min(days)
            membership.save()
        renew(self.country.pk, {MEMBERSHIPS, *(claims_of(claim.settlement_date) for claim in self._claims)})
        recompute({claim.policy_id for claim in self._claims})
        self._claims, self._lines = [], []
        return self

    def _once(self, model: Any, **values: Any) -> Any:
        key = (model, *values.values())
        if key not in self._records:
            self._records[key] = model.objects.create(**values)
        return self._records[key]

    def figures(self, path: str, **params: Any) -> Json:
        """The answer of an address of the dashboard."""
        return self.get(f"dashboard/{path}?" + "&".join(f"{name}={value}" for name, value in params.items()))

    def figure(self, key: str, currency: str | None = None, **params: Any) -> Json:
        """One indicator of the portfolio."""
        found = self.figures("portfolio/", **params)["indicators"]
        (one,) = [one for one in found if one["key"] == key and currency in (None, one["currency"])]
        return dict(one)
