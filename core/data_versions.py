"""Versions of a country's data, so that figures kept from it are never stale. Raised where the data is changed."""

from collections.abc import Iterable
from datetime import date
from uuid import uuid4

from core.models import DataVersion

MEMBERSHIPS, MARKS, PREMIUMS = "memberships", "marks", "premiums"
_CLAIMS, _FINDINGS = "claims-", "findings-"


def claims_of(day: date) -> str:
    """The part that has the claims settled in the month of `day`."""
    return f"{_CLAIMS}{day:%Y-%m}"


def findings_of(session_id: int) -> str:
    """The part that has the findings of a session."""
    return f"{_FINDINGS}{session_id}"


def month_of(part: str) -> date | None:
    """The first day of the month whose claims `part` has; None for the other parts."""
    if not part.startswith(_CLAIMS):
        return None
    return date.fromisoformat(f"{part.removeprefix(_CLAIMS)}-01")


def renew(country_id: int, parts: Iterable[str]) -> None:
    """Give the parts a new version. Call it in the transaction that changes them."""
    rows = [DataVersion(country_id=country_id, part=part, token=uuid4().hex) for part in sorted(set(parts))]
    DataVersion.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["country", "part"], update_fields=["token"]
    )


def tokens_of(country_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Country id → part → token."""
    found: dict[int, dict[str, str]] = {id_: {} for id_ in country_ids}
    rows = DataVersion.objects.filter(country_id__in=found).values_list("country_id", "part", "token")
    for country_id, part, token in rows:
        found[country_id][part] = token
    return found
