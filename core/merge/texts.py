"""What a merge moves, as people read it."""

from django.utils.translation import ngettext

from common.formats import format_count
from core.models import Change


def moved_words(change: Change) -> list[str]:
    """What a merge moves, as words with their numbers: "12 claims"."""
    numbers = {name: value for name, value in change.data.items() if isinstance(value, int)}
    if change.kind == "insured_merge":
        numbers |= {name: sum(part[name] for part in change.data["absorbed"]) for name in ("memberships", "dependants")}
    words = {
        "claims": ngettext("%(number)s claim", "%(number)s claims", numbers.get("claims", 0)),
        "lines": ngettext("%(number)s claim line", "%(number)s claim lines", numbers.get("lines", 0)),
        "memberships": ngettext("%(number)s membership", "%(number)s memberships", numbers.get("memberships", 0)),
        "dependants": ngettext("%(number)s dependant", "%(number)s dependants", numbers.get("dependants", 0)),
        "premiums": ngettext("%(number)s premium", "%(number)s premiums", numbers.get("premiums", 0)),
        "invoices": ngettext("%(number)s invoice", "%(number)s invoices", numbers.get("invoices", 0)),
        "payments": ngettext("%(number)s payment", "%(number)s payments", numbers.get("payments", 0)),
    }
    return [text % {"number": format_count(numbers[name])} for name, text in words.items() if numbers.get(name)]
