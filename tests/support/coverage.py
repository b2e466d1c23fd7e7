"""Observed rates and deduced subscribers once more, in plain loops and fractions (DOMAIN §10)."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction
from math import floor

from common.keys import label_key
from core import models as core

Rates = dict[int, Decimal | None]


def observed_rates() -> tuple[Rates, Rates]:
    """Policy id → observed rate, plan id → observed rate, from all claim lines of the database."""
    of_policies: dict[int, Counter[int]] = {pk: Counter() for pk in core.Policy.objects.values_list("pk", flat=True)}
    of_plans: dict[int, Counter[int]] = {pk: Counter() for pk in core.Plan.objects.values_list("pk", flat=True)}
    for line in core.ClaimLine.objects.select_related("claim__membership"):
        if line.claim.status != "settled" or line.claimed_amount <= 0 or line.reimbursed_amount <= 0:
            continue
        ratio = Fraction(line.reimbursed_amount) / Fraction(line.claimed_amount)
        hundredths = floor(ratio * 100 + Fraction(1, 2))
        of_policies[line.claim.policy_id][hundredths] += 1
        if line.claim.membership.plan_id is not None:
            of_plans[line.claim.membership.plan_id][hundredths] += 1
    return _most_frequent(of_policies), _most_frequent(of_plans)


def _most_frequent(counts: dict[int, Counter[int]]) -> Rates:
    found: Rates = {}
    for pk, rates in counts.items():
        often = [rate for rate in rates if rates[rate] == max(rates.values())]
        found[pk] = Decimal(max(often)) / 100 if often else None
    return found


def kept_rates() -> tuple[Rates, Rates]:
    """Likewise, as the records have them."""
    return (
        dict(core.Policy.objects.values_list("pk", "observed_rate")),
        dict(core.Plan.objects.values_list("pk", "observed_rate")),
    )


def subscribers() -> dict[int, str]:
    """Policy id → deduced subscriber, from the memberships."""
    clients: dict[int, dict[int, str]] = defaultdict(dict)
    principals: dict[int, dict[int, str]] = defaultdict(dict)
    for one in core.Membership.objects.select_related("client", "insured"):
        if one.client is not None:
            clients[one.policy_id][one.client_id] = one.client.name
        if one.role == "primary":
            principals[one.policy_id][one.insured_id] = one.insured.name
    found = {}
    for pk in core.Policy.objects.values_list("pk", flat=True):
        names = [name for _id, name in sorted(clients[pk].items())]
        if not names:
            names = list(principals[pk].values())
            found[pk] = names[0] if len(names) == 1 else ""
        elif len(names) == 1:
            found[pk] = names[0]
        else:
            parts = [name.split("/")[0].strip() for name in names]
            found[pk] = parts[0] if len({label_key(part) for part in parts}) == 1 else ""
    return found


def kept_subscribers() -> dict[int, str]:
    return dict(core.Policy.objects.values_list("pk", "deduced_subscriber"))
