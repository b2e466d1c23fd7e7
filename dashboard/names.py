"""Names of the records that figures are about, as far as the caller may see them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.models import Act, ActCategory, Claim, Client, Insured, Invoice, Membership, Operator, Partner, Policy
from users.models import User

# Kind of record → its model and the field that names it.
_NAMED: dict[str, tuple[Any, str]] = {
    "client": (Client, "name"),
    "policy": (Policy, "number"),
    "insured": (Insured, "name"),
    "family": (Membership, "insured__name"),
    "partner": (Partner, "name"),
    "operator": (Operator, "name"),
    "act": (Act, "name"),
    "act_category": (ActCategory, "name"),
    "invoice": (Invoice, "number"),
    "claim": (Claim, "number"),
}
PERSONAL = ("insured", "family", "operator", "claim")
# A statement takes so many parameters on every database.
AT_ONCE = 10_000


def names_of(kind: str, ids: Iterable[int], *, user: User) -> dict[int, str]:
    """Id → name; an id that the user may not see has none."""
    model, field = _NAMED[kind]
    wanted = sorted(set(ids))
    found: dict[int, str] = {}
    for at in range(0, len(wanted), AT_ONCE):
        rows = model.objects.visible_to(user).filter(pk__in=wanted[at : at + AT_ONCE])
        found |= dict(rows.values_list("pk", field))
    return found


def keys_of(kind: str, *, user: User, countries: Iterable[int]) -> dict[int, tuple[tuple[int, str], str]]:
    """Id → (country and label key, name) of every partner or operator of the countries."""
    model, _field = _NAMED[kind]
    rows = model.objects.visible_to(user).filter(country_id__in=countries)
    return {
        pk: ((country, key), name) for pk, country, key, name in rows.values_list("pk", "country_id", "key", "name")
    }
